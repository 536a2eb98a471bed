"""Strokes in the colours of a picture beneath them: medians, palettes, and what can be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray
from clipasso.vector.brushes.trace import Trace
from clipasso.vector.sketch import Sketch

__all__ = ["from_lab", "legible", "luminance", "medians", "palette", "to_lab"]

_ACROSS = np.linspace(-0.4, 0.4, 5)  # of a stroke's width: where its ink is looked beneath
_POINTS = 2000  # along a stroke, at most
_GROUND = 8.0  # in Lab: colours nearer than that to the paper's are taken for it
_ENOUGH = 0.2  # of a stroke's ink: so much that is no ground speaks for all of it
_ROUNDS = 100
_STARTS = 12


def medians(sketch: Sketch, pixels: NDArray[np.floating], paper: ArrayLike) -> FloatArray:
    """The colour of a picture beneath each stroke, the median in Lab.

    It is the geometric median, which is near to most of the pixels: medians by channel can make a
    colour that is nowhere, as purple of blue and orange.

    Outlines run along the border of a thing, half of them on the ground beside it. So what has the
    paper's colour is left out where at least a fifth of a stroke's ink lies on something else.

    Args:
        sketch: whose canvas covers the picture.
        pixels: `[height, width, 3]`, sRGB in 0..1.
        paper: sRGB in 0..1.

    Returns:
        `[strokes, 3]` in Lab; not a number for strokes that lie beside the picture.
    """
    height, width = pixels.shape[:2]
    lab, ground = to_lab(pixels), to_lab(paper)
    laid = sketch.scaled((width / sketch.size[0], height / sketch.size[1]))
    found = np.full((len(sketch), 3), np.nan)
    for k, line in enumerate(laid.flatten()):
        whole = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
        trace = Trace.of(line, step=max(1.0, whole / _POINTS))
        normals = trace.headings[:, ::-1] * (-1.0, 1.0)
        across = _ACROSS[:, None, None] * max(float(laid.widths[k]), 1.0)
        points = (trace.points + across * normals).reshape(-1, 2)
        points = points[((points >= 0) & (points <= (width, height))).all(1)]
        if not len(points):
            continue
        # Whole pixels: between two there are colours that the picture does not have.
        columns, rows = np.minimum(points.astype(np.intp), (width - 1, height - 1)).T
        under = lab[rows, columns]
        thing = np.linalg.norm(under - ground, axis=1) > _GROUND
        found[k] = _geometric_median(under[thing] if thing.mean() >= _ENOUGH else under)
    return found


def palette(colors: FloatArray, weights: FloatArray, count: int) -> NDArray[np.intp]:
    """Which of at most `count` groups of like colours each belongs to: k-means, always the same.

    SciPy's k-means knows no weights, and begins at random.

    Args:
        colors: `[n, 3]`, Lab.
        weights: `[n]`, above 0.
        count: 1 or more.

    Returns:
        `[n]`, from 0 without gaps.
    """
    # Where it ends depends on where it starts: from each of the heaviest, the best is taken.
    starts = np.argsort(-weights, kind="stable")[:_STARTS]
    tried = [_grouped(colors, weights, count, int(start)) for start in starts]
    groups = min(tried, key=lambda one: one[0])[1]
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.intp)


def _grouped(
    colors: FloatArray, weights: FloatArray, count: int, start: int
) -> tuple[float, NDArray[np.intp]]:
    """Groups by Lloyd's iteration, from one colour and those farthest for their weight; how far."""
    centres = colors[[start]]
    while len(centres) < count:
        apart = _distances(colors, centres).min(axis=1)
        if not apart.any():
            break
        centres = np.concatenate([centres, colors[[(weights * apart**2).argmax()]]])
    groups = _distances(colors, centres).argmin(axis=1)
    for _ in range(_ROUNDS):
        for group in np.unique(groups):
            of = groups == group
            centres[group] = np.average(colors[of], axis=0, weights=weights[of])
        moved = _distances(colors, centres).argmin(axis=1)
        if (moved == groups).all():
            break
        groups = moved
    apart = np.linalg.norm(colors - centres[groups], axis=1)
    return float(weights @ apart**2), groups


def legible(color: ArrayLike, paper: ArrayLike, contrast: float) -> FloatArray:
    """A colour, darker or lighter as far as it must be to stand out from the paper.

    Its hue stays, and its chroma falls with the lightness that it loses.

    Args:
        color, paper: `[3]`, sRGB in 0..1.
        contrast: the least ratio of WCAG 2 between them, 1 to 21.

    Raises:
        ClipassoError: neither black nor white has that contrast to the paper.
    """
    color, paper = np.array(color, np.float64), np.array(paper, np.float64)
    if _contrast(color, paper) >= contrast:
        return color
    black, white = np.zeros(3), np.array([100.0, 0.0, 0.0])
    darker = [black, white] if luminance(color) <= luminance(paper) else [white, black]
    for extreme in darker:
        if _contrast(from_lab(extreme), paper) < contrast:
            continue
        lab, near, far = to_lab(color), 0.0, 1.0
        for _ in range(30):
            middle = (near + far) / 2
            mixed = from_lab(lab + middle * (extreme - lab))
            near, far = (near, middle) if _contrast(mixed, paper) >= contrast else (middle, far)
        # Files keep eight bits a channel: rounded away from the paper.
        levels = from_lab(lab + far * (extreme - lab)) * 255
        return np.asarray((np.floor(levels) if extreme is black else np.ceil(levels)) / 255)
    raise ClipassoError(
        f"--contrast {contrast:g}: no colour has that on such a paper; ask for less"
    )


def to_lab(colors: ArrayLike) -> FloatArray:
    """sRGB in 0..1 `[..., 3]` to CIE Lab (D65)."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(np.asarray(colors, np.float64)))


def from_lab(lab: ArrayLike) -> FloatArray:
    """CIE Lab (D65) `[..., 3]` to sRGB in 0..1; what sRGB cannot show is brought to its border."""
    from skimage.color import lab2xyz, xyz2rgb

    return np.asarray(np.clip(np.asarray(xyz2rgb(lab2xyz(np.asarray(lab, np.float64)))), 0, 1))


def _geometric_median(points: FloatArray) -> FloatArray:
    """The point with the least sum of distances to `[n, 3]`, by Weiszfeld's iteration."""
    middle = np.median(points, axis=0)
    for _ in range(_ROUNDS):
        closeness = 1 / np.maximum(np.linalg.norm(points - middle, axis=1), 0.1)
        moved = np.average(points, axis=0, weights=closeness)
        if np.linalg.norm(moved - middle) < 0.01:
            break
        middle = moved
    return np.asarray(moved)


def luminance(colors: ArrayLike) -> FloatArray:
    """The relative luminance of WCAG 2, 0..1 `[...]`, of sRGB in 0..1 `[..., 3]`."""
    values = np.asarray(colors, np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def _distances(colors: FloatArray, centres: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(colors[:, None] - centres, axis=2))


def _contrast(one: FloatArray, other: FloatArray) -> float:
    low, high = sorted((float(luminance(one)), float(luminance(other))))
    return (high + 0.05) / (low + 0.05)
