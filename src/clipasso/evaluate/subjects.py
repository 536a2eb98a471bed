"""Photos in class folders, and sketches of them that were made elsewhere."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError
from clipasso.evaluate.ink import CANVAS
from clipasso.evaluate.prompts import class_name
from clipasso.masks import cut_out, make_mask
from clipasso.output import render
from clipasso.photo import Photo, load_photo
from clipasso.silhouette import darkened
from clipasso.strokes import Sketch

__all__ = [
    "Drawn", "Seen", "Series", "Subject", "find_sketches", "find_subjects", "on_canvas",
    "parse_sketches", "read_drawn", "read_photo", "sketch_pixels",
]  # fmt: skip

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".heic"}
_SKETCHES = (".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


@dataclass(frozen=True)
class Subject:
    """A photo to be recognised: its file, and its class in words."""

    path: Path
    category: str

    @property
    def name(self) -> str:
        """Class folder and file name, for people."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True)
class Series:
    """A column of the tables: sketches of all photos, made in one way.

    Attributes:
        label: its heading.
        method: `clipasso` for our own at any number of strokes, or the name that was given.
        strokes: of our own; None for sketches made elsewhere.
        folder: where those are; None for our own.
    """

    label: str
    method: str
    strokes: int | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Drawn:
    """The sketch of a subject in a series: its file, and what its report says if it has one.

    `seconds` is the time it took, `encoder` the description of the one it was optimised with.
    """

    subject: Subject
    series: Series
    file: Path
    seconds: float | None = None
    encoder: str = ""


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


def find_subjects(folder: Path) -> tuple[Subject, ...]:
    """The photos `FOLDER/CLASS/*`, sorted; hidden files and what is no picture are passed over.

    Raises:
        ClipassoError: no such folder, no photo in class folders, or two of one name in a class.
    """
    if not folder.is_dir():
        raise ClipassoError(f"{folder}: no such folder; give one with a folder of photos per class")
    found: dict[tuple[str, str], Subject] = {}
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() not in _PHOTOS or path.name.startswith(".") or not path.is_file():
            continue
        if path.parent.name.startswith("."):
            continue
        subject = Subject(path, class_name(path.parent.name))
        other = found.setdefault((path.parent.name, path.stem), subject)
        if other is not subject:
            raise ClipassoError(f"{path} and {other.path}: differ only in their ending; rename one")
    if not found:
        raise ClipassoError(
            f"{folder}: no photos in class folders; put them there as {folder}/CLASS/PHOTO.jpg"
        )
    return tuple(found.values())


def parse_sketches(texts: Sequence[str]) -> tuple[Series, ...]:
    """Series from `[NAME=]DIR`, the folder's name being the default.

    Raises:
        ClipassoError: no such folder, or two series of one name.
    """
    series: dict[str, Series] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or Path(text).is_dir():
            name, rest = "", text
        folder = Path(rest)
        if not folder.is_dir():
            raise ClipassoError(f"--sketches {text}: no such folder; give [NAME=]DIR")
        label = name.strip() or folder.resolve().name
        if label == "clipasso":
            raise ClipassoError(f"--sketches {text}: name it otherwise, as in NAME={rest}")
        if label in series:
            raise ClipassoError(f"--sketches {text}: a second {label}; name it, as in NAME={rest}")
        series[label] = Series(label, label, folder=folder)
    return tuple(series.values())


def find_sketches(series: Series, subjects: Sequence[Subject]) -> tuple[Drawn, ...]:
    """The sketches of a series: `CLASS/STEM.svg` of a photo `CLASS/STEM.jpg`, or `STEM.svg`.

    An SVG is preferred to a picture beside it; a report `STEM.json` is read where there is one.
    Photos without a sketch are left out.

    Raises:
        ClipassoError: none has one, or `STEM.*` could be of two photos.
    """
    assert series.folder is not None
    stems = [subject.path.stem for subject in subjects]
    drawn = []
    for subject in subjects:
        stem = subject.path.stem
        own = _first(series.folder / subject.path.parent.name, stem)
        shared = None if own else _first(series.folder, stem)
        if shared and stems.count(stem) > 1:
            raise ClipassoError(
                f"{shared}: photos of several classes are called {stem}; put the sketches into "
                "class folders too"
            )
        if file := own or shared:
            drawn.append(read_drawn(subject, series, file))
    if not drawn:
        raise ClipassoError(
            f"{series.folder}: no sketch of any photo; name them as the photos, as in "
            f"{subjects[0].path.parent.name}/{subjects[0].path.stem}.svg"
        )
    return tuple(drawn)


def _first(folder: Path, stem: str) -> Path | None:
    return next((p for end in _SKETCHES if (p := folder / f"{stem}{end}").is_file()), None)


def read_drawn(subject: Subject, series: Series, file: Path) -> Drawn:
    """A sketch with the time and the encoder that its report, or its own metadata, names."""
    try:
        report = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        seconds = float(sum(report["seconds"].values()))
        return Drawn(subject, series, file, seconds, str(report["encoder"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # nobody said that there must be one
    try:
        about = _strokes(file).metadata if file.suffix.lower() == ".svg" else {}
    except ClipassoError:  # told when the sketch is judged
        about = {}
    return Drawn(subject, series, file, encoder=about.get("encoder", ""))


def _strokes(file: Path) -> Sketch:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other programs' files: what is no stroke stays out
        return Sketch.open(file)


def read_photo(subject: Subject, mask: str = "auto") -> Seen:
    """A photo on the canvas, padded to a square, its background cut out.

    Raises:
        ClipassoError: it cannot be read, or has no such mask.
    """
    photo = load_photo(subject.path, size=CANVAS, name=subject.path.name)
    found = make_mask(photo, mask)
    seen = darkened(photo, found.inside) or cut_out(photo, found)  # as it is sketched
    return Seen(seen, found.inside, found.source)


def on_canvas(sketch: Sketch) -> Sketch:
    """A sketch centred on the canvas of 224 x 224 px, its proportions kept."""
    fitted = sketch.scaled(CANVAS / max(sketch.size))
    dx, dy = ((CANVAS - side) / 2 for side in fitted.size)
    return replace(fitted.translated(dx, dy).with_size((CANVAS, CANVAS)), metadata={})


def sketch_pixels(file: Path) -> tuple[NDArray[np.float32], Sketch | None]:
    """A sketch file as the judges see it: `[224, 224, 3]`, 0..1, and its strokes if it has any.

    Raises:
        ClipassoError: it cannot be read.
    """
    if file.suffix.lower() != ".svg":
        return load_photo(file, size=CANVAS).pixels, None
    strokes = on_canvas(_strokes(file))
    return np.asarray(render(strokes, CANVAS) / 255, np.float32), strokes
