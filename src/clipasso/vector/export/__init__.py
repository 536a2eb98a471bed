"""Sketches in other programs' formats, one file each; `files` is the door."""

from clipasso.vector.export.files import FORMATS, export, exported, format_of

__all__ = ["FORMATS", "export", "exported", "format_of"]
