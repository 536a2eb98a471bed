"""This version's default sketches against another version's: time, and what judges make of them.

What `benchmarks/sketch.py --against REV` does. The versions take turns, photo by photo, each sketch
in a process of its own, from the command to the end of the process. Judges are this version's, for
the sketches of both. No difference is called one that is within its standard error over photos.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.pipeline.capacity import cores
from common import ROOT, Table, labels, print_table, write_json
from versions import beside, environment, timed

if TYPE_CHECKING:
    from clipasso.evaluate.judges import InstanceJudge

__all__ = ["Paired", "compare", "paired", "ratios"]

JUDGES = ("efficientnet-lite2", "edges")
VERSIONS = ("before", "now")


@dataclass(frozen=True)
class Paired:
    """A judge's figures of the same photos before and now, higher being better.

    Attributes:
        photos: how many were judged both times.
        before, now: means over photos.
        difference: mean of now minus before.
        error: its standard error, from the differences; None of fewer than two photos.
    """

    photos: int
    before: float
    now: float
    difference: float
    error: float | None

    @property
    def verdict(self) -> str:
        """Whether the difference is within one standard error of none."""
        if self.error is None:
            return "unknown"
        if abs(self.difference) <= self.error:
            return "within"
        return "better" if self.difference > 0 else "worse"


def paired(before: Sequence[float], now: Sequence[float]) -> Paired | None:
    """Compare figures photo by photo; without those that are not finite. None where none is left.

    Raises:
        ValueError: not as many of one as of the other.
    """
    pairs = [p for p in zip(before, now, strict=True) if all(map(math.isfinite, p))]
    if not pairs:
        return None
    differences = [b - a for a, b in pairs]
    error = statistics.stdev(differences) / math.sqrt(len(pairs)) if len(pairs) > 1 else None
    first, second = (statistics.mean(values) for values in zip(*pairs, strict=True))
    return Paired(len(pairs), first, second, statistics.mean(differences), error)


def ratios(before: Sequence[float], now: Sequence[float]) -> dict[str, float]:
    """Of seconds now and before, photo by photo: the median and what they range over."""
    found = [b / a for a, b in zip(before, now, strict=True)]
    return {"median": statistics.median(found), "least": min(found), "most": max(found)}


def compare(arguments: argparse.Namespace, both: list[str], here: list[str]) -> None:
    """Sketch, judge, print and write.

    Args:
        arguments: of `benchmarks/sketch.py`.
        both: further options of `clipasso sketch`, of both versions.
        here: of this version alone.
    """
    names = labels(arguments.photos)
    judges = _judges(arguments)  # first, so that what is missing is said before hours of sketching
    keep = Path(arguments.keep) if arguments.keep else None
    place = nullcontext(keep) if keep else tempfile.TemporaryDirectory()
    with beside(arguments.against) as other, place as folder:
        threads = arguments.threads or cores()
        print(f"{threads} threads a process; before: {arguments.against}", flush=True)
        shared = ["--strokes", str(arguments.strokes), "--encoder", arguments.encoder, *both]
        if arguments.weights:
            shared += ["--weights", arguments.weights]
        if arguments.iterations:
            shared += ["--iterations", str(arguments.iterations)]
        ways = {
            "before": (environment(other, threads), shared),
            "now": (environment(ROOT, threads), [*shared, *here]),
        }
        runs, sketches = _run(arguments, ways, names, Path(folder))
        judged = _judge(judges, sketches)
    tables = {"against": _times(names, runs), "against-judges": _judgements(judged)}
    print("Judges: higher is better; edges in minus pixels of distance, Lite2 a cosine.")
    summary = {
        clock: ratios(*(_medians(runs, version, clock) for version in VERSIONS))
        for clock in ("seconds", "processor")
    }
    write_json(
        arguments.json,
        {
            "against": arguments.against, "photos": names, "threads": threads,
            "strokes": arguments.strokes, "options": {"both": both, "now": here},
            "runs": runs, "ratios": summary,
            "judges": {
                judge: found and {**asdict(found), "verdict": found.verdict}
                for judge, found in judged.items()
            },
        },
        tables,
    )  # fmt: skip


def _run(
    arguments: argparse.Namespace, ways: dict[str, Any], names: list[str], folder: Path
) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Path]]]]:
    """The seconds and the SVGs, by photo and run, then by version."""
    command = [sys.executable, "-m", "clipasso", "sketch"]
    quick = ["--preset", "draft", "--iterations", "1", "--encoder", arguments.encoder]
    if arguments.weights:
        quick += ["--weights", arguments.weights]
    for variables, _ in ways.values():  # so that kernels are compiled
        with tempfile.TemporaryDirectory() as out:
            timed([*command, arguments.photos[0], "-o", out, "-q", *quick], variables)
    runs: list[list[dict[str, Any]]] = [[] for _ in names]
    sketches: list[list[dict[str, Path]]] = [[] for _ in names]
    for run in range(arguments.runs):
        for index, photo in enumerate(arguments.photos):
            spent, made = {}, {}
            turns = VERSIONS if (run + index) % 2 == 0 else VERSIONS[::-1]
            for version in turns:
                variables, options = ways[version]
                out = folder / version / f"{index + 1}-{Path(photo).stem}-{run + 1}"
                words = [*command, photo, "-o", str(out), "-q", "--force", *options]
                if run:  # other seeds than before, or a sketch would be the same again
                    words += ["--seed", str(run)]
                spent[version] = asdict(timed(words, variables))
                (made[version],) = out.glob("*.svg")
            runs[index].append(spent)
            sketches[index].append(made)
            told = ", ".join(f"{v} {spent[v]['seconds']:.1f} s" for v in VERSIONS)
            print(f"{names[index]}: {told}", file=sys.stderr)
    return runs, sketches


def _judges(arguments: argparse.Namespace) -> dict[str, InstanceJudge]:
    """Those that have seen the photos to sketch, and others after these, by name."""
    from clipasso.evaluate.panel import choose_judges, seat
    from clipasso.evaluate.subjects import Subject, read_photo

    paths = [Path(photo) for photo in [*arguments.photos, *arguments.among]]
    # A mean over one photo is that photo: nothing of it would be left to compare with.
    kinds = JUDGES if len(paths) > 1 else JUDGES[1:]
    if len(paths) == 1:
        print(f"{JUDGES[0]} does not judge one photo alone; name others with --among")
    photos = [read_photo(Subject(path, "")) for path in paths]
    return dict(zip(kinds, seat(choose_judges(kinds), photos, ()).instance, strict=True))


def _judge(
    judges: dict[str, InstanceJudge], sketches: list[list[dict[str, Path]]]
) -> dict[str, Paired | None]:
    """Each judge's figures of each photo's sketches, the mean over its runs."""
    from clipasso.evaluate.looks import see_sketch

    found = {}
    for name, judge in judges.items():
        means: dict[str, list[float]] = {version: [] for version in VERSIONS}
        for photo, runs in enumerate(sketches):
            for version, values in means.items():
                seen = [see_sketch(run[version]).pixels for run in runs]
                values.append(statistics.mean(judge.similarities(s)[photo] for s in seen))
        found[name] = paired(means["before"], means["now"])
    return found


def _medians(runs: list[list[dict[str, Any]]], version: str, clock: str) -> list[float]:
    """By photo, over its runs."""
    return [statistics.median(run[version][clock] for run in photo) for photo in runs]


def _times(names: list[str], runs: list[list[dict[str, Any]]]) -> Table:
    columns: list[list[str]] = [names]
    last = ["median"]
    for clock in ("seconds", "processor"):
        before, now = (_medians(runs, version, clock) for version in VERSIONS)
        columns += [[f"{v:.1f}" for v in values] for values in (before, now)]
        columns.append([f"{b / a:.2f}" for a, b in zip(before, now, strict=True)])
        middle = ratios(before, now)
        last += [f"{statistics.median(values):.1f}" for values in (before, now)]
        last.append("{median:.2f} ({least:.2f} to {most:.2f})".format(**middle))
    loads = [[run[version]["load"] for run in photo for version in VERSIONS] for photo in runs]
    columns.append([f"{min(some):.1f} to {max(some):.1f}" for some in loads])
    every = [busy for some in loads for busy in some]
    last.append(f"{min(every):.1f} to {max(every):.1f}")
    return print_table(
        ["photo", "s before", "now", "ratio", "processor s before", "now", "ratio", "load before"],
        [*map(list, zip(*columns, strict=True)), last],
    )


def _judgements(judged: dict[str, Paired | None]) -> Table:
    rows = []
    for judge, found in judged.items():
        if found is None:
            rows.append([judge, "0", "-", "-", "-", "-", "unknown"])
            continue
        error = "-" if found.error is None else f"{found.error:.4f}"
        rows.append([
            judge, str(found.photos), f"{found.before:.4f}", f"{found.now:.4f}",
            f"{found.difference:+.4f}", error, found.verdict,
        ])  # fmt: skip
    return print_table(
        ["judge", "photos", "before", "now", "difference", "standard error", "within one"], rows
    )
