"""All benchmarks whose figures stand in the documents, one after the other, and these made anew.

    make benchmarks                          # those that this version has no results of yet
    make benchmarks ONLY=start,raster        # some of them; the documents wait for the others
    make benchmarks ONLY=raster AGAIN=1      # although there are results
    make benchmarks PHOTOS="a.jpg b.png c.jpg d.png" AGAINST=REV

Results are kept by version, in `benchmarks/results/VERSION/NAME.json`, which git ignores. A version
is the last commit that changed the package: one of documents alone has the same results. Only when
all are there, of one version and machine, are the tables between the markers of the documents made
anew, all at once. `--smallest` tries the pipeline: its figures mean nothing and are kept apart, and
so are the documents made of them.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipasso.vector.safe_write import write_atomically
from common import ROOT, labels, version
from document import caption, fill, markdown
from targets import in_short, targets

__all__ = ["BENCHMARKS", "COMPUTED", "DOCUMENTS", "Benchmark", "contents", "problems"]

BASELINE = "cc0cbf8"
"""The version that "before" means in the documents, unless `--against` names another: the last
one before sketches were made faster."""

DOCUMENTS = ("docs/performance.md", "README.md")
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Benchmark:
    """A program, with a size that is over in minutes.

    Attributes:
        name: of its results.
        words: its file and options; `{1}`, `{2}` ... stand for so many photos, `{all}` for all,
            `{against}` for the version before.
        smallest: the same, over in seconds.
        tables: the names of those that it makes.
    """

    name: str
    words: str
    smallest: str
    tables: tuple[str, ...]

    def command(self, photos: Sequence[str], against: str, smallest: bool = False) -> list[str]:
        """The words, filled in."""
        found: list[str] = []
        for word in (self.smallest if smallest else self.words).split():
            if word == "{all}":
                found += photos
            elif word == "{against}":
                found.append(against)
            elif word.startswith("{"):
                found += photos[: int(word.strip("{}"))]
            else:
                found.append(word)
        return found


_SKETCH = "sketch.py {1} --presets default draft --whole --more 3"
BENCHMARKS = (
    Benchmark("raster", "raster.py", "raster.py --runs 3 --no-reference",
              ("raster", "raster-cuda")),
    Benchmark("profiles", "raster.py --profiles", "raster.py --profiles", ("profiles",)),
    Benchmark("encoder", "encoder.py --runs 9", "encoder.py --runs 1 --images 2", ("encoder",)),
    Benchmark("step", "step.py --runs 5", "step.py --runs 1", ("step", "step-floor")),
    Benchmark("waiting", "waiting.py --runs 3", "waiting.py --runs 1 --steps 1", ("waiting",)),
    Benchmark("memory", "memory.py --runs 1", "memory.py --runs 1 --largest 2048", ("memory",)),
    Benchmark("start", "start.py {1} --runs 3 --against {against}",
              "start.py {1} --runs 1 --iterations 1 --against {against}", ("start",)),
    Benchmark("scale", "scale.py",
              "scale.py --strokes 4 --sizes 112 --seeds 1 --photos 1 --steps 12",
              ("scale-strokes", "scale-canvas", "scale-seeds", "scale-photos", "scale-together")),
    Benchmark("time-limit", "time_limit.py {2} --limits 5 10 20 --baseline",
              "time_limit.py {1} --limits 1 --baseline -- --iterations 2", ("time-limit",)),
    Benchmark("workers", "workers.py {4} --runs 2 --against {against}",
              "workers.py {2} --runs 1 --against {against} -- --preset draft --iterations 1",
              ("workers",)),
    Benchmark("whole", _SKETCH, _SKETCH + " --iterations 1", ("whole",)),
    Benchmark("against", "sketch.py {all} --against {against} --keep sketches/against",
              "sketch.py {2} --against {against} --iterations 1 -- --preset draft",
              ("against", "against-judges")),
    Benchmark("pool", "pool.py {2} --seeds 3 --iterations 100",
              "pool.py {1} --seeds 2 --iterations 1 --pools 2", ("pool",)),
    Benchmark("seeds", "seeds.py {2}", "seeds.py {1} --steps 2 --seeds 2", ("seeds",)),
    Benchmark("race", "race.py {2}", "race.py {1} --seeds 2 --iterations 2", ("race",)),
)  # fmt: skip
"""In the order in which they run: short ones first."""

COMPUTED = {"targets": targets, "in-short": in_short}
"""Tables of several benchmarks' figures."""


def problems(results: Mapping[str, Mapping[str, Any]], now: str) -> list[str]:
    """Why results cannot be the tables of one version, a line each; none where they can.

    Args:
        results: what each benchmark wrote, by its name.
        now: the version that the tables are to be of.
    """
    found = []
    if now == "unknown" or now.endswith("-changed"):
        found.append("the package has changes that are in no commit, or there is no git")
    if missing := [b.name for b in BENCHMARKS if b.name not in results]:
        found.append(f"no results yet of {', '.join(missing)}")
    for benchmark in BENCHMARKS:
        record = results.get(benchmark.name)
        if record is None:
            continue
        if record["version"] != now:
            found.append(f"{benchmark.name}: of version {record['version']}, not {now}")
        if set(record["tables"]) != set(benchmark.tables):
            found.append(f"{benchmark.name}: has other tables than {', '.join(benchmark.tables)}")
    machines = {json.dumps(_machine(record)) for record in results.values()}
    if len(machines) > 1:
        found.append("results are of different machines or libraries: " + "; ".join(machines))
    return found


