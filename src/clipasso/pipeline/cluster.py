"""The same tasks on a cluster of Ray's: a slot is an actor with its share of cores and GPU.

Ray places actors, moves bytes between machines and notices which of them are lost. What it has for
restarting is not used: a restarted actor waits for room with the tasks that were meant for it,
while here a lost task goes to whichever slot is free, and a new actor takes room when there is some
again, on a machine that joins as on one that is left.
"""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from clipasso._version import __version__
from clipasso.errors import ClipassoError
from clipasso.pipeline.capacity import limit_threads
from clipasso.pipeline.worker import Talk
from clipasso.pipeline.workers import Event

if TYPE_CHECKING:
    from clipasso.pipeline.batch.make import Loader

__all__ = ["Cluster", "Slots"]

T = TypeVar("T")

_TICK = 1.0  # seconds between looks at tasks that were given back
_PATIENCE = 20.0  # seconds without a slot before it is said what is waited for
_DEATHS = 3  # of every slot's actor while it loads, in a row: it will not get better


@dataclass(frozen=True)
class Cluster:
    """Where a batch runs, and what each of its workers takes.

    Attributes:
        address: `ray://HOST:10001` (Ray's client), `auto` (on a machine of the cluster), `local`
            (started here, for trying it out), or `HOST:PORT` of the head.
        cpus: cores of a worker, which has as many threads.
        gpus: of a worker; a fraction lets several share one. 0 is for CPUs.
    """

    address: str
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.cpus < 1:
            raise ClipassoError(f"--worker-cpus {self.cpus}: must be at least 1")
        if not (0 <= self.gpus <= 1 or (self.gpus >= 1 and self.gpus == int(self.gpus))):
            raise ClipassoError(
                f"--worker-gpus {self.gpus:g}: must be a fraction of one, or a whole number"
            )


@dataclass(eq=False)
class _Slot(Generic[T]):
    """An actor, what it is at work on, and what will tell of its end."""

    number: int
    actor: Any
    reply: Any
    ready: bool = False
    task: T | None = None


