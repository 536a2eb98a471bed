"""The studio's visitors: what each has here, and when it is removed."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clipasso.cli.studio.events import Listener
from clipasso.cli.studio.limits import Limits
from clipasso.cli.studio.line import Job
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.cli.studio.material import Material
    from clipasso.vector.sketch import Sketch

__all__ = ["Held", "Visitor", "Visitors"]

Kind = Literal["seed", "level", "edited"]

_BACK_SOON = 8.0  # seconds in which a page that is loaded anew comes back


@dataclass(frozen=True, eq=False)
class Held:
    """A sketch that a visitor has.

    Attributes:
        number: none of the visitor's others has it.
        stem: of the names of its files.
        kind: a `seed` of a run, a `level` of a ladder, or `edited`.
        group: the same for all that were made together.
        loss: on the clean photo; None for one that was edited.
        file: where the command lines below put it.
        commands: they make the same.
    """

    number: int
    sketch: Sketch
    stem: str
    kind: Kind
    title: str
    group: int
    loss: float | None
    file: str
    commands: tuple[str, ...]

    def as_file(self) -> Sketch:
        """The sketch as its SVG file has it, whose numbers have three decimals.

        What is made of it here is then to the last bit what the command lines make of the file.
        """
        from clipasso.vector.sketch import Sketch

        return Sketch.from_svg(self.sketch.to_svg())

    def as_dict(self) -> dict[str, Any]:
        """All but the strokes, as plain values."""
        return {
            "number": self.number, "stem": self.stem, "kind": self.kind, "title": self.title,
            "group": self.group, "loss": self.loss, "strokes": len(self.sketch),
        }  # fmt: skip


@dataclass(eq=False)
class Visitor:
    """One person's photo, sketches and work. All of it may be used from any thread.

    Attributes:
        key: what the person's browser knows it by; nobody can guess it.
        folder: for files, removed with the visitor.
        material: the photo, once there is one.
        job: the latest.
    """

    key: str
    folder: Path
    limits: Limits
    material: Material | None = None
    job: Job | None = None
    gone: bool = False
    _sketches: dict[int, Held] = field(default_factory=dict)
    _made: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _listeners: set[Listener] = field(default_factory=set)
    _alone_since: float | None = field(default_factory=time.monotonic)
    _left: bool = False

    def keep(self, **about: Any) -> Held:
        """Keep a sketch: the attributes of `Held` but for its number."""
        with self._lock:
            self._made += 1
            held = Held(self._made, **about)
            self._sketches[held.number] = held
            while len(self._sketches) > self.limits.kept:
                del self._sketches[min(self._sketches)]
        return held

    def sketch(self, number: int) -> Held:
        """One of the visitor's sketches. Raises ClipassoError for any other."""
        with self._lock:
            if number not in self._sketches:
                raise ClipassoError(f"sketch {number}: is not here any more; make it anew")
            return self._sketches[number]

    def begin_anew(self, material: Material) -> None:
        """Take another photo; the sketches of the one before go."""
        with self._lock:
            before, self.material = self.material, material
            self._sketches.clear()
            self.job = None
        if before is not None and before.path != material.path:
            before.path.unlink(missing_ok=True)

    def as_dict(self) -> dict[str, Any]:
        """What a page shows, as plain values."""
        with self._lock:
            return {
                "photo": None if self.material is None else self.material.as_dict(),
                "sketches": [held.as_dict() for held in self._sketches.values()],
                "job": None if self.job is None else self.job.as_dict(),
            }

    def tell(self, kind: str, value: Any) -> None:
        """Tell every open page."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.tell(kind, value)

    def tell_state(self) -> None:
        """Tell every open page how everything stands."""
        self.tell("state", self.as_dict())

    def listen(self, listener: Listener) -> None:
        """A page was opened."""
        with self._lock:
            self._listeners.add(listener)
            self._alone_since, self._left = None, False

    def unlisten(self, listener: Listener) -> None:
        """A page was closed, or the way to it broke."""
        with self._lock:
            self._listeners.discard(listener)
            if not self._listeners:
                self._alone_since = time.monotonic()

    def leave(self) -> None:
        """A page says that it is being closed."""
        with self._lock:
            self._left = True

    def stir(self) -> None:
        """Something was asked for: the visitor is there."""
        with self._lock:
            if self._alone_since is not None:
                self._alone_since = time.monotonic()

    def alone(self) -> tuple[float, bool]:
        """Seconds without a page open, and whether the last one said that it was closed."""
        with self._lock:
            since = self._alone_since
            return (0.0, False) if since is None else (time.monotonic() - since, self._left)

    def close(self) -> None:
        """End the streams of all pages."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.close()


class Visitors:
    """All of them, and the folder that their files lie in.

    Args:
        limits: for each.
        free: is called with a job that nobody waits for any more.
    """

    def __init__(self, limits: Limits, free: Callable[[Job], None]) -> None:
        self._limits, self._free = limits, free
        self._by_key: dict[str, Visitor] = {}
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="clipasso-studio-")

    def __iter__(self) -> Iterator[Visitor]:
        with self._lock:
            return iter(tuple(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, key: str | None) -> Visitor | None:
        """Who has this key."""
        visitor = self._by_key.get(key or "")
        if visitor is not None:
            visitor.stir()
        return visitor

    def welcome(self) -> Visitor:
        """A new one.

        Raises:
            ClipassoError: there are too many.
        """
        with self._lock:
            full = len(self._by_key) >= self._limits.visitors
            empty = [v for v in self._by_key.values() if v.material is None and v.alone()[0] > 1]
        if full and empty:
            self.remove(max(empty, key=lambda v: v.alone()[0]))
        elif full:
            raise ClipassoError("the studio is full; try again when somebody has left")
        key = secrets.token_urlsafe(32)
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        visitor = Visitor(key, folder, self._limits)
        with self._lock:
            self._by_key[key] = visitor
        return visitor

    def look_after(self) -> None:
        """Stop the work of those who have gone; remove what they left when its time has come."""
        for visitor in self:
            seconds, left = visitor.alone()
            if seconds > self._limits.idle or (left and seconds > _BACK_SOON):
                self.remove(visitor)
            elif seconds > self._limits.away:
                self._free_work_of(visitor)

    def remove(self, visitor: Visitor) -> None:
        """Stop a visitor's work and remove all that it has here."""
        with self._lock:
            self._by_key.pop(visitor.key, None)
        visitor.gone = True
        visitor.close()
        if visitor.job is not None:
            visitor.job.unwanted = True
        self._free_work_of(visitor)
        shutil.rmtree(visitor.folder, ignore_errors=True)

    def _free_work_of(self, visitor: Visitor) -> None:
        job = visitor.job
        if job is not None and not (job.over or job.stop.is_set()):
            self._free(job)

    def close(self) -> None:
        """Remove everybody."""
        for visitor in self:
            self.remove(visitor)
        self._folder.cleanup()
