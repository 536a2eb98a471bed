"""A batch of many photos: how soon it begins, what its manifest and pages cost, what memory.

    python benchmarks/batch.py                       # 10 000 photos
    python benchmarks/batch.py --photos 1000 --runs 3

Sketches are played: a stand-in writes files of usual size in place of a sketch, so what is measured
is all that a batch does beside sketching. The baseline of the ratio is the same files written by a
plain loop, whole or not at all, without a manifest. Photos are small JPEG files in folders of 500;
`begin` is from the call to the first photo that is handed out, `go on` the same of a second call
for which nothing is left, with its pages. Memory is the most that the process took, beyond what it
took after a batch of 50 photos (Linux).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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


def play_batch(source: Path, out: Path, picture: bytes) -> dict[str, float]:
    """Seconds to the first photo and of the whole, for a batch whose sketches take no time."""
    began, first = time.perf_counter(), [0.0]

    def play(task: Task) -> list[Any]:
        first[0] = first[0] or time.perf_counter() - began
        return [
            Made(CONTENTS, picture, Stamp.of(piece.path) or Stamp(0, 0), "0" * 64, 1.0, 1.0, "none")
            for piece in task.pieces
        ]

    Loader.__call__ = lambda self, talk: play  # type: ignore[method-assign,assignment]
    batch(source, out, encoder="efficientnet-lite0")
    whole = time.perf_counter() - began
    return {"begin": first[0] or whole, "whole": whole}


def write_plainly(source: Path, out: Path, picture: bytes) -> float:
    """Seconds to write the same files in a loop."""
    began = time.perf_counter()
    for photo in sorted(source.rglob("*.jpg")):
        name = photo.relative_to(source).with_suffix("")
        for place in (out / name, out / "_gallery" / name):
            place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out / "_gallery" / f"{name}.jpg", picture)
        for ending, content in CONTENTS.items():
            write_atomically(out / f"{name}{ending}", content)
    return time.perf_counter() - began


def run(count: int) -> dict[str, float]:
    """One batch of so many photos, one more for which nothing is left, and the plain loop."""
    busy, picture = load(), thumb()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "photos"), Path(folder, "out")
        make_photos(source, 50)
        play_batch(source, Path(folder, "few"), picture)  # so that everything is imported
        base = peak()
        make_photos(source, count)
        made, again = play_batch(source, out, picture), play_batch(source, out, picture)
        plain = write_plainly(source, Path(folder, "plain"), picture)
        pages = sum(path.stat().st_size for path in out.glob("index*.html")) / 1e6
    return {
        "begin": made["begin"], "whole": made["whole"], "plain": plain, "go on": again["whole"],
        "each": (made["whole"] - plain) / count * 1000, "memory": peak() - base, "page": pages,
        "load": busy,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    found = {count: [run(count) for _ in range(arguments.runs)] for count in arguments.photos}
    rows = []
    for count, runs in found.items():
        middle = {name: statistics.median(one[name] for one in runs) for name in runs[0]}
        rows.append([
            str(count), f"{middle['begin']:.1f}", f"{middle['go on']:.1f}",
            f"{middle['whole'] / middle['plain']:.2f}", f"{middle['each']:.1f}",
            f"{middle['memory']:.0f}", f"{middle['page']:.1f}",
            f"{min(one['load'] for one in runs):.1f}",
        ])  # fmt: skip
    table = print_table(
        ["photos", "begin s", "go on s", "whole / plain loop", "ms a photo more", "MB more",
         "gallery MB", "load before"], rows,
    )  # fmt: skip
    write_json(arguments.json, {str(count): runs for count, runs in found.items()},
               {"batch": table})  # fmt: skip


if __name__ == "__main__":
    main()
