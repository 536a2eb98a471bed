"""Photos in class folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.evaluate.ink import CANVAS
from clipasso.evaluate.prompts import class_name
from clipasso.photo.canvas import Photo, load_photo
from clipasso.photo.folders import listed, pictures_in
from clipasso.photo.masks import cut_out, make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.photo.silhouette import darkened

__all__ = ["Seen", "Subject", "find_subjects", "inner_folders", "read_photo"]


@dataclass(frozen=True)
class Subject:
    """A photo to be recognised: its file, and its class in words."""

    path: Path
    category: str

    @property
    def name(self) -> str:
        """Class folder and file name, for people."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo as it is judged, on the canvas of 224 px.

    Attributes:
        photo: its background cut out.
        inside: `[224, 224]`, the object's mask; None where the whole photo was kept.
        mask: how the mask was found, in words.
    """

    photo: Photo
    inside: NDArray[np.bool_] | None
    mask: str


def find_subjects(folder: Path) -> tuple[tuple[Subject, ...], tuple[str, ...]]:
    """The photos `FOLDER/CLASS/*`, sorted; hidden files and folders are no matter.

    Returns:
        The photos, and a line on what was passed over.

    Raises:
        ClipassoError: no such folder, no photo in class folders, or two of one name in a class.
    """
    if not os.path.isdir(folder):
        raise ClipassoError(f"{folder}: no such folder; give one with a folder of photos per class")
    found: dict[tuple[str, str], Subject] = {}
    outside = pictures_in(folder)
    others = [file.name for file in (*outside.pictures, *outside.others)]
    for place in inner_folders(folder):
        listing = pictures_in(place)
        others += [f"{place.name}/{file.name}" for file in listing.others]
        others += [f"{place.name}/{deeper.name}/" for deeper in inner_folders(place)]
        for path in listing.pictures:
            subject = Subject(path, class_name(place.name))
            other = found.setdefault((place.name, path.stem), subject)
            if other is not subject:
                raise ClipassoError(
                    f"{path} and {other.path}: differ only in their ending; rename one"
                )
    if not found:
        raise ClipassoError(
            f"{folder}: no photos in class folders; put them there as {folder}/CLASS/PHOTO.jpg"
        )
    note = f"{folder}: passed over, as no photos in class folders: {listed(others)}"
    return tuple(found.values()), (note,) if others else ()


def inner_folders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, but for hidden ones.

    Raises:
        ClipassoError: it cannot be read.
    """
    try:
        return sorted(
            p for p in folder.iterdir() if os.path.isdir(p) and not p.name.startswith(".")
        )
    except OSError as error:
        raise ClipassoError(f"{folder}: cannot be read ({error.strerror or error})") from None


def read_photo(subject: Subject, mask: str = "auto") -> Seen:
    """A photo on the canvas, padded to a square, its frame and its background cut out.

    Raises:
        ClipassoError: it cannot be read, or has no such mask.
    """
    photo = without_frame(load_photo(subject.path, size=CANVAS, name=subject.path.name))
    found = make_mask(photo, mask)
    seen = darkened(photo, found.inside) or cut_out(photo, found)  # as it is sketched
    return Seen(seen, found.inside, found.source)
