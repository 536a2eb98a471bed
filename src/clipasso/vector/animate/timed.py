"""Strokes that move, as an SVG that browsers animate.

SMIL does it, since style sheets cannot change the shape of a path in all browsers. It cannot ask
whether motion is welcome, so there are two groups: the finished sketch, which everybody sees, and
the moving one, hidden; a style sheet changes the two over where nobody has asked for less motion.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.animate.steps import corners
from clipasso.vector.animate.styled import MOTION_ALLOWED
from clipasso.vector.bezier import FloatArray
from clipasso.vector.svg import limits
from clipasso.vector.svg.write import ROUND, attributes, write_svg

if TYPE_CHECKING:
    from clipasso.vector.animate.moving import Moving
    from clipasso.vector.sketch import Sketch

__all__ = ["moving_svg"]

_CLOSE = 1 / 2000  # of the canvas's longer side, and of a colour's range: how far motion may be off
_EVEN, _SMOOTH = "0 0 1 1", "0.3333 0 0.6667 1"  # the latter is `smooth`, as a Bezier of time


def moving_svg(film: Moving, loop: int) -> str:
    """The text of the file; see `Moving.to_svg`."""
    content = f"{film.duration} {loop}".encode() + film.poses[0].points.tobytes()
    key = "m" + hashlib.sha256(content).hexdigest()[:6]
    sheet = (
        f"{MOTION_ALLOWED}{{\n.{key}-still{{display:none}}\n.{key}-moving{{display:inline}}\n}}\n"
    )
    paths = "".join(_path(film, track, loop) for track in range(len(film.poses[-1])))
    # Our reader knows by the mark that nothing is lost with what is hidden there.
    moving = (
        f'  <g clipasso:moving="yes" class="{key}-moving" display="none" {ROUND}>\n{paths}  </g>\n'
    )
    text = write_svg(film.still, style=sheet, group=f'class="{key}-still"', after=moving)
    if len(text) > limits.MAX_BYTES:
        raise ClipassoError("has too many strokes for an animated SVG; write a GIF, WebP or MP4")
    return text


def _path(film: Moving, track: int, loop: int) -> str:
    """One stroke as it is at the end, and how it comes there."""
    texts = [attributes(pose, track) for pose in film.poses]
    values = _values(film.poses, track)
    times, poses = film.stops
    inside = ""
    for name, numbers in values.items():
        if (numbers == numbers[0]).all():
            continue
        chosen = np.arange(len(times))
        if not film.eased:
            chosen = corners(times, numbers[poses], _CLOSE)
        shown = ";".join(texts[k][name] for k in poses[chosen])
        share = ";".join(f"{t / film.duration:.6f}".rstrip("0").rstrip(".") for t in times[chosen])
        ease = ""
        if film.eased:
            splines = (_EVEN if a == b else _SMOOTH for a, b in pairwise(poses))
            ease = f' calcMode="spline" keySplines="{";".join(splines)}"'
        inside += (
            f'<animate attributeName="{name}" dur="{film.duration:.6g}s" '
            f'repeatCount="{loop or "indefinite"}" fill="freeze"{ease} '
            f'keyTimes="{share}" values="{shown}"/>'
        )
    looks = " ".join(f'{name}="{value}"' for name, value in texts[-1].items())
    return f"    <path {looks}>{inside}</path>\n"


def _values(poses: tuple[Sketch, ...], track: int) -> dict[str, FloatArray]:
    """One stroke's attributes as numbers, `[poses, any]`; lengths in parts of the canvas."""
    unit = max(poses[0].size)
    return {
        "d": np.stack([pose.points[track].ravel() for pose in poses]) / unit,
        "stroke": np.stack([pose.colors[track] for pose in poses]),
        "stroke-width": np.stack([pose.widths[track : track + 1] for pose in poses]) / unit,
        "stroke-opacity": np.stack([pose.opacities[track : track + 1] for pose in poses]),
    }
