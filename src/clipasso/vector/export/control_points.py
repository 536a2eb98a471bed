"""Sketches as JSON: control points with every digit, read back as the same sketch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.svg.limits import MAX_ALIKE, MAX_BYTES

if TYPE_CHECKING:
    from clipasso.vector.sketch import Sketch

__all__ = ["FORMAT", "VERSION", "parse_json", "write_json"]

FORMAT = "clipasso-sketch"
VERSION = 1

_STROKE = ("points", "width", "color", "opacity")


def write_json(sketch: Sketch) -> str:
    """The text of a JSON file; docs/export.md has its schema. Numbers come back as they were."""
    columns = (sketch.points, sketch.widths, sketch.colors, sketch.opacities)
    strokes = [
        dict(zip(_STROKE, values, strict=True))
        for values in zip(*(column.tolist() for column in columns), strict=True)
    ]
    head = {
        "format": FORMAT,
        "version": VERSION,
        "size": list(sketch.size),
        "degree": sketch.degree,
        "metadata": dict(sketch.metadata),
    }
    lines = ",\n".join(f"    {json.dumps(stroke)}" for stroke in strokes)
    start = json.dumps(head, indent=2).removesuffix("\n}")
    return f'{start},\n  "strokes": [\n{lines}\n  ]\n}}\n'


def parse_json(text: str | bytes) -> dict[str, Any]:
    """The values that make a sketch, by the names of its parameters; `Sketch` checks them.

    Raises:
        ClipassoError: it is no JSON of a sketch, of a later version, or too large.
    """
    if len(text) > MAX_BYTES:
        raise ClipassoError(f"is larger than {MAX_BYTES // 1_000_000} MB; simplify the drawing")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClipassoError(f"is not well-formed JSON: {error}; export the sketch anew") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ClipassoError(
            f'is JSON, but no sketch: its "format" must be "{FORMAT}", as clipasso export writes it'
        )
    if found.get("version") != VERSION:
        raise ClipassoError(
            f"is a sketch of version {found.get('version')!r}; this clipasso reads {VERSION}"
        )
    strokes, size, metadata = found.get("strokes"), found.get("size"), found.get("metadata", {})
    if not isinstance(strokes, list) or len(strokes) > MAX_ALIKE:
        raise ClipassoError(f'"strokes" must be a list of at most {MAX_ALIKE}')
    for n, stroke in enumerate(strokes):
        if not isinstance(stroke, dict) or not all(name in stroke for name in _STROKE):
            raise ClipassoError(f'"strokes"[{n}] must have {", ".join(_STROKE)}')
    if not isinstance(size, list) or not isinstance(metadata, dict):
        raise ClipassoError('"size" must be a list of two numbers, "metadata" an object of texts')
    degree = found.get("degree")
    if type(degree) is not int:
        raise ClipassoError('"degree" must be 1, 2 or 3')
    points, widths, colors, opacities = ([s[name] for s in strokes] for name in _STROKE)
    return {
        "points": points if strokes else np.empty((0, max(degree, 1) + 1, 2)),
        "size": tuple(size),
        "degree": degree,
        "widths": widths,
        "colors": colors if strokes else np.empty((0, 3)),
        "opacities": opacities,
        "metadata": metadata,
    }
