"""A sketch as a value: some Bezier strokes on a canvas, and the geometry of such strokes."""

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from math import isfinite, sqrt
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from clipasso.errors import ClipassoError
from clipasso.vector.bezier import FloatArray, bernstein, longest_inside, room, split
from clipasso.vector.safe_write import write_atomically

__all__ = ["Sketch", "SvgWarning", "open_sketch", "read_sketch", "read_svg"]

_PER_STROKE = ("points", "widths", "colors", "opacities")


class SvgWarning(UserWarning):
    """A part of an SVG that is no stroke, or cannot be kept as one, was left out on reading."""


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Sketch:
    """Bezier strokes on a canvas, in drawing order. Immutable, down to its read-only arrays.

    A stroke is a chain of `segments` Bezier segments of one `degree`, which share their end points.
    Lengths are in px of the sketch's own canvas, x to the right and y down; points may lie outside.
    """

    points: FloatArray  # [strokes, degree * segments + 1, 2]
    size: tuple[float, float]  # width and height of the canvas
    degree: int  # 1 (lines), 2 (quadratic) or 3 (cubic)
    widths: FloatArray  # [strokes], >= 0
    colors: FloatArray  # [strokes, 3], RGB in 0..1
    opacities: FloatArray  # [strokes] in 0..1
    metadata: Mapping[str, str]  # where the sketch comes from: "photo", "title", ...

    def __init__(
        self,
        points: ArrayLike,
        size: tuple[float, float],
        degree: int | None = None,
        *,
        widths: ArrayLike = 3.0,
        colors: ArrayLike = (0.0, 0.0, 0.0),
        opacities: ArrayLike = 1.0,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Check and copy everything; the default `degree` makes each stroke a single segment.

        `widths`, `colors` and `opacities` hold one value a stroke, or one for all strokes.
        Raises ClipassoError for a wrong shape, a number out of range, or one that is not finite.
        """
        xy = _numbers("points", points)
        if xy.ndim != 3 or xy.shape[1] < 2 or xy.shape[2] != 2:
            raise ClipassoError(f"points must have the shape [strokes, 2.., 2], not {xy.shape}")
        count, steps = len(xy), xy.shape[1] - 1
        degree = steps if degree is None else degree
        if degree not in (1, 2, 3) or steps % degree:
            need = f"1, 2 or 3 and divide points per stroke - 1 = {steps}"
            raise ClipassoError(f"degree must be {need}; it is {degree}")
        canvas = _numbers("size", size)
        if canvas.shape != (2,) or not (canvas > 0).all():
            raise ClipassoError(f"size must be a width and a height above 0, not {size}")
        values = {
            "points": xy,
            "size": (float(canvas[0]), float(canvas[1])),
            "degree": int(degree),
            "widths": _per_stroke("widths", widths, count, (), np.inf),
            "colors": _per_stroke("colors", colors, count, (3,), 1.0),
            "opacities": _per_stroke("opacities", opacities, count, (), 1.0),
            "metadata": MappingProxyType(dict(metadata or {})),
        }
        if not all(isinstance(text, str) for pair in (metadata or {}).items() for text in pair):
            raise ClipassoError("metadata must map strings to strings")
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[object, ...]:
        # A mappingproxy cannot be pickled, and arrays would not come back read-only.
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return partial(Sketch, **{**values, "metadata": dict(self.metadata)}), ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        if (self.size, self.degree, self.metadata) != (other.size, other.degree, other.metadata):
            return False
        pairs = ((getattr(self, name), getattr(other, name)) for name in _PER_STROKE)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]  # equal by value, and arrays have no cheap hash

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int | slice) -> "Sketch":
        """The stroke at `index`, or a slice of the strokes, on the same canvas."""
        return self.select(np.atleast_1d(np.arange(len(self))[index]))

    def __iter__(self) -> Iterator["Sketch"]:
        """One sketch for each stroke."""
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        parts = f"strokes {len(self)}, segments {self.segments}, degree {self.degree}"
        return f"<Sketch {self.size[0]:g} x {self.size[1]:g}: {parts}>"

    @property
    def segments(self) -> int:
        """Bezier segments in each stroke."""
        return int(self.points.shape[1] - 1) // self.degree

    @property
    def controls(self) -> FloatArray:
        """Control points of every segment, `[strokes, segments, degree + 1, 2]`."""
        first = np.arange(self.segments)[:, None] * self.degree
        return self.points[:, first + np.arange(self.degree + 1)]

    def evaluate(self, t: ArrayLike) -> FloatArray:
        """Points at the parameters `t` `[m]` in 0..1, each segment an equal share of that range.

        Returns `[strokes, m, 2]`. Raises ClipassoError for a parameter outside 0..1.
        """
        u = _numbers("t", t)
        if u.ndim != 1 or not ((u >= 0) & (u <= 1)).all():
            raise ClipassoError("t must be a list of numbers in 0..1")
        segment = np.minimum((u * self.segments).astype(np.intp), self.segments - 1)
        basis = bernstein(self.degree, u * self.segments - segment)
        return np.asarray(np.einsum("md,nmdc->nmc", basis, self.controls[:, segment]))

    def flatten(self, tolerance: float = 0.1) -> list[FloatArray]:
        """Polylines `[2 or more, 2]`, one a stroke, nowhere further than `tolerance` px from it."""
        _positive("tolerance", tolerance)
        controls, degree = self.controls, self.degree
        # A chord over a step h strays at most h^2 / 8 max |B''|, and B'' is itself a Bezier whose
        # control points are the second differences times degree (degree - 1).
        bends = np.linalg.norm(np.diff(controls, n=2, axis=2), axis=3)
        bend = degree * (degree - 1) * bends.max(axis=2, initial=0.0)
        steps = np.maximum(1, np.ceil(np.sqrt(bend / (8.0 * tolerance)))).astype(np.intp)
        lines = []
        for stroke, counts in zip(controls, steps, strict=True):
            parts = [
                bernstein(degree, np.arange(1, count + 1) / count) @ segment
                for segment, count in zip(stroke, counts, strict=True)
            ]
            lines.append(np.concatenate([stroke[0, :1], *parts]))
        return lines

    def lengths(self, tolerance: float = 0.01) -> FloatArray:
        """Arc lengths `[strokes]`, each within `tolerance` px."""
        _positive("tolerance", tolerance)
        result = np.zeros(len(self))
        todo, controls = np.arange(len(self)), self.controls
        while len(todo):
            # A segment is no shorter than its chord and no longer than its control polygon.
            polygon = np.linalg.norm(np.diff(controls, axis=2), axis=3).sum(axis=(1, 2))
            chord = np.linalg.norm(controls[:, :, -1] - controls[:, :, 0], axis=2).sum(axis=1)
            result[todo] = (2 * chord + (self.degree - 1) * polygon) / (self.degree + 1)
            rough = polygon - chord > tolerance + 1e-12 * polygon  # the latter: rounding
            todo, halves = todo[rough], split(controls[rough])
            controls = halves.reshape(len(todo), 2 * controls.shape[1], self.degree + 1, 2)
        return result

    def scaled(self, factor: float | tuple[float, float]) -> "Sketch":
        """Points and canvas times `factor` (or `(fx, fy)`), widths times the geometric mean."""
        fx, fy = factor if isinstance(factor, tuple) else (factor, factor)
        _positive("factor", fx, fy)
        points, size = self.points * np.array([fx, fy]), (self.size[0] * fx, self.size[1] * fy)
        return replace(self, points=points, size=size, widths=self.widths * sqrt(fx * fy))

    def translated(self, dx: float, dy: float) -> "Sketch":
        """Strokes moved by `(dx, dy)` px over the same canvas."""
        return replace(self, points=self.points + np.array([dx, dy]))

    def with_size(self, size: tuple[float, float]) -> "Sketch":
        """The same strokes on a canvas of another `(width, height)`; nothing is scaled."""
        return replace(self, size=size)

    def cut(self, box: ArrayLike, keep: ArrayLike = False) -> "Sketch":
        """As many strokes, their ink within a box: cut off where it would leave, round ends inside.

        Of a stroke that leaves and comes back the longest piece stays. One of which nothing but its
        rim is inside becomes a dot at the edge; one thicker than half the box is made that thin.

        Args:
            box: its corners, the lower first, `[2, 2]` (x, y) in px.
            keep: `[strokes]` or one for all, strokes that stay as they are.

        Raises:
            ClipassoError: a box without area.
        """
        corners = _numbers("box", box)
        if corners.shape != (2, 2) or not (corners[0] < corners[1]).all():
            raise ClipassoError(f"box must be its lower and its higher corner, not {box!r}")
        lows, highs, widths = room(corners, self.widths)
        kept = np.broadcast_to(np.asarray(keep, bool), len(self))
        points = self.points.copy()
        for k in np.flatnonzero(~kept):
            chain = longest_inside(self.controls[k], lows[k], highs[k])
            points[k] = np.concatenate([chain[0, :1], *chain[:, 1:]])
        return replace(self, points=points, widths=np.where(kept, self.widths, widths))

    def with_metadata(self, **items: str) -> "Sketch":
        """The same sketch with `items` added to its metadata or put in place of what was there."""
        return replace(self, metadata={**self.metadata, **items})

    def select(self, indices: ArrayLike) -> "Sketch":
        """The strokes at `indices` (or where a boolean mask `[strokes]` is true), in that order."""
        chosen = np.asarray(indices)
        try:
            rows = np.arange(len(self))[chosen if chosen.size else []]
        except IndexError as error:
            raise ClipassoError(f"cannot select from {len(self)} strokes: {error}") from None
        return replace(self, **{name: getattr(self, name)[rows] for name in _PER_STROKE})

    def to_svg(self) -> str:
        """The sketch as the text of an SVG file; see `clipasso.vector.svg.write_svg`."""
        from clipasso.vector.svg import write_svg

        return write_svg(self)

    _repr_svg_ = to_svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an SVG file, all or nothing. Raises ClipassoError if it cannot be written."""
        write_atomically(path, self.to_svg())

    def to_json(self) -> str:
        """Control points with every digit as the text of a JSON file; docs/export.md says how."""
        from clipasso.vector.export.control_points import write_json

        return write_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Sketch":
        """The same sketch from `to_json`'s text. Raises ClipassoError if it is none."""
        from clipasso.vector.export.control_points import parse_json

        return cls(**parse_json(text))

    @classmethod
    def from_svg(cls, text: str | bytes) -> "Sketch":
        """Read the text of an SVG file; see `clipasso.vector.svg.read_strokes`.

        Warns with SvgWarning of each kind of thing left out; raises ClipassoError if it is no SVG.
        """
        return _warned(*read_sketch(text, "the SVG text"), "the SVG text")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Sketch":
        """Read an SVG or SVGZ file like `from_svg`; messages name the file."""
        return _warned(*open_sketch(path), os.fspath(path))


def open_sketch(path: str | os.PathLike[str]) -> tuple[Sketch, tuple[str, ...]]:
    """Read an SVG or SVGZ file: its strokes, and a line on each kind of thing that was left out.

    `Sketch.open` for programs that tell such lines in their own way.

    Raises:
        ClipassoError: a file that cannot be read or is no SVG; the message names it.
    """
    from clipasso.vector.svg.limits import MAX_BYTES

    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)  # enough to see that it is too large
    except OSError as error:
        raise ClipassoError(f"{path}: cannot be read: {error.strerror}") from error
    return read_sketch(data, os.fspath(path))


