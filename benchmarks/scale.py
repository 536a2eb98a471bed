"""How the cost of a step grows with strokes, canvas and seeds, and that of a batch with photos.

    python benchmarks/scale.py

Milliseconds of one step of the loop with the embedded encoder (two images a seed), from the clock
at its evaluations; the baseline of every table is its first row, in the same run. Photos in one
batch are timed on CUDA only: a CPU encodes one seed at a time anyway.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import pairwise
from typing import Any

from clipasso import load_models, load_photo, sketch_photo, sketch_photos
from clipasso.encoders import EMBEDDED
from clipasso.errors import ClipassoError
from clipasso.optimise.loop import Progress
from clipasso.pipeline.models import Models
from clipasso.settings import make_settings
from common import Table, machine, print_table, write_json


def milliseconds(models: Models, pixels: Any, steps: int, photos: int = 1, **chosen: Any) -> float:
    """Median milliseconds of a step, for each photo of a batch; the first evaluations left out."""
    settings, _ = make_settings(
        "default", iterations=steps, evaluate_every=4, pool=8, tolerance=0.0, drop=False, **chosen
    )
    photo = load_photo(pixels, size=settings.canvas)
    at: list[float] = []

    def note(progress: Progress) -> None:
        if progress.photo == 0:
            at.append(progress.seconds)

    for result in sketch_photos([photo] * photos, models, settings, on_progress=note):
        if isinstance(result, ClipassoError):
            raise result
    return 1e3 * statistics.median(b - a for a, b in pairwise(at[1:])) / 4 / photos


def table(
    tables: dict[str, Table], key: str, name: str, values: list[int], measure: Any
) -> dict[int, float]:
    """Measure and print; the table is kept under its key."""
    found = {value: measure(value) for value in values}
    first = found[values[0]]
    rows = [[str(v), f"{ms:.1f}", f"{ms / first:.2f}"] for v, ms in found.items()]
    print()
    tables[key] = print_table([name, "ms a step", f"x {values[0]}"], rows)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, nargs="+", default=[4, 16, 64, 256, 1024])
    parser.add_argument("--sizes", type=int, nargs="+", default=[112, 224, 448, 896])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--photos", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--together", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    print(", ".join(f"{k} {v}" for k, v in machine().items()))

    from skimage import data

    pixels, steps = data.coffee(), arguments.steps
    settings, _ = make_settings("default")
    began = time.monotonic()
    models = load_models(settings, EMBEDDED)
    loading = time.monotonic() - began
    tables: dict[str, Table] = {}
    figures: dict[str, Any] = {
        "strokes": table(tables, "scale-strokes", "strokes", arguments.strokes, lambda n:
            milliseconds(models, pixels, steps, strokes=n, seeds=1)),
        "canvas": table(tables, "scale-canvas", "canvas, px", arguments.sizes, lambda n:
            milliseconds(models, pixels, steps, canvas=n, seeds=1)),
        "seeds": table(tables, "scale-seeds", "seeds", arguments.seeds, lambda n:
            milliseconds(models, pixels, steps, seeds=n)),
    }  # fmt: skip

    def batch(count: int) -> float:
        few, _ = make_settings("draft", iterations=steps, pool=8)
        began = time.monotonic()
        for _ in range(count):
            sketch_photo(load_photo(pixels, size=few.canvas), models, few)
        return 1e3 * (loading + time.monotonic() - began) / count / steps

    figures["photos"] = table(tables, "scale-photos", "photos", arguments.photos, batch)
    print("photos share the encoder and are sketched one after the other; loading is counted once")
    if models.device.type == "cuda":
        figures["together"] = table(
            tables,
            "scale-together",
            "photos together",
            arguments.together,
            lambda n: milliseconds(models, pixels, steps, n, strokes=16),
        )
        print("photos together share each step; milliseconds are of a step divided by the photos")
    else:
        print("photos together: not timed, since there is no CUDA here")
        rows = [[str(n), "not measured"] for n in arguments.together]
        tables["scale-together"] = {"heading": ["photos together", "ms a step"], "rows": rows}
    write_json(arguments.json, figures, tables)


if __name__ == "__main__":
    main()
