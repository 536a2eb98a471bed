"""Which files of a folder are pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from clipasso.errors import ClipassoError

__all__ = ["PICTURES", "Listing", "listed", "pictures_among", "pictures_in"]

PICTURES = (
    ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif", ".heic", ".heif",
)  # fmt: skip
"""Endings of the files that are taken for pictures, in lower case; those of files may be upper."""

_NAMED = 5


class Listing(NamedTuple):
    """Files that are pictures by their endings, and those that are not; both sorted."""

    pictures: tuple[Path, ...]
    others: tuple[Path, ...]


def pictures_among(files: Iterable[Path]) -> Listing:
    """Sort files into pictures and others; hidden ones and folders are neither."""
    seen = sorted(file for file in files if not file.name.startswith(".") and os.path.isfile(file))
    pictures = tuple(file for file in seen if file.suffix.lower() in PICTURES)
    return Listing(pictures, tuple(file for file in seen if file not in set(pictures)))


def pictures_in(folder: Path) -> Listing:
    """The files of a folder, not of those inside it.

    Raises:
        ClipassoError: the folder cannot be read.
    """
    try:
        return pictures_among(folder.iterdir())
    except OSError as error:
        raise ClipassoError(f"{folder}: cannot be read ({error.strerror or error})") from None


def listed(names: Sequence[str]) -> str:
    """The first few names in a line, and how many more there are."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
