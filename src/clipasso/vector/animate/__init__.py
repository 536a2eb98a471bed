"""Sketches in motion: drawn stroke by stroke, turned into one another, or as they came about.

An `Animation` has a sketch at every moment; `files` writes it as SVG, HTML, GIF, WebP or MP4.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.vector.animate.film import Animation

__all__ = ["animate", "see_strokes"]

_MOST = 2000  # strokes of which each may become any other


def animate(
    *sketches: Sketch | str | os.PathLike[str], seconds: float = 4.0, hold: float = 1.0
) -> Animation:
    """Set a sketch, or several, in motion.

    One is drawn stroke by stroke, at the pace of a hand (`clipasso.vector.animate.pace`). Several
    turn into one another, stroke by stroke (`clipasso.vector.animate.morph`).

        >>> clipasso.animate("cat.svg").save("cat.gif")
        >>> clipasso.animate("32.svg", "16.svg", "8.svg", seconds=6).save("levels.mp4")

    Args:
        sketches: at least one, or paths of SVG files, ours or not.
        seconds: of all motion together, 0.1 to 600.
        hold: seconds for which the finished drawing, or each of several sketches, is held, 0 to
            600.

    Returns:
        An animation: `save` and `encode` make files, `at` a sketch for any moment.

    Raises:
        ClipassoError: a file that cannot be read, a sketch without strokes, or a time out of range.

    Warns:
        SvgWarning: of each kind of thing that was left out of a file.
    """
    from clipasso.vector.animate.film import check_seconds

    if not sketches:
        raise ClipassoError("animate: takes at least one sketch")
    read = [one if isinstance(one, Sketch) else Sketch.open(one) for one in sketches]
    for given, sketch in zip(sketches, read, strict=True):
        name = "the sketch" if isinstance(given, Sketch) else os.fspath(given)
        see_strokes(sketch, name, alone=len(read) == 1)
    check_seconds("--seconds", seconds)
    check_seconds("--hold", hold, 0)
    if len(read) == 1:
        from clipasso.vector.animate.drawn import Drawing

        return Drawing(read[0], seconds, hold)
    from clipasso.vector.animate.morph import morph

    return morph(read, seconds, hold)


def see_strokes(sketch: Sketch, name: str, alone: bool) -> None:
    """See that there is something to set in motion.

    Args:
        name: of the sketch, for messages.
        alone: whether there is no other for it to turn into.

    Raises:
        ClipassoError: it has no strokes, or more than can be matched with another's.
    """
    if not len(sketch):
        raise ClipassoError(f"{name}: has no strokes to draw; give its shapes a stroke")
    if not alone and len(sketch) > _MOST:
        raise ClipassoError(
            f"{name}: has {len(sketch)} strokes, and more than {_MOST} cannot be matched with "
            "another sketch's; animate it alone, or simplify it"
        )
