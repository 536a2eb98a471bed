"""What the pool of augmentations costs in loss and saves in time, against fresh augmentations.

    python benchmarks/pool.py PHOTO... --encoder efficientnet-lite0

For each photo and each of several seeds, sketches once with the photo's features computed for a
pool of transforms at the start, and once with fresh transforms encoded in every step; everything
else is equal. Prints the median final evaluation loss, its spread over seeds (standard deviation),
the loss difference paired by seed, and the ratio of times.
"""

from __future__ import annotations

import argparse
import statistics

import clipasso
from clipasso.encoders import EMBEDDED
from common import clock, machine, print_table, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--encoder", default=EMBEDDED)
    parser.add_argument("--weights")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--pools", type=int, nargs="+", default=[20, 60])
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    encoder = clipasso.load_encoder(arguments.encoder, arguments.weights)
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    rows, figures = [], []
    for photo in arguments.photos:
        losses, seconds = {}, {}
        for pool in (0, *arguments.pools):
            parts: dict[str, float] = {}
            result = clock(
                parts,
                "all",
                lambda pool=pool, photo=photo: clipasso.sketch(
                    photo, encoder=encoder, pool=pool, seeds=arguments.seeds,
                    iterations=arguments.iterations,
                ),
            )  # fmt: skip
            losses[pool], seconds[pool] = result.outcome.losses, parts["all"]
        spread = statistics.stdev(losses[0])
        for pool in arguments.pools:
            difference = [a - b for a, b in zip(losses[pool], losses[0], strict=True)]
            rows.append([
                result.photo.name, str(pool), f"{statistics.median(losses[0]):.4f}",
                f"{statistics.median(losses[pool]):.4f}", f"{spread:.4f}",
                f"{statistics.mean(difference):+.4f}", f"{seconds[0] / seconds[pool]:.2f}",
            ])  # fmt: skip
        figures.append({"photo": result.photo.name, "losses": losses, "seconds": seconds})
    table = print_table(
        ["photo", "pool", "loss fresh", "loss pool", "spread", "difference", "x faster"], rows
    )
    write_json(arguments.json, figures, {"pool": table})


if __name__ == "__main__":
    main()
