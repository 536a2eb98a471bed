"""What the results of a batch's photos are called, and where they lie in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipasso.pipeline.batch.source import Entry

__all__ = [
    "FILES", "GALLERY", "LOCK", "MANIFEST", "SHEET", "THUMBS", "free_name", "is_inside",
    "result_files",
]  # fmt: skip

FILES = (".png", ".json", ".svg")
"""Endings of a photo's results, the SVG last: it is there when all are."""

MANIFEST, GALLERY, SHEET = "batch.sqlite", "index.html", "contact-sheet.jpg"
THUMBS = "_gallery"
"""The folder of small pictures, named as the results, that gallery and contact sheet show."""

LOCK = "batch"
"""What a batch holds of its folder, for `claimed`."""


def free_name(entry: Entry, taken: Callable[[str], bool]) -> str:
    """A name that is not taken: the photo's path without ending, else with it, else numbered.

    `animals/cat.jpg` becomes `animals/cat`; `animals/cat.png` beside it `animals/cat-png`.
    """
    path = PurePosixPath(entry.photo)
    stem = entry.name or str(path.with_suffix("") if path.suffix else path)
    names = [stem] if entry.name else [stem, f"{stem}-{path.suffix.lstrip('.')}"]
    for name in names:
        if not taken(name):
            return name
    number = 2
    while taken(name := f"{names[-1]}-{number}"):
        number += 1
    return name


def is_inside(name: str) -> bool:
    """Whether results of this name lie in the batch's folder."""
    path = PurePath(name)
    return bool(path.parts) and not path.anchor and ".." not in path.parts and "\0" not in name


def result_files(folder: Path, name: str) -> list[Path]:
    """A photo's results."""
    return [folder / f"{name}{ending}" for ending in FILES]
