"""Sketches made elsewhere are judged as they look; files that harm are refused."""

import base64
import gzip
import json
import re
import shutil
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageDraw

from clipasso import ClipassoError, Sketch, load_photo
from clipasso.cli import run
from clipasso.evaluate import document, foreign
from clipasso.evaluate.ink import ink_statistics
from clipasso.evaluate.looks import on_canvas, see_sketch
from clipasso.photo.folders import listed
from clipasso.vector.render import render
from foreign_svgs import FOREIGN, SVG, XLINK, as_drawn, embedded, encoded


def look(tmp_path, text, name="sketch.svg"):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return see_sketch(file)


def darkness(seen):
    return 1 - seen.pixels.mean(-1)


@pytest.mark.parametrize("program", FOREIGN)
def test_other_programs_drawings_look_as_drawn(tmp_path, program):
    seen = look(tmp_path, encoded(program))
    assert seen.pixels.shape == (224, 224, 3)
    assert seen.pixels.dtype == np.float32
    assert np.abs(darkness(seen) - as_drawn()).mean() < 0.01
    assert not seen.ours
    assert not seen.blank
    assert seen.lost == ()
    # Figures of strokes are for what is nothing but strokes.
    assert (seen.strokes is not None) == (program == "clipasso, official")
    if seen.strokes is not None:
        assert len(seen.strokes) == 2
        assert seen.strokes.size == (224, 224)


def test_gzipped_drawings_are_drawings(tmp_path):
    seen = look(tmp_path, gzip.compress(encoded("potrace")), "sketch.SVGZ")
    assert np.abs(darkness(seen) - as_drawn()).mean() < 0.01


def test_wide_drawings_are_padded_as_photos_are(tmp_path):
    seen = look(
        tmp_path, f'<svg {SVG} viewBox="0 0 400 100"><rect width="400" height="100"/></svg>'
    )
    photo = load_photo(np.zeros((100, 400, 3), np.uint8))
    inside = np.r_[:82, 86:138, 142:224]  # edges are as soft as those of strokes
    np.testing.assert_allclose(seen.pixels[inside], photo.pixels[inside], atol=0.02)
    thin = look(tmp_path, f'<svg {SVG} viewBox="0 0 1 5000"><rect width="1" height="5000"/></svg>')
    assert not thin.blank


def test_half_transparent_colours_lie_on_white(tmp_path):
    shape = '<rect width="9" height="9" fill="red" fill-opacity=".5"/>'
    seen = look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{shape}</svg>')
    np.testing.assert_allclose(seen.pixels[112, 112], (1, 0.5, 0.5), atol=0.01)


@pytest.mark.parametrize("family", ["", "Arial", "serif", "monospace", "No Such Font"])
def test_texts_are_drawn_whatever_fonts_there_are(tmp_path, family):
    text = f'<text x="5" y="60" font-size="40" font-family="{family}">Horse</text>'
    seen = look(tmp_path, f'<svg {SVG} viewBox="0 0 120 120">{text}</svg>')
    assert 0.03 < darkness(seen).mean() < 0.2
    assert seen.strokes is None


def test_our_own_sketches_are_drawn_by_our_rasteriser(tmp_path):
    ours = Sketch([[(10, 10), (90, 10), (10, 50), (90, 50)]], (100, 60), widths=4.0)
    seen = look(tmp_path, ours.to_svg())
    assert seen.ours
    expected = render(on_canvas(Sketch.from_svg(ours.to_svg())), 224)
    np.testing.assert_array_equal(np.rint(seen.pixels * 255).astype(np.uint8), expected)
    # What somebody added since is seen too.
    added = ours.to_svg().replace("</svg>", '<rect width="100" height="60"/></svg>')
    edited = look(tmp_path, added)
    assert not edited.ours
    assert edited.strokes is None
    assert darkness(edited)[112].min() > 0.99


def test_resvg_and_our_rasteriser_draw_strokes_alike(tmp_path):
    rng = np.random.default_rng(0)
    ours = Sketch(rng.random((8, 4, 2)) * 224, (224, 224), widths=3.0)
    theirs = ours.to_svg().replace("urn:clipasso:sketch", "urn:another")
    found, expected = look(tmp_path, theirs), look(tmp_path, ours.to_svg())
    assert (found.ours, expected.ours) == (False, True)
    assert np.abs(found.pixels - expected.pixels).mean() < 0.003