def read_svg(text: str | bytes) -> tuple[Sketch, tuple[str, ...]]:
    """Read the text of an SVG file like `open_sketch`; messages name no file."""
    from clipasso.vector.svg import read_strokes

    found, notes = read_strokes(text)
    return Sketch(**found._asdict()), notes


def read_sketch(text: str | bytes, name: str) -> tuple[Sketch, tuple[str, ...]]:
    """Read the text of an SVG file like `open_sketch`; messages call it `name`."""
    try:
        return read_svg(text)
    except ClipassoError as error:
        raise ClipassoError(f"{name}: {error}") from error


def _warned(sketch: Sketch, skipped: tuple[str, ...], name: str) -> Sketch:
    for line in skipped:  # the third frame up is the caller of Sketch.open or Sketch.from_svg
        warnings.warn(f"{name}: not kept: {line}", SvgWarning, stacklevel=3)
    return sketch


def _numbers(name: str, value: ArrayLike) -> FloatArray:
    """A private float64 copy of `value`."""
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise ClipassoError(f"{name} must be a regular array of numbers") from None
    if not np.isfinite(array).all():
        raise ClipassoError(f"{name} must be finite numbers")
    return array


def _per_stroke(
    name: str, value: ArrayLike, count: int, one: tuple[int, ...], highest: float
) -> FloatArray:
    """`value` for every stroke: `[count, *one]`, from that shape or from `one`, 0..`highest`."""
    array = _numbers(name, value)
    if array.shape not in (one, (count, *one)):
        raise ClipassoError(f"{name} must have the shape {(count, *one)}, not {array.shape}")
    if not ((array >= 0) & (array <= highest)).all():
        raise ClipassoError(f"{name} must be in 0..{highest:g}")
    return np.broadcast_to(array, (count, *one)).copy()


def _positive(name: str, *values: float) -> None:
    if not all(isfinite(value) and value > 0 for value in values):
        raise ClipassoError(f"{name} must be above 0 and finite, not {', '.join(map(str, values))}")
