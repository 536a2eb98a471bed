"""A batch of many photos: how soon it begins, what its manifest and pages cost, what memory.

    python benchmarks/batch.py                                     # begin with 10 000, write 1000
    python benchmarks/batch.py --begin 100000 --photos 10000 --runs 3

Sketches are played: a stand-in gives contents of usual size in place of a sketch, so what is
measured is all that a batch does beside sketching. Photos are small JPEG files in folders of 500.
To begin is from the call to the first photo that is handed out; to go on is a whole second call for
which nothing is left, pages included. The baseline of the ratio is the same files written by a
plain loop, each whole or not at all, without manifest and pages. Seconds are told as they passed
and as the processor was at work, since on a busy machine the first say little. Memory is the most
that the process took, beyond what it took after a batch of 50 photos (Linux).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from clipasso.pipeline.batch import batch
from clipasso.pipeline.batch.make import Loader, Made, Task
from clipasso.pipeline.batch.manifest import Stamp
from clipasso.vector.safe_write import write_atomically
from common import load, machine, print_table, write_json

CONTENTS = {".png": bytes(30_000), ".json": bytes(12_000), ".svg": bytes(4_000)}
"""As large as those of a usual sketch."""


def make_photos(folder: Path, count: int) -> None:
    """Small photos; their content does not matter, since nothing decodes them."""
    for number in range(count):
        path = folder / f"{number // 500:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%06d" % number * 200)


def thumb() -> bytes:
    """A small picture as the gallery has."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_noise((384, 192), 20).convert("RGB").save(buffer, "jpeg", quality=82)
    return buffer.getvalue()


def peak() -> float:
    """MB that this process took at most."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 1024)


class Begun(Exception):  # noqa: N818 - no error
    """A batch has handed out its first photo, and that is all that was asked."""


def play_batch(source: Path, out: Path, picture: bytes, begin_only: bool = False) -> Seconds:
    """A batch whose sketches take no time, or its beginning."""

    def play(task: Task) -> list[Any]:
        if begin_only:
            raise Begun
        return [
            Made(CONTENTS, picture, Stamp.of(piece.path) or Stamp(0, 0), "0" * 64, 1.0, 1.0, "none")
            for piece in task.pieces
        ]

    Loader.__call__ = lambda self, talk: play  # type: ignore[method-assign,assignment]
    began = Seconds.now()
    with suppress(Begun):
        batch(source, out, encoder="efficientnet-lite0")
    return Seconds.now().since(began)


class Seconds(NamedTuple):
    """Seconds that passed, and those that this process computed."""

    passed: float
    computed: float

    @classmethod
    def now(cls) -> Seconds:
        return cls(time.perf_counter(), time.process_time())

    def since(self, began: Seconds) -> Seconds:
        return Seconds(self.passed - began.passed, self.computed - began.computed)


def write_plainly(source: Path, out: Path, picture: bytes) -> Seconds:
    """The same files in a loop."""
    began = Seconds.now()
    for photo in sorted(source.rglob("*.jpg")):
        name = photo.relative_to(source).with_suffix("")
        for place in (out / name, out / "_gallery" / name):
            place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "_gallery" / f"{name}.jpg", picture)
        for ending, content in CONTENTS.items():
            write_atomically(out / f"{name}{ending}", content)
    return Seconds.now().since(began)


def run(begin: int, count: int) -> dict[str, Any]:
    """The beginning of one batch, another from end to end and once more, and the plain loop."""
    busy, picture = load(), thumb()
    with tempfile.TemporaryDirectory() as folder:
        few, many, more = (Path(folder, name) for name in ("few", "many", "more"))
        make_photos(few, 50)
        play_batch(few, Path(folder, "out-few"), picture)  # so that everything is imported
        base = peak()
        make_photos(many, begin)
        beginning = play_batch(many, Path(folder, "out-many"), picture, begin_only=True)
        memory = peak() - base
        make_photos(more, count)
        made = play_batch(more, Path(folder, "out"), picture)
        again = play_batch(more, Path(folder, "out"), picture)
        plain = write_plainly(more, Path(folder, "plain"), picture)
    return {
        "begin": beginning, "memory": memory, "whole": made, "go on": again, "plain": plain,
        "load": busy,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--begin", type=int, default=10_000)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    runs = [run(arguments.begin, arguments.photos) for _ in range(arguments.runs)]

    def middle(name: str, which: int) -> float:
        return statistics.median(one[name][which] for one in runs)

    rows, each = [], arguments.photos / 1000
    for which, kind in enumerate(("passed", "computed")):
        whole, plain = middle("whole", which), middle("plain", which)
        rows.append([
            kind, f"{middle('begin', which):.1f}", f"{middle('go on', which):.1f}",
            f"{whole / each:.2f}", f"{plain / each:.2f}", f"{whole / plain:.2f}",
        ])  # fmt: skip
    table = print_table(
        ["seconds", f"to begin, {arguments.begin} photos", f"to go on, {arguments.photos}",
         "ms a photo", "ms in a plain loop", "ratio"], rows,
    )  # fmt: skip
    print(f"memory: {statistics.median(one['memory'] for one in runs):.0f} MB more to begin; "
          f"load before: {min(one['load'] for one in runs):.1f}")  # fmt: skip
    write_json(arguments.json, runs, {"batch": table})


if __name__ == "__main__":
    main()
