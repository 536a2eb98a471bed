"""What a batch has to do: its sources entered in the manifest, and what stands of before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.make import digest
from clipasso.pipeline.batch.manifest import Manifest, Row, Stamp
from clipasso.pipeline.batch.names import result_files
from clipasso.pipeline.batch.source import Entry, Reading, read_sources
from clipasso.settings import Settings, make_settings

__all__ = ["Recipe", "enter_sources"]

_NAMED = 3  # files that an error names


@dataclass(eq=False)
class Recipe:
    """How the photos of a batch are sketched, but for what their own rows say.

    Attributes:
        preset, chosen: as for `make_settings`.
        mask, fit: as for `make_mask` and `load_photo`.
        about: whatever else sketches depend on, as plain values.
    """

    preset: str
    chosen: Mapping[str, Any]
    mask: str
    fit: str
    about: Mapping[str, Any]
    _digests: dict[str, str] = field(default_factory=dict)
    _last: tuple[object, tuple[str, int]] | None = None

    def of(self, options: Mapping[str, Any]) -> tuple[Settings, str, str]:
        """Settings, mask and fit of a row with these options.

        Raises:
            ClipassoError: they do not go together.
        """
        own = dict(options)
        preset = own.pop("preset", self.preset)
        mask, fit = own.pop("mask", self.mask), own.pop("fit", self.fit)
        settings, _ = make_settings(preset, **{**self.chosen, **own})
        return settings, mask, fit

    def key(self, entry: Entry) -> tuple[str, int]:
        """A hash of all but the photo that its sketch depends on, and its gradient steps.

        Raises:
            ClipassoError: as `of`, with the entry's place.
        """
        if self._last is not None and self._last[0] == entry.options:
            return self._last[1]
        try:
            settings, mask, fit = self.of(dict(entry.options))
        except ClipassoError as error:
            raise ClipassoError(f"{entry.where}: {error}" if entry.where else str(error)) from None
        what = {
            **self.about,
            "version": __version__,
            "settings": settings.as_dict(),
            "mask": [mask, self._digest(mask)],
            "fit": fit,
        }
        key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
        self._last = entry.options, (key, settings.iterations * settings.seeds)
        return self._last[1]

    def _digest(self, mask: str) -> str:
        """Of a mask that is a picture; "" for a method, and for what is not there."""
        if not os.path.isfile(mask):
            return ""
        if mask not in self._digests:
            if len(self._digests) > _NAMED:  # each photo has its own
                self._digests.clear()
            self._digests[mask] = digest(mask)
        return self._digests[mask]


def enter_sources(
    manifest: Manifest,
    sources: Sequence[str | os.PathLike[str]],
    how: Reading,
    recipe: Recipe,
    force: bool,
    read: Iterable[Path | None] = (),
) -> None:
    """Enter what the sources name, all or nothing; photos to be made are `todo` then.

    What was made stands if it was made by the same settings, encoder and version from a photo of
    the same size and time or else the same content, and its files are there.

    Args:
        force: nothing stands, and files that the batch has not made are written over.
        read: other files that are read, which nothing may overwrite.

    Raises:
        ClipassoError: a source that cannot be used, or results that would overwrite what is read
            or, unasked, what the batch has not made.
    """

    def stands(row: Row) -> bool:
        return not force and _stands(manifest, row, how.output)

    with manifest.transaction():
        manifest.begin_listing()
        for place, entry in enumerate(read_sources(sources, how)):
            key, steps = recipe.key(entry)
            options = json.dumps(dict(entry.options), sort_keys=True)
            manifest.enter(entry, place, options, key, steps, stands)
        _refuse_overwriting(manifest, how.output, force, read)


def _stands(manifest: Manifest, row: Row, folder: Path) -> bool:
    """Whether a photo is the one that was sketched, and its files are there."""
    for file in result_files(folder, row.name):
        found = Stamp.of(str(file))
        if found is None or not found.size:
            return False
    now = Stamp.of(row.path)
    if now is None:
        return False
    if now == (row.size, row.mtime):
        return True
    try:
        if now.size != row.size or digest(row.path) != row.sha256:
            return False
    except ClipassoError:
        return False
    manifest.restamp(row, now)
    return True


def _refuse_overwriting(
    manifest: Manifest, folder: Path, force: bool, read: Iterable[Path | None]
) -> None:
    strangers: list[Path] = []
    there: dict[tuple[int, int], Path] = {}
    for row in manifest.listed("state = 'todo'"):
        for file in result_files(folder, row.name):
            if (identity := _identity(file)) is not None:
                there[identity] = file
                if not row.begun and not force:
                    strangers.append(file)
    if strangers:
        more = len(strangers) - _NAMED
        raise ClipassoError(
            f"{', '.join(map(str, strangers[:_NAMED]))}{f' and {more} more' if more > 0 else ''}: "
            "there already, and not made by this batch; give --force to overwrite, or choose "
            "another output folder with -o"
        )
    if there:
        inputs = [path for path in read if path is not None]
        for path in chain(inputs, (Path(row.path) for row in manifest.listed())):
            if (written := there.get(_identity(path) or (-1, -1))) is not None:
                raise ClipassoError(
                    f"{written}: would overwrite {path}, which this command reads; choose another "
                    "output folder with -o"
                )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
