"""The studio: its visitors, its worker, and what can be asked of it. It knows nothing of HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso._version import __version__
from clipasso.cli.studio.limits import Limits
from clipasso.cli.studio.line import Job, Line
from clipasso.cli.studio.material import Material, open_material
from clipasso.cli.studio.takeaway import here
from clipasso.cli.studio.visitors import Held, Visitor, Visitors
from clipasso.cli.studio.work import Recipe, Shelf, make_ladder, make_settled, make_sketch
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.cli.studio.wishes import Wish
    from clipasso.settings import Settings

__all__ = ["Studio"]

_EDITED = 4  # times as many strokes as may be asked for are taken from a page
_PRESETS = ("default", "fine", "draft", "paper")


class Studio:
    """A worker and its visitors.

    Args:
        limits: for visitors.
        preset: of sketches where a page asks for none.
        settings: those that differ from every preset's.
        encoder: for all sketches where a page asks for none; None is the preset's.
        device: as for `clipasso.sketch`.

    Raises:
        ClipassoError: a preset or a setting that is none.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        preset: str = "default",
        settings: Mapping[str, Any] | None = None,
        encoder: str | None = None,
        device: str = "auto",
    ) -> None:
        from clipasso.settings import make_settings

        self.limits = limits or Limits()
        self.preset, self.encoder = preset, encoder
        self._overrides = dict(settings or {})
        self._usual, self._preferred = make_settings(preset, **self._overrides)
        self._shelf = Shelf(device)
        self.line = Line(self.limits.waiting, self.limits.seconds)
        self.visitors = Visitors(self.limits, self.line.stop)

    def warm_up(self) -> None:
        """Load, in a thread, what the first sketch will need."""

        def load() -> None:
            with suppress(ClipassoError):  # whoever asks for a sketch is told
                self._shelf.models(self._usual, self.encoder or self._preferred)

        threading.Thread(target=load, name="clipasso-warming", daemon=True).start()

    def about(self) -> dict[str, Any]:
        """What there is to choose from, as plain values."""
        from clipasso.encoders import CLIP_TOWERS, EMBEDDED, has_weights
        from clipasso.settings import PRESETS
        from clipasso.vector.brushes.catalogue import BRUSHES, find_brush
        from clipasso.vector.plot.paper import PAPERS

        encoders = [EMBEDDED, *(name for name in CLIP_TOWERS if has_weights(name) is not None)]
        usual = self._usual
        return {
            "version": __version__,
            "limits": {"upload": self.limits.upload, "strokes": self.limits.strokes,
                       "seeds": self.limits.seeds, "seconds": self.limits.seconds},
            "usual": {"strokes": min(usual.strokes, self.limits.strokes), "seeds": usual.seeds,
                      "width": usual.width, "preset": self.preset, "encoder": self.encoder or ""},
            "seedsOf": {name: self._overrides.get("seeds", PRESETS[name].get("seeds", 3))
                        for name in _PRESETS},
            "presets": [name for name in _PRESETS
                        if PRESETS[name].get("encoder") in (None, *encoders)],
            "encoders": encoders,
            "brushes": [{"name": name, "about": find_brush(name).about,
                         "vector": find_brush(name).vector} for name in BRUSHES],
            "papers": list(PAPERS),
            "here": here(),
        }  # fmt: skip

    def take_photo(self, visitor: Visitor, path: Path, name: str) -> None:
        """Open an uploaded photo in place of the visitor's last one.

        Raises:
            ClipassoError: it cannot be used; what was there before stays.
        """
        number = 1 if visitor.material is None else visitor.material.number + 1
        material = open_material(path, name, self._framed("auto"), number=number)
        self._drop_work(visitor)
        visitor.begin_anew(material)
        visitor.tell_state()

    def set_mask(self, visitor: Visitor, how: str) -> None:
        """Take another mask: a name of `MASKS`, or the path of one that was painted."""
        visitor.material = _material(visitor).masked(how)
        visitor.tell_state()

    def set_frame(self, visitor: Visitor, how: str) -> None:
        """Leave out what is laid around the photo (`auto`), or keep it (`keep`)."""
        now = _material(visitor)
        visitor.material = open_material(
            now.path, now.name, self._framed(how), now.how, now.number + 1
        )
        visitor.tell_state()

    def sketch(self, visitor: Visitor, wish: Wish) -> Job:
        """Have the photo sketched.

        Raises:
            ClipassoError: there is no photo, a value is none, or too many wait.
        """
        material, recipe = _material(visitor), self._recipe(visitor, wish)
        return self._submit(
            visitor, "sketch", lambda job: make_sketch(job, visitor, material, recipe, self._shelf)
        )

    def settle(self, visitor: Visitor, wish: Wish, number: int, frozen: list[int]) -> Job:
        """Have a sketch's strokes settle around some of them.

        Args:
            number: of the visitor's sketch.
            frozen: strokes that stay as they are, from 1.

        Raises:
            ClipassoError: as `sketch`, or there is no such sketch.
        """
        from clipasso.start.from_sketch import parse_frozen

        material, recipe = _material(visitor), self._recipe(visitor, wish)
        start, freeze = visitor.sketch(number), _ranges(frozen)
        parse_frozen(freeze, len(start.sketch))
        return self._submit(
            visitor, "settle",
            lambda job: make_settled(job, visitor, material, recipe, self._shelf, start, freeze),
        )  # fmt: skip

    def ladder(self, visitor: Visitor, wish: Wish, number: int, levels: tuple[int, ...]) -> Job:
        """Have fewer and fewer strokes made of a sketch. Raises ClipassoError as `settle`."""
        material, recipe = _material(visitor), self._recipe(visitor, wish)
        top = visitor.sketch(number)
        if levels[0] >= len(top.sketch):
            raise ClipassoError(f"levels {levels[0]}: must be below the sketch's {len(top.sketch)}")
        return self._submit(
            visitor, "ladder",
            lambda job: make_ladder(job, visitor, material, recipe, self._shelf, top, levels),
        )  # fmt: skip

    def keep_edited(self, visitor: Visitor, text: bytes) -> Held:
        """Keep a sketch that a page drew.

        Args:
            text: JSON as `clipasso export` writes it.

        Raises:
            ClipassoError: it is none, has no strokes or too many, or lies on another canvas.
        """
        from clipasso.vector.sketch import Sketch

        material = _material(visitor)
        sketch = Sketch.from_json(text)
        most = _EDITED * self.limits.strokes
        frame = material.photo.frame
        if not 1 <= len(sketch) <= most or sketch.segments > 16:
            raise ClipassoError(f"an edited sketch has 1 to {most} strokes of at most 16 segments")
        width, height = sketch.size
        if max(abs(width - frame.width), abs(height - frame.height)) > 1e-3:
            raise ClipassoError("the edited sketch is of another photo; load the page again")
        sketch = sketch.cut([frame.box[:2], frame.box[2:]])
        about = {"title": f"Sketch of {material.name}", "photo": material.name}
        stem = f"{Path(material.name).stem}-edited"
        held = visitor.keep(
            sketch=replace(sketch, metadata=about), stem=stem, kind="edited", title="Edited",
            group=0, loss=None, file=f"sketches/{stem}.svg",
            commands=(f"# first save the edited sketch as sketches/{stem}.svg",),
        )  # fmt: skip
        visitor.tell_state()
        return held

    def close(self) -> None:
        """Stop everything and remove all files."""
        self.line.close()
        self.visitors.close()

    def _submit(self, visitor: Visitor, kind: str, work: Callable[[Job], None]) -> Job:
        self._drop_work(visitor)
        job = Job(kind, work, lambda job: _tell_of(visitor, job))
        self.line.submit(job)
        visitor.job = job
        visitor.tell_state()
        return job

    def _drop_work(self, visitor: Visitor) -> None:
        """One job a visitor: the one before is not wanted any more."""
        if visitor.job is not None and not visitor.job.over:
            self.line.stop(visitor.job, unwanted=True)

    def _recipe(self, visitor: Visitor, wish: Wish) -> Recipe:
        kept = _material(visitor).framed
        return Recipe.of(wish, self._overrides, self.encoder, kept)

    def _framed(self, how: str) -> Settings:
        kept: dict[str, Any] = {"frame": how}  # whose value is checked there
        return replace(self._usual, **kept)


def _material(visitor: Visitor) -> Material:
    if visitor.material is None:
        raise ClipassoError("there is no photo yet; choose one first")
    return visitor.material


def _tell_of(visitor: Visitor, job: Job) -> None:
    if visitor.job is not job:
        return
    visitor.tell("job", job.as_dict())
    if job.over:
        visitor.tell_state()


def _ranges(numbers: list[int]) -> str:
    """Numbers as `1-4,7`."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)
