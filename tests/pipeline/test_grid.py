"""Many sketches in several processes: each made once, and the progress is that of all."""

from dataclasses import replace

from clipasso import ClipassoError
from clipasso.encoders import EMBEDDED
from clipasso.pipeline.grid import Run, make_runs
from clipasso.pipeline.study import Study
from clipasso.settings import make_settings


def test_side_by_side_each_is_made_and_one_that_fails_costs_no_other(photo_path, tmp_path):
    settings, _ = make_settings(seeds=1, iterations=2, augmentations=0, strokes=3, zoom="none")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    labels = {
        Run(photo_path, settings, "none"): "three",
        Run(bad, settings, "none"): "bad",
        Run(photo_path, replace(settings, strokes=2), "none"): "two",
    }
    study = Study(tmp_path, EMBEDDED, device="cpu", workers="2")
    seen, failed = [], []
    make_runs(
        study, labels, on_progress=seen.append,
        on_failure=lambda run, error: failed.append((run, error)),
    )  # fmt: skip
    three, wrong, two = labels
    assert [run for run, _ in failed] == [wrong]
    assert isinstance(failed[0][1], ClipassoError)
    assert [len(study.read(run).sketches[0]) for run in (three, two)] == [3, 2]
    ends = [now for now in seen if now.finished]
    assert {now.label for now in ends} == {"three", "two"}
    assert [now.number for now in ends] in ([1, 2], [1, 3], [2, 3])
    assert (ends[-1].steps, ends[-1].of_steps, ends[-1].runs) in ((6, 6, 3), (4, 6, 3))
    make_runs(study, {three: "three", two: "two"}, on_progress=seen.clear)  # nothing is left to do
    assert seen