@dataclass(eq=False)
class Slots(Generic[T]):
    """Workers on a cluster, for `engine.perform`; a context manager that ends them.

    Attributes:
        cluster: which, and how large a worker is.
        loader: what each of them loads; its files go to every machine once.
        most: workers at most; None takes all the room that there is at the start.
        tasks: more workers than that would be idle.
    """

    cluster: Cluster
    loader: Loader
    most: int | None
    tasks: int
    _slots: list[_Slot[T]] = field(default_factory=list, init=False)
    _deaths: int = field(default=0, init=False)
    _ours: bool = field(default=False, init=False)

    def __enter__(self) -> Slots[T]:
        self._ray = _import_ray()
        self._connect()
        try:
            device = "cuda" if self.cluster.gpus else "cpu"
            self._parcel = _packed(replace(self.loader, device=device), self._ray.put)
            for number in range(self._count()):
                self._start(number)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def run(self, tasks: Iterator[T]) -> Iterator[Event[T]]:
        """Do tasks; see `Workers.run`. A lost machine's are `lost`, and others go on.

        Raises:
            ClipassoError: networks that cannot be loaded, another version on a worker, or workers
                that end again and again before they have loaded.
            RuntimeError: any other error in a worker, with its traceback.
        """
        ahead, began, waiting = list[T](), monotonic(), False
        while True:
            for slot in [slot for slot in self._slots if slot.ready and slot.task is None]:
                ahead = ahead or list(islice(tasks, 1))
                if ahead:
                    slot.task = ahead.pop()
                    slot.reply = slot.actor.do.remote(pickle.dumps(slot.task))
            if not any(slot.task is not None for slot in self._slots):
                ahead = ahead or list(islice(tasks, 1))
                if not ahead:
                    return
            if any(slot.ready for slot in self._slots):
                began = monotonic()
            elif not waiting and monotonic() - began > _PATIENCE:
                waiting = True
                yield Event("said", 0, None, f"--cluster {self.cluster.address}: no worker has "
                            "begun yet; waiting for room on the cluster")  # fmt: skip
            replies = {slot.reply: slot for slot in self._slots if slot.reply is not None}
            if not replies:  # all that were busy have just ended
                continue
            done, _ = self._ray.wait(list(replies), timeout=_TICK)
            for reply in done:
                yield from self._hear(replies[reply])

    def _hear(self, slot: _Slot[T]) -> Iterator[Event[T]]:
        task, reply = slot.task, slot.reply
        slot.reply = None
        try:
            kind, value, lines = self._ray.get(reply)
        except self._ray.exceptions.RayTaskError as error:
            raise RuntimeError(f"in a worker of the cluster:\n{error}") from None
        except self._ray.exceptions.RayError as error:
            self._deaths += not slot.ready
            if self._deaths > _DEATHS * max(1, len(self._slots)):
                raise ClipassoError(
                    f"--cluster {self.cluster.address}: workers end before they have loaded "
                    f"({_line(error)}); give them more memory, or see Ray's logs"
                ) from None
            self._slots.remove(slot)
            self._start(slot.number)
            if task is not None:
                yield Event("lost", slot.number, task, _line(error))
            return
        for line in lines:
            yield Event("said", slot.number, task, line)
        if kind == "broken":
            raise RuntimeError(f"in a worker of the cluster:\n{value}")
        if kind == "failed" and not slot.ready:
            raise value
        self._deaths, slot.ready, slot.task = 0, True, None
        yield Event(kind, slot.number, task, value)

    def _connect(self) -> None:
        """Join the cluster, unless this program has done so already."""
        if self._ray.is_initialized():
            return
        where: dict[str, Any] = {"address": self.cluster.address}
        if self.cluster.address == "local":
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody was asked
            where["include_dashboard"] = False
        try:
            self._ray.init(**where, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError, ImportError) as error:  # OSError: no connection
            raise ClipassoError(
                f"--cluster {self.cluster.address}: cannot be reached ({_line(error)}); give "
                "ray://HOST:10001, or auto on a machine of the cluster"
            ) from None
        self._ours = True

    def _count(self) -> int:
        """How many workers: what there is room for now, or what was asked for."""
        if self.most is not None:
            return max(1, min(self.most, self.tasks))
        room = 0
        for node in self._ray.nodes():
            if node["Alive"]:
                there = node["Resources"]
                fits = int(there.get("CPU", 0) // self.cluster.cpus)
                if self.cluster.gpus:
                    fits = min(fits, int(there.get("GPU", 0) / self.cluster.gpus + 1e-9))
                room += fits
        if not room:
            gpus = f" and {self.cluster.gpus:g} GPU" if self.cluster.gpus else ""
            raise ClipassoError(
                f"--cluster {self.cluster.address}: no machine has room for a worker of "
                f"{self.cluster.cpus} CPU{gpus}; ask for less, or give --workers N to wait for room"
            )
        return min(room, self.tasks)

    def _start(self, number: int) -> None:
        """Ask for an actor; it begins when a machine has room for it."""
        made = self._ray.remote(
            num_cpus=self.cluster.cpus, num_gpus=self.cluster.gpus, max_restarts=0
        )(_Actor).remote()  # fmt: skip
        reply = made.load.remote(self._parcel, self.cluster.cpus)
        self._slots.append(_Slot(number, made, reply))

    def _end(self) -> None:
        for slot in self._slots:
            with suppress(Exception):  # it has gone
                self._ray.kill(slot.actor)
        self._slots.clear()
        if self._ours:
            self._ray.shutdown()


class _Actor:
    """What runs on the cluster: a worker without pipes, whose replies say all at once."""

    def load(self, parcel: dict[str, Any], threads: int) -> tuple[str, Any, list[str]]:
        """Load networks; replies with a kind and a value (`workers.Event`), and lines for people.

        Args:
            parcel: of `_packed`.
            threads: that libraries may use; Ray has limited those that it has imported itself.
        """
        limit_threads(threads)
        self._talk = _Lines()
        if parcel["version"] != __version__:
            return "failed", ClipassoError(
                f"--cluster: a worker has clipasso {__version__}, and here is "
                f"{parcel['version']}; install the same everywhere"
            ), []  # fmt: skip
        return self._attempt(lambda: self._begin(parcel), "ready")

    def do(self, task: bytes) -> tuple[str, Any, list[str]]:
        """Do a pickled task."""
        return self._attempt(lambda: self._work(pickle.loads(task)), "done")

    def _begin(self, parcel: dict[str, Any]) -> None:
        self._work: Callable[[Any], Any] = _unpacked(parcel)(self._talk)

    def _attempt(self, call: Callable[[], Any], kind: str) -> tuple[str, Any, list[str]]:
        self._talk.lines.clear()
        try:
            value = call()
        except ClipassoError as error:
            return "failed", error, self._talk.lines
        except Exception:
            return "broken", traceback.format_exc(), self._talk.lines
        return kind, value, self._talk.lines


class _Lines(Talk):
    """Keeps what is said; progress is not told, since a reply is all that comes back."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def send(self, kind: str, value: Any = None) -> None:
        if kind == "said":
            self.lines.append(value)


def _packed(loader: Loader, put: Callable[[Any], Any]) -> dict[str, Any]:
    """A loader and its files as the cluster takes them: each in Ray's store, which has it once a
    machine."""
    import numpy as np

    from clipasso.encoders import EMBEDDED, has_weights
    from clipasso.pipeline.batch.make import digest

    if loader.weights is None and loader.encoder != EMBEDDED:
        # What is here need not be fetched by every machine, which may have no way to the hub.
        loader = replace(loader, weights=has_weights(loader.encoder))
    files = {}
    for one in fields(loader):
        path = getattr(loader, one.name)
        if isinstance(path, Path):
            content = np.frombuffer(path.read_bytes(), np.uint8)  # arrays are shared, not copied
            files[one.name] = [put(content)], digest(path), path.suffix
    nothing: dict[str, Any] = dict.fromkeys(files)
    bare = replace(loader, **nothing)
    return {"version": __version__, "loader": pickle.dumps(bare), "files": files}


def _unpacked(parcel: dict[str, Any]) -> Loader:
    """The same on a machine of the cluster, its files written there once for all workers."""
    import ray

    from clipasso._caches import private_folder
    from clipasso._locks import held
    from clipasso.vector.safe_write import write_atomically

    loader: Loader = pickle.loads(parcel["loader"])
    found: dict[str, Any] = {}
    for name, ([content], sha256, ending) in parcel["files"].items():
        folder = Path(private_folder() or mkdtemp(), "weights")
        folder.mkdir(exist_ok=True)
        path = folder / f"{sha256}{ending}"
        with held(path.with_suffix(".lock")):
            if not path.is_file():
                write_atomically(path, bytes(ray.get(content)))
        found[name] = path
    return replace(loader, **found)


def _import_ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise ClipassoError(
            "--cluster: needs Ray; pip install 'clipasso[cluster]' here and on its machines"
        ) from None
    return ray


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:160]