def contents(results: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What stands in each block of the documents, from results without `problems`."""
    found = {}
    for benchmark in BENCHMARKS:
        record = results[benchmark.name]
        for name, table in record["tables"].items():
            found[name] = f"{markdown(table)}\n\n{caption(record)}"
    figures = {name: record["figures"] for name, record in results.items()}
    for name, make in COMPUTED.items():
        found[name] = markdown(make(figures))
    found["version"] = _version_told(results)
    return found


def _machine(record: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record["machine"].items() if k not in ("threads", "load")}


def _version_told(results: Mapping[str, Mapping[str, Any]]) -> str:
    records = list(results.values())
    days = sorted({record["date"][:10] for record in records})
    loads = [load for record in records for load in record["load"]]
    about = ", ".join(f"{k} {v}" for k, v in _machine(records[0]).items())
    return (
        f"**All tables of this page are of version `{records[0]['version']}`**, measured "
        f"{' to '.join(dict.fromkeys((days[0], days[-1])))} by `make benchmarks` ({about}; load "
        f"average {min(loads):.1f} to {max(loads):.1f}; photos "
        f'{", ".join(results["against"]["figures"]["photos"])}). "Before" is version '
        f"`{results['against']['figures']['against']}`."
    )


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for benchmark in BENCHMARKS:
        path = folder / f"{benchmark.name}.json"
        if path.exists():
            found[benchmark.name] = json.loads(path.read_text())
    return found


def _measure(benchmark: Benchmark, command: list[str], photos: list[str], folder: Path) -> bool:
    """Run one and keep its results; whether that succeeded."""
    from versions import environment

    kept, part = folder / f"{benchmark.name}.json", folder / f"{benchmark.name}.part"
    part.unlink(missing_ok=True)
    script, *options = command
    options = ["--json", str(part), *options]
    began, of = time.monotonic(), version()
    print(f"\n== {benchmark.name}: {shlex.join(command)}", flush=True)
    program = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    process = subprocess.Popen(program, env=environment(ROOT))
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.wait()  # it heard that too, and may have a checkout to remove
        raise
    except SystemExit:
        process.terminate()
        process.wait()
        raise
    if status or not part.exists():
        print(f"{benchmark.name}: failed with status {status}", file=sys.stderr)
        return False
    record = json.loads(part.read_text())
    part.unlink()
    if record["version"] != of:
        print(f"{benchmark.name}: the package changed meanwhile; not kept", file=sys.stderr)
        return False
    short = dict(zip(photos, labels(photos), strict=True))
    record["command"] = command
    record["told"] = "python benchmarks/" + " ".join(short.get(word, word) for word in command)
    write_atomically(kept, json.dumps(record, indent=2) + "\n")
    print(f"{benchmark.name}: {time.monotonic() - began:.0f} s", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", help="four or more; most benchmarks take the first")
    parser.add_argument("--only", help="names, with commas between")
    parser.add_argument("--again", action="store_true", help="also what has results")
    parser.add_argument("--against", default=BASELINE, help="the version before")
    parser.add_argument("--smallest", action="store_true", help="to try the pipeline")
    arguments = parser.parse_args()
    names = [benchmark.name for benchmark in BENCHMARKS]
    chosen = arguments.only.split(",") if arguments.only else names
    if unknown := [name for name in chosen if name not in names]:
        parser.error(f"{', '.join(unknown)}: no such benchmark; there are {', '.join(names)}")
    if len(arguments.photos) < 4:
        parser.error("four photos at least")
    photos = [str(Path(photo).resolve()) for photo in arguments.photos]
    if missing := [photo for photo in photos if not Path(photo).is_file()]:
        parser.error(f"{missing[0]}: no such photo")
    now = version()
    folder = RESULTS / (now + "-smallest" if arguments.smallest else now)
    folder.mkdir(parents=True, exist_ok=True)
    kept = _read(folder)
    failed = []
    for benchmark in BENCHMARKS:
        command = benchmark.command(photos, arguments.against, arguments.smallest)
        same = kept.get(benchmark.name, {}).get("command") == command
        unfinished = now.endswith("-changed") and not arguments.smallest
        if benchmark.name not in chosen or (same and not arguments.again and not unfinished):
            continue
        if not _measure(benchmark, command, photos, folder):
            failed.append(benchmark.name)
    if failed:
        print(f"failed: {', '.join(failed)}; the documents stay as they are", file=sys.stderr)
        return 1
    return _write(_read(folder), now, folder if arguments.smallest else None)


def _write(results: dict[str, dict[str, Any]], now: str, elsewhere: Path | None) -> int:
    """Make the documents anew, or copies of them elsewhere; the exit status."""
    found = problems(results, now)
    if elsewhere:  # figures that mean nothing may be of files in no commit
        found = [line for line in found if not line.startswith("the package has changes")]
    if found:
        print("the documents stay as they are:\n  " + "\n  ".join(found), file=sys.stderr)
        return 0
    made = contents(results)
    filled = {name: fill((ROOT / name).read_text(encoding="utf-8"), made) for name in DOCUMENTS}
    for name, text in filled.items():
        path = elsewhere / Path(name).name if elsewhere else ROOT / name
        write_atomically(path, text)
        print(f"made anew: {path}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nstopped; the same command goes on with the next benchmark")
