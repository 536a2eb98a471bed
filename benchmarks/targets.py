"""What was to be reached and what was: rows that are made of several benchmarks' figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from common import Table

__all__ = ["in_short", "targets"]

Results = Mapping[str, Any]  # the figures of each benchmark, by its name
_NO_GPU = "not measured"


def targets(results: Results) -> Table:
    """The targets, what was measured and whether that meets them."""
    sixteen, more, larger = _raster(results)
    faster = _step(results)
    whole = _whole(results)
    against, verdicts = _against(results)
    first = _first_picture(results)
    hourly, hourly_before = _photos_an_hour(results)
    cold, warm, later = _starts(results)
    rows = [
        _row("rasteriser, 16 cubic strokes, 224 x 224, forward + backward, one core",
             "under 0.5 ms", f"{sixteen:.2f} ms", sixteen < 0.5),
        _row("the same, 64 strokes", "under 4 times 16 strokes", f"{more:.1f} times", more < 4),
        _row("the same, 448 px, same strokes", "under 3 times 224 px", f"{larger:.1f} times",
             larger < 3),
        _row("rasteriser on a GPU", "0.1 ms in a CUDA graph; 2048 strokes at 2040 x 1344 in 2 ms",
             *_triton(results)),
        _row("step of the paper's loop, RN101, one seed, five images",
             "4 times the released loop, diffvg's time included",
             f"{faster:.1f} times, diffvg's time left out", None if faster < 4 else True),
        _row("default sketch against the version before",
             "half its time, judges within one standard error or better",
             f"{against:.2f} times; " + ", ".join(f"{j} {v}" for j, v in verdicts.items()),
             against <= 0.5 and set(verdicts.values()) <= {"within", "better"}),
        _row("default sketch, 16 strokes", "under 45 s", f"{whole['seconds']:.0f} s",
             whole["seconds"] < 45),
        _row("its loss against three times the steps", "no worse", f"{whole['worse']:+.1%}",
             whole["worse"] <= 0),
        _row("first picture (`--preview`), imports included", "at most 5 s",
             f"{first:.1f} s", first <= 5),
        _row("first evaluation within a tenth of the final loss", "under 5 s",
             f"{whole['preview']:.1f} s", whole["preview"] < 5),
        _row("the tenth step of all seeds, after the command", "under 6 s",
             f"{whole['first step']:.1f} s", whole["first step"] < 6),
        _row("first start after an install against the version before, processor time",
             "at most half", f"{cold:.2f} times", cold <= 0.5),
        _row("the same by the clock, against a later start", "at most 5 s more",
             f"{warm:+.1f} s", warm <= 5),
        _row("a later start against the version before, by the clock", "at most half",
             f"{later:.2f} times", later <= 0.5),
        _row("four photos in one call against one process", "1.35 times the photos an hour",
             f"{hourly:.2f} times", hourly >= 1.35),
        _row("the same against the version before", "1.35 times the photos an hour",
             f"{hourly_before:.2f} times", hourly_before >= 1.35),
        _row("whole sketch, RN101, 2000 steps, three seeds, GPU", "under 15 s", _NO_GPU, None),
        _row("memory, RN101, three seeds, CPU", "under 2.5 GB", "not measured", None),
    ]  # fmt: skip
    return {"heading": ["what", "target", "measured", "met"], "rows": rows}


def in_short(results: Results) -> Table:
    """The few figures that people ask for first."""
    sixteen, _, _ = _raster(results)
    whole = _whole(results)
    rows = [
        ["a sketch of 16 strokes, default settings", f"{whole['seconds']:.0f} s"],
        ["the same, `--preset draft`", f"{whole['draft']:.0f} s"],
        ["its first picture (`--preview`)", f"{_first_picture(results):.1f} s"],
        ["several photos in one call", f"{_hourly(results):.0f} an hour"],
        ["rasteriser, 16 strokes, forward and backward, one core", f"{sixteen:.2f} ms"],
        ["step of the paper's loop (RN101, five images) against the released code's",
         f"{_step(results):.1f} times faster, diffvg's time left out"],
    ]  # fmt: skip
    return {"heading": ["", "measured"], "rows": rows}


def _row(what: str, target: str, measured: str, met: bool | None) -> list[str]:
    return [what, target, measured, {True: "yes", False: "no", None: "open"}[met]]


def _raster(results: Results) -> tuple[float, float, float]:
    """Milliseconds of 16 strokes; 64 strokes and 448 px as multiples of that."""
    found = {
        (row["size"], row["strokes"]): 1e3 * sum(row["kernel"].values())
        for row in results["raster"]["kernel"]
    }
    base = found[224, 16]
    return base, found[224, 64] / base, found[448, 16] / base


def _triton(results: Results) -> tuple[str, bool | None]:
    if not results["raster"]["triton"]:
        return _NO_GPU, None
    small, *large = (row["graph"] for row in results["raster"]["triton"])
    return f"{small:.2f} ms; {max(large):.1f} ms", small <= 0.1 and max(large) <= 2


def _step(results: Results) -> float:
    """The released loop's time over ours, at its best."""
    sums = {name: sum(parts.values()) for name, parts in results["step"]["stages"].items()}
    released = sums.pop("as released")
    return released / min(sums.values())


def _whole(results: Results) -> dict[str, float]:
    """Medians over photos with the default preset, a draft's seconds, and loss by more steps."""
    kinds = results["whole"]
    middle = {
        key: statistics.median(made[key] for made in kinds["default"])
        for key in ("all", "first step", "preview")
    }
    more = next(made for name, made in kinds.items() if name.endswith("x steps"))
    ours, theirs = (statistics.mean(m["loss"] for m in made) for made in (kinds["default"], more))
    draft = statistics.median(made["all"] for made in kinds["draft"])
    return {**middle, "seconds": middle["all"], "draft": draft, "worse": ours / theirs - 1}


def _against(results: Results) -> tuple[float, dict[str, str]]:
    """The median ratio of seconds, and each judge's verdict."""
    found = results["against"]
    verdicts = {j: v["verdict"] if v else "unknown" for j, v in found["judges"].items()}
    return found["ratios"]["seconds"]["median"], verdicts


def _first_picture(results: Results) -> float:
    return statistics.median(made["first"] for made in results["time-limit"]["no limit"])


def _starts(results: Results) -> tuple[float, float, float]:
    """Cold now over before, of the processor; cold minus warm, and warm now over before."""
    parts = {(row["version"], row["state"]): row for row in results["start"]}
    cold = parts["now", "cold"]["processor"] / parts["before", "cold"]["processor"]
    warm = parts["now", "warm"]["all"]
    return cold, parts["now", "cold"]["all"] - warm, warm / parts["before", "warm"]["all"]


def _seconds(results: Results) -> dict[str, float]:
    """Median seconds of a call, by its workers."""
    runs = results["workers"]["runs"]
    return {w: statistics.median(run["seconds"] for run in made) for w, made in runs.items()}


def _photos_an_hour(results: Results) -> tuple[float, float]:
    """As a multiple of one process's, and of the version before's."""
    seconds = _seconds(results)
    return seconds["1"] / seconds["auto"], seconds["before"] / seconds["auto"]


def _hourly(results: Results) -> float:
    return 3600 * float(results["workers"]["photos"]) / _seconds(results)["auto"]
