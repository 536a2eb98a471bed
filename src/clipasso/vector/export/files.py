"""A sketch in any of the formats, as bytes or as a file."""

from __future__ import annotations

import os
from math import floor, log10
from pathlib import Path

from clipasso.errors import ClipassoError
from clipasso.vector.lengths import MM_PER_PX, millimetres
from clipasso.vector.plot.paper import Laid, lay
from clipasso.vector.safe_write import write_atomically
from clipasso.vector.sketch import Sketch

__all__ = ["FORMATS", "export", "exported", "format_of"]

FORMATS = ("pdf", "png", "svg", "json", "ndjson", "dxf")

_SIZED = ("png", "pdf", "dxf")
_LARGEST = 5080.0  # mm: 200 inches, as far as PDF pages go


def export(
    sketch: Sketch,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    size: int | str | None = None,
    transparent: bool = False,
    paper: str | None = None,
    margin: float | str | None = None,
) -> Path:
    """Write a sketch as PDF, PNG, SVG, JSON, QuickDraw's NDJSON or DXF, all or nothing.

    Args:
        path: its suffix says the format, unless that is given.
        format: one of `FORMATS`.
        size: of the longer side: pixels for PNG (1024), a length such as `120mm` for PDF and DXF
            (where a px is 1/96 inch by default).
        transparent: a PNG without the white ground.
        paper: of a PDF to print, `a6` to `a3`, `letter`, `legal` or `200x150mm`: the sketch in its
            middle, as large as fits, and a paper with a name turned so that it becomes larger.
        margin: kept free on all sides of the paper (15 mm).

    Returns:
        The path.

    Raises:
        ClipassoError: an unknown format, an option that it does not have, a sketch without strokes
            to be seen, ezdxf missing for DXF, or a file that cannot be written.
    """
    kind = format_of(path) if format is None else format
    data = exported(sketch, kind, size=size, transparent=transparent, paper=paper, margin=margin)
    write_atomically(path, data)
    return Path(path)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix says.

    Raises:
        ClipassoError: none that is known.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise ClipassoError(
            f"{os.fspath(path)}: its suffix must be .{', .'.join(FORMATS)}; or give a --format"
        )
    return suffix


def exported(
    sketch: Sketch, format: str, *, size: int | str | None = None, transparent: bool = False,
    paper: str | None = None, margin: float | str | None = None,
) -> bytes:  # fmt: skip
    """The bytes of the file that `export` writes.

    Raises:
        ClipassoError: as `export`.
    """
    if format not in FORMATS:
        raise ClipassoError(f"--format {format}: must be {', '.join(FORMATS)}")
    if size is not None and format not in _SIZED:
        raise ClipassoError(f"--size: is for {', '.join(_SIZED)}; {format} has the sketch's own")
    if transparent and format != "png":
        raise ClipassoError(f"--transparent: is for png; {format} has no ground anyway")
    if paper is not None and format != "pdf":
        raise ClipassoError(f"--paper: is for pdf, not {format}; see clipasso plot for SVG")
    if paper is not None and size is not None:
        raise ClipassoError("--paper and --size: both say how large the page is; give one of them")
    if margin is not None and paper is None:
        raise ClipassoError("--margin: is on paper; say which with --paper")
    if not len(sketch):
        raise ClipassoError("has no strokes to export")
    if format == "png":
        from clipasso.vector.export.png import write_png

        return write_png(sketch, _pixels(size), transparent=transparent)
    if format == "pdf":
        from clipasso.vector.export.pdf import write_pdf

        laid = None if paper is None else _laid(sketch, paper, 15.0 if margin is None else margin)
        return write_pdf(sketch, _mm_per_px(sketch, size), laid)
    if format == "dxf":
        from clipasso.vector.export.dxf import write_dxf

        return write_dxf(sketch, _mm_per_px(sketch, size)).encode()
    if format == "json":
        return sketch.to_json().encode()
    if format == "ndjson":
        from clipasso.vector.export.quickdraw import write_quickdraw

        return write_quickdraw(sketch).encode()
    from clipasso.vector.svg import write_svg

    # Two decimals are 1/100 px on a canvas of 224; a canvas of a few units needs more.
    return write_svg(sketch, decimals=max(2, 4 - floor(log10(max(sketch.size))))).encode()


def _laid(sketch: Sketch, paper: str, margin: float | str) -> Laid:
    return lay(
        (0.0, 0.0), sketch.size, paper=paper, orientation="auto",
        margin=millimetres(margin, "--margin"), pen=0.0, thickest=0.0,
    )  # fmt: skip


def _pixels(size: int | str | None) -> int:
    from clipasso.vector.render import PNG_SIDE

    if size is None:
        return PNG_SIDE
    try:
        return int(size)
    except ValueError:
        raise ClipassoError(f"--size {size}: must be a number of pixels for png") from None


def _mm_per_px(sketch: Sketch, size: int | str | None) -> float:
    if size is None:
        side = max(sketch.size) * MM_PER_PX
    elif isinstance(size, str) and size.strip()[-1:].isalpha():
        side = millimetres(size, "--size")
    else:
        raise ClipassoError(f"--size {size}: needs a unit for pdf and dxf, such as 120mm or 5in")
    if size is not None and not 0 < side <= _LARGEST:
        raise ClipassoError(f"--size {size}: must be above 0 and at most {_LARGEST:g} mm")
    return side / max(sketch.size)
