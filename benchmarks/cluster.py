"""A batch on Ray's own test cluster in this machine: photos an hour with one and two nodes.

    python benchmarks/cluster.py PHOTO PHOTO PHOTO PHOTO
    python benchmarks/cluster.py PHOTO PHOTO PHOTO PHOTO --nodes 1 2 4 -- --iterations 50

Each node has one core and one worker, and all are in this machine, so it has to have as many cores
for the figures to mean anything. The baseline is one process of one thread without a cluster.
Seconds are from the first photo that is handed out to the last that is written: workers load their
networks before, which a batch does once. Nodes take turns over the runs; the median is told, with
the machine's load before each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

from common import load, machine, print_table, split, write_json


def run(photos: list[str], settings: dict[str, Any], nodes: int) -> dict[str, float]:
    """One batch: seconds of sketching; without a cluster for 0 nodes."""
    import clipasso

    busy, cluster, ends = load(), None, list[float]()
    began = [0.0]

    def show(now: Any) -> None:
        if now.loss is None and not ends:
            began[0] = began[0] or time.perf_counter()
        if now.finished:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        if nodes:
            import ray
            from ray.cluster_utils import Cluster

            size = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
            cluster = Cluster(initialize_head=True, head_node_args=size)
            for _ in range(nodes - 1):
                cluster.add_node(**size)
            ray.init(address=cluster.address, log_to_driver=False)
        try:
            summary = clipasso.batch(
                photos, Path(folder, "out"), encoder="efficientnet-lite0", on_progress=show,
                cluster=None if cluster is None else clipasso.Cluster(cluster.address),
                workers="auto" if nodes else 1, **settings,
            )  # fmt: skip
        finally:
            if cluster is not None:
                ray.shutdown()
                cluster.shutdown()
        if summary.done < summary.photos:
            raise SystemExit(f"it failed: {summary.failed}")
    return {"seconds": ends[-1] - began[0], "load": busy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    own, *further = split(sys.argv[1:])
    arguments = parser.parse_args(own)
    words = [*chain.from_iterable(further)]
    settings = {
        name.removeprefix("--").replace("-", "_"): int(value)
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import torch

    torch.set_num_threads(1)  # as a worker has
    print(", ".join(f"{k} {v}" for k, v in machine().items()))
    found: dict[int, list[dict[str, float]]] = {nodes: [] for nodes in (0, *arguments.nodes)}
    for _ in range(arguments.runs):
        for nodes, runs in found.items():
            runs.append(run(arguments.photos, settings, nodes))
    rows, base = [], 0.0
    for nodes, runs in found.items():
        hourly = len(arguments.photos) * 3600 / statistics.median(one["seconds"] for one in runs)
        base = base or hourly
        rows.append([
            str(nodes) if nodes else "none", f"{3600 / hourly:.1f}", f"{hourly:.0f}",
            f"{hourly / base:.2f}", f"{min(one['load'] for one in runs):.1f}",
        ])  # fmt: skip
    table = print_table(
        ["nodes", "seconds a photo", "photos an hour", "of no cluster", "load before"], rows
    )
    write_json(arguments.json, {str(nodes): runs for nodes, runs in found.items()},
               {"cluster": table})  # fmt: skip


if __name__ == "__main__":
    main()
