"""The photos that a command line names: files, folders of them, standard input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from clipasso.cli.console import say
from clipasso.cli.stdio import STANDARD, read_standard
from clipasso.errors import ClipassoError
from clipasso.photo.folders import listed, pictures_in

if TYPE_CHECKING:
    from clipasso.photo.canvas import Fit, Photo
    from clipasso.photo.masks import Mask
    from clipasso.settings import Settings

__all__ = ["expanded", "load", "load_masked"]


def expanded(paths: Iterable[Path], quiet: bool = False) -> list[Path]:
    """Folders replaced by the photos in them, not in folders inside, each photo once.

    Sketches' own pictures are no photos; they and what is no picture are passed over, with a line.

    Raises:
        ClipassoError: a folder that cannot be read or has no photo.
    """
    from clipasso.pipeline.output import own_pictures

    found: dict[Path, None] = {}
    for path in paths:
        if path == STANDARD or not os.path.isdir(path):
            found[path] = None
            continue
        pictures, others = pictures_in(path)
        results = own_pictures(others)
        photos = [picture for picture in pictures if picture not in results]
        passed = [*others, *(picture for picture in pictures if picture in results)]
        if not photos:
            raise ClipassoError(f"{path}: a folder without photos; name photos or their folder")
        if passed and not quiet:
            names = listed([file.name for file in passed])
            say(f"{path}: {len(photos)} photos; passed over: {names}")
        found.update(dict.fromkeys(photos))
    return list(found)


def load(path: Path, size: int, fit: Fit) -> Photo:
    """`load_photo`, from standard input where the path is `-`."""
    from clipasso.photo.canvas import load_photo

    if path == STANDARD:
        return load_photo(read_standard(), size=size, fit=fit, name="standard input")
    return load_photo(path, size=size, fit=fit)


def load_masked(
    path: Path, settings: Settings, fit: Fit, mask: str | bytes, mask_weights: Path | None,
    tell: Callable[[str], None], data: bytes | None = None,
) -> tuple[Photo, Mask]:  # fmt: skip
    """A photo without its frame, and its mask.

    Args:
        mask, mask_weights: as for `make_mask`.
        tell: takes the photo's notes.
        data: what was read from standard input already, where the path is `-`.

    Raises:
        ClipassoError: one of them cannot be used.
    """
    from clipasso.photo.canvas import load_photo
    from clipasso.photo.masks import make_mask
    from clipasso.photo.picture_frame import without_frame

    if data is None:
        photo = load(path, settings.canvas, fit)
    else:
        photo = load_photo(data, size=settings.canvas, fit=fit, name="standard input")
    photo = without_frame(photo, settings.frame)
    for note in photo.notes:
        tell(note)
    return photo, make_mask(photo, mask, fit, mask_weights)