@pytest.mark.parametrize(
    "text",
    [
        f'<svg {SVG} viewBox="0 0 9 9"/>',
        f'<svg {SVG} viewBox="0 0 9 9"><rect width="9" height="9" fill="white"/></svg>',
        f'<svg {SVG} viewBox="0 0 9 9"><rect width="9" height="9"/></svg>',
        f'<svg {SVG} viewBox="0 0 9 9"><path d="M100 100h9" stroke="black"/></svg>',
        Sketch([[(50, 50), (60, 60)]], (9, 9)).to_svg(),
    ],
)
def test_blank_sheets_are_known(tmp_path, text):
    assert look(tmp_path, text).blank


# Files that nobody vouches for


@pytest.mark.parametrize(
    "href", ["{path}", "file://{path}", "red.png", "https://example.org/red.png", "data:image/png,"]
)
@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
def test_nothing_outside_the_file_is_read(tmp_path, monkeypatch, href, attribute):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    monkeypatch.chdir(tmp_path)
    link = href.format(path=tmp_path / "red.png")
    image = f'<image {attribute}="{link}" width="9" height="9"/>'
    seen = look(tmp_path, f'<svg {SVG} {XLINK} viewBox="0 0 9 9">{image}</svg>')
    assert seen.blank
    assert len(seen.lost) == 1


def test_drawings_within_drawings_read_nothing_either(tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    image = f'<image href="{tmp_path}/red.png" width="9" height="9"/>'
    inner = f'<svg {SVG} viewBox="0 0 9 9">{image}</svg>'
    for kind in ("svg+xml", "png"):  # whatever it says it is
        link = f"data:image/{kind};base64,{base64.b64encode(inner.encode()).decode()}"
        image = f'<image href="{link}" width="9" height="9"/>'
        assert look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{image}</svg>').blank


def test_links_that_people_click_are_no_loss(tmp_path):
    inside = '<a href="https://example.org"><rect width="5" height="5"/></a>'
    seen = look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{inside}</svg>')
    assert seen.lost == ()
    assert not seen.blank


def bomb():
    levels = "".join(f'<!ENTITY e{k + 1} "{f"&e{k};" * 10}">' for k in range(9))
    return f'<!DOCTYPE svg [<!ENTITY e0 "ha">{levels}]><svg {SVG}><text>&e9;</text></svg>'


def nested(depth, how):
    if how == "group":
        inside = '<g opacity=".9">' * depth + '<rect width="5" height="5"/>' + "</g>" * depth
    else:
        first = '<pattern id="p0" width="3" height="3"><rect width="9" height="9"/></pattern>'
        inside = first + "".join(
            f'<pattern id="p{k + 1}" width="3" height="3">'
            f'<rect fill="url(#p{k})" width="9" height="9"/></pattern>' for k in range(depth)
        ) + f'<rect fill="url(#p{depth})" width="5" height="5"/>'  # fmt: skip
    return f'<svg {SVG} viewBox="0 0 9 9">{inside}</svg>'


def used(levels):
    groups = "".join(
        f'<g id="a{k + 1}">{f"""<use href="#a{k}"/>""" * 10}</g>' for k in range(levels)
    )
    inside = f'<defs><rect id="a0" width="1" height="1"/>{groups}</defs><use href="#a{levels}"/>'
    return f'<svg {SVG} viewBox="0 0 9 9">{inside}</svg>'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no drawing", "not well-formed"),
        ("<html/>", "its root is 'html'"),
        (bomb(), "entities"),
        (f'<!DOCTYPE svg [<!ENTITY x SYSTEM "/etc/hosts">]><svg {SVG}>&x;</svg>', "entities"),
        (f'<!DOCTYPE svg [<!ENTITY x "{"ha" * 9_000}">]><svg {SVG}>{"&x;" * 9_000}</svg>',
         "entities"),
        (b"\x1f\x8b damaged", "damaged gzip"),
        (gzip.compress(b" " * 50_000_001), "larger than 50 MB"),
        (nested(500, "group"), "cannot be drawn (resvg fails on it)"),
        (nested(2000, "group"), "nested too deeply"),
        (nested(500, "pattern"), "cannot be drawn (resvg fails on it)"),
        (used(9), "nodes limit reached"),
        (f'<svg {SVG} width="-5" height="5"/>', "invalid size"),
    ],
)  # fmt: skip
def test_one_line_on_what_cannot_be_drawn(tmp_path, text, told):
    with pytest.raises(ClipassoError) as failure:
        look(tmp_path, text)
    message = str(failure.value)
    assert message.startswith(f"{tmp_path / 'sketch.svg'}: ")
    assert told in message
    assert "\n" not in message


