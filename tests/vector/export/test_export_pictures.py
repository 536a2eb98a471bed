"""PNG without a ground, and PDF as another program draws it."""

import io

import numpy as np
import pytest
from PIL import Image

from clipasso import ClipassoError, Sketch, export
from clipasso.vector.export import exported
from clipasso.vector.render import render

COLOURED = Sketch(
    [
        [[20, 20], [180, -60], [-40, 90], [180, 80]],
        [[20, 90], [80, 10], [120, 10], [180, 90]],
        [[100, 5], [100, 30], [100, 60], [100, 95]],
        [[150, 50], [220, 60], [260, 60], [300, 10]],
    ],
    (200, 100),
    widths=[6, 3, 9, 5],
    colors=[[0, 0, 0], [0.9, 0.1, 0.2], [0.1, 0.6, 0.3], [0, 0, 1]],
    opacities=[1, 0.5, 0.4, 1],
)


def over(png, ground):
    """A picture laid on a colour."""
    levels = np.asarray(png, float)
    alpha = levels[..., 3:] / 255
    return alpha * levels[..., :3] + (1 - alpha) * np.array(ground)


def test_without_a_ground_it_looks_the_same_on_white():
    data = exported(COLOURED, "png", size=400, transparent=True)
    png = Image.open(io.BytesIO(data))
    assert png.format == "PNG"
    assert (png.mode, png.size) == ("RGBA", (400, 200))
    assert np.abs(over(png, [255] * 3) - render(COLOURED, 400)).max() <= 1.5  # of 255, rounding
    alpha = np.asarray(png)[..., 3]
    assert alpha[0, 0] == 0
    assert alpha.max() == 255
    # Where red alone lies half over nothing its colour is whole.
    edge = np.asarray(png)[178, 40]
    assert edge == pytest.approx([229.5, 25.5, 51, 127.5], abs=1)


def test_tiles_of_a_large_transparent_picture_fit_together():
    png = Image.open(io.BytesIO(exported(COLOURED, "png", size=1100, transparent=True)))
    assert png.size == (1100, 550)
    assert np.abs(over(png, [255] * 3) - render(COLOURED, 1100)).max() <= 1.5


def test_a_png_with_a_ground_is_as_rendered():
    png = Image.open(io.BytesIO(exported(COLOURED, "png")))
    assert png.mode == "RGB"
    assert np.array_equal(np.asarray(png), render(COLOURED))


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_pdf_as_pdfium_draws_it(degree, tmp_path):
    pdfium = pytest.importorskip("pypdfium2")
    sketch = COLOURED if degree == 3 else Sketch(
        COLOURED.points[:, : 1 + 2 * degree // 2], (200, 100), degree, widths=COLOURED.widths,
        colors=COLOURED.colors,
    )  # fmt: skip
    path = export(sketch, tmp_path / "a.pdf")
    document = pdfium.PdfDocument(path)
    assert len(document) == 1
    page = document[0]
    assert page.get_size() == pytest.approx((150, 75))  # 96 px an inch
    drawn = np.asarray(page.render(scale=400 / 150).to_pil().convert("RGB"), float)
    ours = render(sketch, 400).astype(float)
    assert drawn.shape == ours.shape
    assert np.abs(drawn - ours).mean() < 1.5
    assert (np.abs(drawn - ours).max(2) > 90).mean() < 0.001  # edges are smoothed otherwise
    paths = [o for o in page.get_objects() if o.type == pdfium.raw.FPDF_PAGEOBJ_PATH]
    assert len(paths) == 4 if degree == 3 else len(paths) >= 3


def test_pdf_of_a_size_and_the_same_each_time():
    pdfium = pytest.importorskip("pypdfium2")
    data = exported(COLOURED, "pdf", size="120mm")
    assert pdfium.PdfDocument(data)[0].get_size() == pytest.approx(
        (120 / 25.4 * 72, 60 / 25.4 * 72), rel=1e-4
    )
    assert exported(COLOURED, "pdf", size="12cm") == data


def test_pdf_on_paper_has_the_papers_size_and_ink_ends_where_the_canvas_does():
    pdfium = pytest.importorskip("pypdfium2")
    page = pdfium.PdfDocument(exported(COLOURED, "pdf", paper="a5", margin="2cm"))[0]
    assert page.get_size() == pytest.approx((210 / 25.4 * 72, 148 / 25.4 * 72), rel=1e-4)
    drawn = np.asarray(page.render(scale=2).to_pil().convert("L"))
    rows, columns = np.nonzero(drawn < 250)
    px = 2 * 72 / 25.4  # of the picture, for a mm
    # 170 mm wide and 85 mm high, in the middle; strokes leave the canvas on the right and above.
    assert columns.max() / px == pytest.approx(190, abs=0.3)
    assert rows.min() / px == pytest.approx(148 / 2 - 85 / 2, abs=0.3)
    inside = drawn[round(31.5 * px) : round(116.5 * px), round(20 * px) : round(190 * px)]
    ours = np.asarray(Image.fromarray(render(COLOURED, inside.shape[1])).convert("L"), float)
    height = min(len(ours), len(inside))
    assert np.abs(ours[:height] - inside[:height]).mean() < 3


def test_pages_that_pdf_has_not():
    with pytest.raises(ClipassoError, match="would be a page of"):
        exported(COLOURED.scaled(1000), "pdf")
    assert exported(COLOURED.scaled(1000), "pdf", size="100cm")
    far = Sketch([[[0, 0], [1e13, 1e13]]], (100, 100))
    with pytest.raises(ClipassoError, match="too far off"):
        exported(far, "pdf")


@pytest.mark.parametrize(
    ("format", "options", "message"),
    [
        ("bmp", {}, "--format bmp: must be pdf, png"),
        ("png", {"size": "12mm"}, "--size 12mm: must be a number of pixels"),
        ("png", {"size": 0}, "--size 0"),
        ("png", {"size": 16385}, "--size 16385"),
        ("pdf", {"size": 300}, "--size 300: needs a unit"),
        ("pdf", {"size": "0mm"}, "--size 0mm"),
        ("dxf", {"size": "9000mm"}, "--size 9000mm"),
        ("dxf", {"size": "3yd"}, "--size 3yd"),
        ("svg", {"size": 300}, "--size: is for png, pdf, dxf"),
        ("json", {"transparent": True}, "--transparent: is for png"),
        ("svg", {"paper": "a5"}, "--paper: is for pdf, not svg"),
        ("pdf", {"paper": "a5", "size": "120mm"}, "--paper and --size: both say"),
        ("pdf", {"paper": "b5"}, "--paper b5: must be a6"),
        ("pdf", {"margin": "5mm"}, "--margin: is on paper"),
        ("pdf", {"paper": "a6", "margin": "6cm"}, "--margin 60mm: leaves no room"),
    ],
)
def test_options_that_do_not_fit(format, options, message):
    with pytest.raises(ClipassoError, match=message):
        exported(COLOURED, format, **options)


@pytest.mark.parametrize("format", ["pdf", "png", "svg", "json", "ndjson", "dxf"])
def test_no_strokes_no_file(format, tmp_path):
    with pytest.raises(ClipassoError, match="no strokes to export"):
        export(COLOURED[:0], tmp_path / f"a.{format}")
    assert not list(tmp_path.iterdir())


def test_the_suffix_says_the_format(tmp_path):
    assert export(COLOURED, tmp_path / "a.SVG").read_text().startswith("<svg")
    assert export(COLOURED, tmp_path / "a.b", format="pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ClipassoError, match="its suffix must be"):
        export(COLOURED, tmp_path / "a.b")
