"""A drawing as an SVG that browsers draw stroke by stroke.

A style sheet does it, not SMIL, for three reasons. What it says stands inside a media query, so
that nothing moves for those who have asked their system for less motion: they see the finished
drawing at once, and SMIL knows no such question. The paths stay what they are, finished, so that
every program without animation, our reader among them, sees the sketch. And a dash as long as the
path, moved along it, is a single number over time, which style sheets animate in all browsers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.animate.steps import corners
from clipasso.vector.svg import limits
from clipasso.vector.svg.write import write_svg

if TYPE_CHECKING:
    from clipasso.vector.animate.drawn import Drawing

__all__ = ["MOTION_ALLOWED", "drawn_svg"]

MOTION_ALLOWED = "@media (prefers-reduced-motion: no-preference)"

_CLOSE = (0.005, 0.02, 0.05, 1.0)  # of a stroke's length; rougher where the sheet grows too long


def drawn_svg(drawing: Drawing, loop: int) -> str:
    """The text of the file; see `Drawing.to_svg`."""
    sketch = drawing.still
    content = f"{drawing.seconds} {drawing.duration} {loop}".encode() + sketch.points.tobytes()
    key = "d" + hashlib.sha256(content).hexdigest()[:6]
    for tolerance in _CLOSE:
        sheet = _sheet(drawing, loop, key, tolerance)
        if len(sheet) <= limits.MAX_CSS:
            break
    else:
        raise ClipassoError(
            f"has {len(sketch)} strokes, too many for an animated SVG; write a GIF, WebP or MP4"
        )
    each = [f'class="{key}-{k}" pathLength="1"' for k in range(len(sketch))]
    return write_svg(sketch, each=each, style=sheet)


def _sheet(drawing: Drawing, loop: int, key: str, tolerance: float) -> str:
    """The style sheet: names begin with `key`, since a page may hold several sketches."""
    whole = drawing.duration
    moving, frames = "", ""
    # Both ways of filling: hidden until its turn, and as it is after the last time.
    timing = f"{whole:.6g}s linear {loop or 'infinite'} both"
    dots = drawing.still.lengths() <= 0
    for k, dot in enumerate(dots.tolist()):
        name = f"{key}-{k}"
        dash = "" if dot else "stroke-dasharray:1;"
        moving += f".{name}{{{dash}animation:{name} {timing}}}\n"
        frames += f"@keyframes {name}{{{_keyframes(drawing, k, dot, tolerance)}}}\n"
    return f"{MOTION_ALLOWED}{{\n{moving}}}\n{frames}"


def _keyframes(drawing: Drawing, stroke: int, dot: bool, tolerance: float) -> str:
    """Those of one stroke: hidden until it begins, and then so much of it as is drawn."""
    pace = drawing.pace
    start, end = pace.starts[stroke], pace.ends[stroke]
    moments, drawn = pace.moments[stroke], pace.lengths[stroke]
    chosen = [0, len(moments) - 1] if dot else corners(moments, drawn, tolerance)
    times = (start + (end - start) * moments[chosen]) * drawing.seconds / drawing.duration
    marks = [f"{_number(100 * t)}%" for t in times]
    offsets = [_number(1 - x) for x in drawn[chosen]]
    # A round end would show at the beginning of a dash of no length: until then nothing does. In
    # between `visibility` is visible, and a moment that is written twice would undo that.
    first = "0%" if marks[0] == "0%" else f"0%,{marks[0]}"
    last = "100%" if marks[-1] == "100%" else f"{marks[-1]},100%"
    text = f"{first}{{visibility:hidden;stroke-dashoffset:1}}"
    for mark, offset in dict(zip(marks, offsets, strict=True)).items():
        if mark not in (marks[0], marks[-1]):
            text += f"{mark}{{stroke-dashoffset:{offset}}}"
    return text + f"{last}{{visibility:visible;stroke-dashoffset:0}}"


def _number(value: float) -> str:
    return f"{np.clip(value, 0, 100):.5f}".rstrip("0").rstrip(".")