def test_pictures_in_drawings_have_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(document, "MAX_PIXELS", 240 * 240 + 1)
    image = f'<image href="{embedded()}" width="9" height="9"/>'
    assert not look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{image}</svg>').blank
    with pytest.raises(ClipassoError, match="pictures of more than"):
        look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{image}{image}</svg>')


def test_no_drawing_takes_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign, "_LONGEST", 1)
    noise = '<feTurbulence baseFrequency="0.1" numOctaves="1000000"/>'
    shapes = f'<filter id="f">{noise}</filter><rect filter="url(#f)" width="9" height="9"/>'
    with pytest.raises(ClipassoError, match="takes longer than 1 s"):
        look(tmp_path, f'<svg {SVG} viewBox="0 0 9 9">{shapes}</svg>')


def test_many_strokes_are_measured_in_bounded_memory():
    rng = np.random.default_rng(0)
    sketch = Sketch(rng.random((600, 4, 2)) * 224, (224, 224), widths=8.0)
    ink_statistics(sketch[:2])  # compiled and imported
    tracemalloc.start()
    found = ink_statistics(sketch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.dead > 500
    assert peak < 100e6  # of that 60 in 16 bits; once 240 and more in 32


# The command


@pytest.fixture
def photos(tmp_path):
    """Rings and bars of two photos of one class."""
    folder = tmp_path / "photos" / "ring"
    folder.mkdir(parents=True)
    dark = Image.fromarray(np.uint8(255 - 200 * as_drawn(120)))
    for name, turned in (
        ("one.JPG", dark),
        ("two.jfif", dark.transpose(Image.Transpose.ROTATE_180)),
    ):
        turned.convert("RGB").save(folder / name, format="JPEG")
    return folder.parent


def evaluate(photos, out, *sketches):
    more = [part for folder in sketches for part in ("--sketches", str(folder))]
    status = run(
        ["evaluate", str(photos), "-o", str(out), "--judge", "edges", "--mask", "none", *more]
    )
    return status, json.loads((out / "evaluation.json").read_text("utf-8"))


def test_foreign_drawings_are_recognised_and_shown_as_they_look(tmp_path, photos):
    folders = []
    for program in ("potrace", "LIVE", "clipasso, official"):
        folder = tmp_path / program
        folder.mkdir()
        (folder / "one.SVG").write_bytes(encoded(program))
        folders.append(folder)
    status, report = evaluate(photos, tmp_path / "out", *folders)
    assert status == 0
    assert len(report["sketches"]) == 3
    for sketch in report["sketches"]:
        assert sketch["instance"]["edge agreement"]["rank"] == 1
        assert (sketch["ink"] is not None) == (sketch["series"] == "clipasso, official")
    assert any("LIVE: 1 of the sketches is judged as they look" in n for n in report["notes"])
    page = (tmp_path / "out" / "evaluation.html").read_text("utf-8")
    assert "<svg" not in page
    shown = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(shown) == 3
    for text in shown:
        (tmp_path / "shown.png").write_bytes(base64.b64decode(text))
        assert np.abs(darkness(see_sketch(tmp_path / "shown.png")) - as_drawn()).mean() < 0.02


def test_endings_in_upper_case_count_for_sketches_too(tmp_path, photos):
    drawings = tmp_path / "drawings" / "ring"
    drawings.mkdir(parents=True)
    Image.fromarray(np.uint8(255 * (1 - as_drawn()))).save(drawings / "one.JPEG")
    Image.fromarray(np.uint8(255 * (1 - as_drawn()))).save(drawings / "two.Jfif", format="JPEG")
    (drawings / "one.SvgZ").write_bytes(gzip.compress(encoded("potrace")))
    status, report = evaluate(photos, tmp_path / "out", drawings.parent)
    assert status == 0
    found = sorted(sketch["file"].rpartition("/")[2] for sketch in report["sketches"])
    assert found == ["one.SvgZ", "two.Jfif"]  # of two sketches of a photo the drawing
    assert not any("passed over" in note for note in report["notes"])


def test_what_is_passed_over_is_named(tmp_path, photos, capsys):
    (photos / "ring" / "notes.txt").touch()
    (photos / "ring" / ".hidden").touch()
    (photos / "ring" / "old").mkdir()
    shutil.copy(photos / "ring" / "one.JPG", photos / "loose.jpg")
    drawings = tmp_path / "drawings"
    (drawings / "other").mkdir(parents=True)
    (drawings / "one.svg").write_bytes(encoded("LIVE"))
    (drawings / "one.json").write_text("{}")
    (drawings / "one.psd").touch()
    for k in range(7):
        (drawings / f"typo{k}.svg").write_bytes(encoded("LIVE"))
    (drawings / "other" / "two.svg").write_bytes(encoded("LIVE"))
    status, report = evaluate(photos, tmp_path / "out", drawings)
    assert status == 0
    told = capsys.readouterr().err
    for line in (
        f"{photos}: passed over, as no photos in class folders: "
        "loose.jpg, ring/notes.txt, ring/old/",
        "drawings: no sketch of ring/two.jfif",
        f"{drawings}: passed over, as no sketches or of no photo: "
        "other/two.svg, typo0.svg, typo1.svg, typo2.svg, typo3.svg and 3 more",
    ):
        assert f"clipasso: {line}\n" in told
        assert line in report["notes"]


def test_blank_sketches_and_lost_links_are_told_in_a_line(tmp_path, photos, capsys):
    drawings = tmp_path / "drawings" / "ring"
    drawings.mkdir(parents=True)
    (drawings / "one.svg").write_text(f'<svg {SVG} viewBox="0 0 9 9"/>')
    (drawings / "two.svg").write_text(
        f'<svg {SVG} viewBox="0 0 9 9"><image href="a.png" width="9" height="9"/></svg>'
    )
    status, report = evaluate(photos, tmp_path / "out", drawings.parent)
    assert status == 0
    told = capsys.readouterr().err
    for line in (
        "drawings: 2 of the sketches are blank, and judged as blank sheets: "
        "ring/one.svg, ring/two.svg",
        "drawings: 1 of the sketches is drawn without the other files that they show: "
        "ring/two.svg (a.png)",
    ):
        assert line in told
        assert line in report["notes"]


def test_a_drawing_that_crashes_resvg_costs_no_other(tmp_path, photos, capsys):
    drawings = tmp_path / "drawings" / "ring"
    drawings.mkdir(parents=True)
    (drawings / "one.svg").write_text(nested(500, "group"))
    (drawings / "two.svg").write_bytes(encoded("LIVE"))
    status, report = evaluate(photos, tmp_path / "out", drawings.parent)
    assert status == 2
    assert [sketch["photo"] for sketch in report["sketches"]] == ["ring/two.jfif"]
    assert "one.svg: cannot be drawn" in capsys.readouterr().err


def test_coloured_sketches_stay_coloured_on_the_page(tmp_path, photos):
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    picture = Image.new("RGB", (50, 50), "white")
    ImageDraw.Draw(picture).line((5, 5, 45, 45), fill="red", width=5)
    picture.save(drawings / "one.png")
    evaluate(photos, tmp_path / "out", drawings)
    page = (tmp_path / "out" / "evaluation.html").read_text("utf-8")
    text = re.search(r"data:image/png;base64,([^\"]+)", page)[1]
    (tmp_path / "shown.png").write_bytes(base64.b64decode(text))
    with Image.open(tmp_path / "shown.png") as shown:
        red, green, blue = shown.convert("RGB").getpixel((112, 112))
        assert red > 250
        assert max(green, blue) < 30


def test_lists_of_names_stay_short():
    assert listed(["a"]) == "a"
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
