"""Sheets of paper and how a drawing is laid on one."""

import re
from typing import NamedTuple

from clipasso.errors import ClipassoError
from clipasso.vector.lengths import millimetres

__all__ = ["ORIENTATIONS", "PAPERS", "Laid", "lay", "paper_size"]

PAPERS = {
    "a6": (105.0, 148.0),
    "a5": (148.0, 210.0),
    "a4": (210.0, 297.0),
    "a3": (297.0, 420.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
}
"""Width and height, mm, upright."""

ORIENTATIONS = ("auto", "portrait", "landscape")

_LARGEST = 100_000.0  # mm

_OWN = re.compile(r"([0-9.]+)x([0-9.]+) *(mm|cm|in)", re.IGNORECASE)


class Laid(NamedTuple):
    """A page, and how a drawing lies on it: `scale` times a point and `offset` more, mm."""

    page: tuple[float, float]
    scale: float
    offset: tuple[float, float]


def paper_size(name: str) -> tuple[float, float]:
    """Width and height of a sheet, mm: upright for a name, as given for `WxHmm`.

    Raises:
        ClipassoError: no such paper, or one of no size.
    """
    if (known := PAPERS.get(name.strip().lower())) is not None:
        return known
    match = _OWN.fullmatch(name.strip())
    if match is None:
        names = ", ".join(PAPERS)
        raise ClipassoError(f"--paper {name}: must be {names} or a size such as 200x150mm")
    width, height = (millimetres(match[n] + match[3], "--paper") for n in (1, 2))
    if not 0 < min(width, height) <= max(width, height) <= _LARGEST:
        raise ClipassoError(f"--paper {name}: must be larger than 0 and at most 100 m")
    return width, height


def lay(
    low: tuple[float, float],
    size: tuple[float, float],
    *,
    paper: str,
    orientation: str,
    margin: float,
    pen: float,
    thickest: float,
) -> Laid:
    """Lay a box into the middle of a page, as large as fits, so that no ink is in the margins.

    Args:
        low: its lower corner, px.
        size: its width and height, px, of which not both are 0. Centre lines stay within.
        paper: a name of `PAPERS` or `WxHmm`.
        orientation: one of `ORIENTATIONS`; `auto` turns a paper with a name to where the box
            becomes larger, and leaves one of a size given as it is.
        margin: on all sides, mm.
        pen: its width, mm.
        thickest: the width of the thickest stroke, px, where ink becomes as wide as that; else 0.

    Raises:
        ClipassoError: an unknown paper or orientation; margins that leave nothing.
    """
    if orientation not in ORIENTATIONS:
        raise ClipassoError(f"--landscape {orientation}: must be {', '.join(ORIENTATIONS)}")
    given = paper_size(paper)
    upright, across = (min(given), max(given)), (max(given), min(given))
    if orientation == "auto":
        pages = [upright, across] if paper.strip().lower() in PAPERS else [given]
    else:
        pages = [upright if orientation == "portrait" else across]

    def scale(page: tuple[float, float]) -> float:
        free = [side - 2 * margin for side in page]
        if min(free) <= pen:
            raise ClipassoError(
                f"--margin {margin:g}mm: leaves no room for a pen of {pen:g} mm on paper of "
                f"{page[0]:g} x {page[1]:g} mm; give a smaller margin or a larger paper"
            )
        sides = [*zip(free, size, strict=True)]
        for_pen = [(room - pen) / side for room, side in sides if side > 0]
        return min(for_pen + [room / (side + thickest) for room, side in sides if side + thickest])

    page = max(pages, key=scale)  # the first of equals
    factor = scale(page)
    left, top = (
        (side - factor * extent) / 2 - factor * corner
        for side, extent, corner in zip(page, size, low, strict=True)
    )
    return Laid(page, factor, (left, top))
