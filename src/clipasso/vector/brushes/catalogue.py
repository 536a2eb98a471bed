"""The brushes by name. A brush's file is read when it is asked for."""

from __future__ import annotations

from importlib import import_module

from clipasso.errors import ClipassoError
from clipasso.vector.brushes.base import Brush

__all__ = ["BRUSHES", "find_brush"]

BRUSHES = {
    "pencil": "pencil:Pencil",
    "charcoal": "charcoal:Charcoal",
    "ink": "ink:Ink",
    "dry-brush": "dry_brush:DryBrush",
    "marker": "marker:Marker",
    "calligraphy": "calligraphy:Calligraphy",
}
"""Names, and the file in this folder and the class that each stands for."""


def find_brush(name: str) -> Brush:
    """The brush of a name. Raises ClipassoError where there is none."""
    if name not in BRUSHES:
        raise ClipassoError(f"--brush {name}: is none; choose one of {', '.join(BRUSHES)}")
    module, _, kind = BRUSHES[name].partition(":")
    brush: Brush = getattr(import_module(f"clipasso.vector.brushes.{module}"), kind)()
    return brush
