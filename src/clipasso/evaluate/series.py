"""Sketches of photos: our own, and those that were made elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipasso.errors import ClipassoError
from clipasso.evaluate.looks import SVG, metadata
from clipasso.evaluate.subjects import Subject, inner_folders
from clipasso.photo.folders import PICTURES, listed, pictures_in

__all__ = ["Drawn", "Series", "find_sketches", "parse_sketches", "read_drawn"]

_SKETCHES = (*SVG, *sorted(PICTURES, key=lambda ending: ending != ".png"))
"""Endings of sketches in lower case, the best first: pictures of drawings are best as PNG."""


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


def parse_sketches(texts: Sequence[str]) -> tuple[Series, ...]:
    """Series from `[NAME=]DIR`, the folder's name being the default.

    Raises:
        ClipassoError: no such folder, or two series of one name.
    """
    series: dict[str, Series] = {}
    for text in texts:
        name, equals, rest = text.partition("=")
        if not equals or os.path.isdir(text):
            name, rest = "", text
        folder = Path(rest)
        if not os.path.isdir(folder):
            raise ClipassoError(f"--sketches {text}: no such folder; give [NAME=]DIR")
        label = name.strip() or folder.resolve().name
        if label == "clipasso":
            raise ClipassoError(f"--sketches {text}: name it otherwise, as in NAME={rest}")
        if label in series:
            raise ClipassoError(f"--sketches {text}: a second {label}; name it, as in NAME={rest}")
        series[label] = Series(label, label, folder=folder)
    return tuple(series.values())


def find_sketches(
    series: Series, subjects: Sequence[Subject]
) -> tuple[tuple[Drawn, ...], tuple[str, ...]]:
    """The sketches of a series: `CLASS/STEM.svg` of a photo `CLASS/STEM.jpg`, or `STEM.svg`.

    An SVG is preferred to a picture beside it; a report `STEM.json` is read where there is one.

    Returns:
        The sketches, and lines on photos without one and on files that are none.

    Raises:
        ClipassoError: no photo has one, `STEM.*` could be of two photos, or a folder cannot be
            read.
    """
    assert series.folder is not None
    stems = [subject.path.stem for subject in subjects]
    shelf = _Shelf(series.folder)
    drawn, missing = [], []
    for subject in subjects:
        stem = subject.path.stem
        own = shelf.take(subject.path.parent.name, stem)
        shared = None if own else shelf.take("", stem)
        if shared and stems.count(stem) > 1:
            raise ClipassoError(
                f"{shared}: photos of several classes are called {stem}; put the sketches into "
                "class folders too"
            )
        if file := own or shared:
            drawn.append(read_drawn(subject, series, file))
        else:
            missing.append(subject.name)
    if not drawn:
        raise ClipassoError(
            f"{series.folder}: no sketch of any photo; name them as the photos, as in "
            f"{subjects[0].path.parent.name}/{subjects[0].path.stem}.svg"
        )
    notes = []
    if missing:
        notes.append(f"{series.label}: no sketch of {listed(missing)}")
    if left := shelf.left():
        notes.append(f"{series.folder}: passed over, as no sketches or of no photo: {listed(left)}")
    return tuple(drawn), tuple(notes)


class _Shelf:
    """The files of a folder and of those in it, and which of them were taken."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[tuple[str, str], list[Path]] = {}
        self._taken: set[tuple[str, str]] = set()
        for place in ("", *(inner.name for inner in inner_folders(folder))):
            for file in (f for kind in pictures_in(folder / place) for f in kind):
                self._files.setdefault((place, file.stem), []).append(file)

    def take(self, place: str, stem: str) -> Path | None:
        """The best sketch of a name: by its ending, whether in upper case or lower."""
        files = self._files.get((place, stem), ())
        sketches = [file for file in files if file.suffix.lower() in _SKETCHES]
        if not sketches:
            return None
        self._taken.add((place, stem))
        return min(sketches, key=lambda file: (_SKETCHES.index(file.suffix.lower()), file.name))

    def left(self) -> list[str]:
        """What has not the name of a sketch that was taken, sorted."""
        return sorted(
            f"{place}/{file.name}" if place else file.name
            for (place, stem), files in self._files.items() if (place, stem) not in self._taken
            for file in files
        )  # fmt: skip


def read_drawn(subject: Subject, series: Series, file: Path) -> Drawn:
    """A sketch with the time and the encoder that its report, or its own metadata, names."""
    try:
        report = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        seconds = float(sum(report["seconds"].values()))
        return Drawn(subject, series, file, seconds, str(report["encoder"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # nobody said that there must be one
    return Drawn(subject, series, file, encoder=metadata(file).get("encoder", ""))
