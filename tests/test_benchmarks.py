"""The benchmarks' own arithmetic and their documents; nothing is timed here."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import against
import common
import document
import run_all
import versions

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
FIGURES = {
    "raster": {
        "kernel": [
            {"size": size, "strokes": strokes, "kernel": {"forward": ms / 1e3, "backward": 1e-4}}
            for size, strokes, ms in ((224, 16, 0.2), (224, 64, 0.5), (448, 16, 0.3))
        ],
        "triton": [],
    },
    "step": {"stages": {"as released": {"all": 4.0}, "fp32": {"all": 2.0}, "bf16": {"all": 1.0}}},
    "start": [
        {"version": version, "state": state, "all": seconds, "processor": seconds}
        for version, state, seconds in (
            ("before", "cold", 20.0), ("before", "warm", 6.0), ("now", "cold", 9.0),
            ("now", "warm", 3.0),
        )
    ],
    "whole": {
        kind: [{"all": seconds, "first step": 3.0, "preview": 4.0, "loss": loss}]
        for kind, seconds, loss in (
            ("default", 24.0, 1.7), ("draft", 8.0, 1.8), ("default, 3 x steps", 90.0, 1.6),
        )
    },
    "against": {
        "against": "abc1234", "photos": ["cup", "cat"],
        "ratios": {"seconds": {"median": 0.45, "least": 0.4, "most": 0.5}},
        "judges": {"edges": {"verdict": "within"}, "efficientnet-lite2": None},
    },
    "time-limit": {"no limit": [{"first": 4.2}]},
    "workers": {
        "photos": 4,
        "runs": {
            kind: [{"seconds": seconds}]
            for kind, seconds in (("before", 300.0), ("1", 150.0), ("auto", 100.0))
        },
    },
}  # fmt: skip


@pytest.fixture
def results():
    """As they lie in the folder of results, one of every benchmark."""
    return {
        benchmark.name: {
            "version": "abc1234", "date": "2026-01-02T03:04:05+00:00", "load": [0.5, 1.5],
            "machine": {"cpu": "a", "cores": 2, "threads": 1, "load": 0.2},
            "told": f"python benchmarks/{benchmark.words}",
            "figures": FIGURES.get(benchmark.name),
            "tables": {
                name: {"heading": ["what", "ms"], "rows": [[name, "1.25"]]}
                for name in benchmark.tables
            },
        }
        for benchmark in run_all.BENCHMARKS
    }  # fmt: skip


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_marker_has_a_generator_and_every_table_a_place():
    marked = [name for path in run_all.DOCUMENTS for name in document.block_names(text_of(path))]
    made = [name for benchmark in run_all.BENCHMARKS for name in benchmark.tables]
    assert sorted(marked) == sorted([*made, *run_all.COMPUTED, "version"])


def test_tables_stand_between_markers_only():
    """A figure beside them would be of whichever version somebody wrote it in."""
    for line in document.fill(text_of("docs/performance.md"), dict.fromkeys(all_names(), "")).split(
        "\n"
    ):
        assert not line.startswith("|"), line


def all_names():
    return [name for path in run_all.DOCUMENTS for name in document.block_names(text_of(path))]


@pytest.mark.parametrize("benchmark", run_all.BENCHMARKS, ids=lambda b: b.name)
def test_a_benchmark_writes_the_tables_that_are_declared(benchmark):
    script = benchmark.words.split()[0]
    assert benchmark.smallest.split()[0] == script
    # What `sketch.py --against` does is in a module of its own.
    places = [FOLDER / script, *([FOLDER / "against.py"] if "--against" in benchmark.words else [])]
    source = "".join(place.read_text(encoding="utf-8") for place in places)
    assert all(f'"{name}"' in source for name in benchmark.tables)


def test_documents_made_twice_are_the_same(results):
    made = run_all.contents(results)
    for name in run_all.DOCUMENTS:
        before = text_of(name)
        once = document.fill(before, made)
        assert document.fill(once, run_all.contents(results)) == once != before
        # The prose stays: with all blocks empty there is no difference.
        empty = dict.fromkeys(made, "")
        assert document.fill(once, empty) == document.fill(before, empty)
    assert "abc1234" in made["version"]
    assert "0.5 before, 1.5 after" in made["raster"]


def test_computed_rows(results):
    figures = {name: record["figures"] for name, record in results.items()}
    rows = {row[0]: row[2:] for row in run_all.targets(figures)["rows"]}
    assert rows["rasteriser, 16 cubic strokes, 224 x 224, forward + backward, one core"] == [
        "0.30 ms", "yes",
    ]  # fmt: skip
    assert rows["the same, 64 strokes"] == ["2.0 times", "yes"]
    assert rows["four photos in one call against one process"] == ["1.50 times", "yes"]
    assert rows["the same against the version before"] == ["3.00 times", "yes"]
    assert rows["first picture (`--preview`), imports included"] == ["4.2 s", "yes"]
    assert rows["its loss against three times the steps"] == ["+6.2%", "no"]
    assert rows["rasteriser on a GPU"] == ["not measured", "open"]
    # Twice as fast, but what a judge that saw nothing says is not known.
    assert rows["default sketch against the version before"][1] == "no"
    figures["against"]["judges"] = {"edges": {"verdict": "better"}}
    again = {row[0]: row[2:] for row in run_all.targets(figures)["rows"]}
    assert again["default sketch against the version before"] == ["0.45 times; edges better", "yes"]
    assert ["several photos in one call", "144 an hour"] in run_all.in_short(figures)["rows"]


def test_tables_of_different_versions_are_not_mixed(results):
    assert run_all.problems(results, "abc1234") == []
    assert "no commit" in run_all.problems(results, "abc1234-changed")[0]
    results["step"]["version"] = "0000000"
    assert run_all.problems(results, "abc1234") == ["step: of version 0000000, not abc1234"]
    results["step"]["version"] = "abc1234"
    results["scale"]["machine"] = {**results["scale"]["machine"], "cpu": "b"}
    assert "different machines" in run_all.problems(results, "abc1234")[0]
    del results["scale"]
    results["raster"]["tables"].popitem()
    assert [line.split(":")[0] for line in run_all.problems(results, "abc1234")] == [
        "no results yet of scale", "raster",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "<!-- begin a -->\n",
        "<!-- end a -->\n",
        "<!-- begin a -->\n<!-- begin b -->\n<!-- end b -->\n<!-- end a -->\n",
        "<!-- begin a -->\n<!-- end b -->\n",
        "<!-- begin a -->\n<!-- end a -->\n<!-- begin a -->\n<!-- end a -->\n",
    ],
)
def test_wrong_markers_are_refused(text):
    with pytest.raises(ValueError, match="<!-- "):
        document.fill(text, {"a": "1", "b": "2"})


def test_a_block_that_nothing_makes_is_refused():
    with pytest.raises(ValueError, match="nothing makes"):
        document.fill("<!-- begin a -->\n<!-- end a -->\n", {})


def test_judges_are_compared_photo_by_photo():
    found = against.paired([1.0, 2.0, 3.0, math.inf], [1.1, 2.3, 3.2, 4.0])
    assert found is not None
    assert found.photos == 3
    assert found.difference == pytest.approx(0.2)
    assert found.error == pytest.approx(0.1 / math.sqrt(3))
    assert found.verdict == "better"
    assert against.paired([0.3, 0.2], [0.2, 0.29]).verdict == "within"
    assert against.paired([0.3, 0.4], [0.1, 0.21]).verdict == "worse"
    assert against.paired([0.3, 0.4], [0.3, 0.4]).verdict == "within"
    assert against.paired([0.3], [0.1]).verdict == "unknown"
    assert against.paired([math.inf], [0.1]) is None


def test_ratios_are_of_photos():
    assert against.ratios([10, 20, 40], [5, 20, 30]) == {"median": 0.75, "least": 0.5, "most": 1.0}


def test_words_between_dashes():
    assert common.split(["a", "--", "b", "c", "--", "d"]) == [["a"], ["b", "c"], ["d"]]
    assert common.split([]) == [[]]


def test_photos_of_one_name_are_told_apart():
    assert common.labels(["x/1.jpg", "y/1.jpg", "cat.png"]) == ["x/1", "y/1", "cat"]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of two commits, and one of a document alone, in place of this."""
    place = tmp_path / "here"
    (place / "src" / "clipasso").mkdir(parents=True)
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "-q", place], check=True)
    for name, content in (("src/clipasso/a.py", "1"), ("src/clipasso/a.py", "2"), ("doc.md", "3")):
        (place / name).write_text(content)
        subprocess.run(["git", "add", "."], cwd=place, check=True)
        subprocess.run(["git", *who, "commit", "-qm", content], cwd=place, check=True)
    monkeypatch.setattr(common, "ROOT", place)
    return place


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, SystemExit])
def test_another_version_is_checked_out_and_removed(repository, error):
    def look():
        with versions.beside("HEAD~2") as other:
            assert (other / "src" / "clipasso" / "a.py").read_text() == "1"
            if error:
                raise error
            return other

    if error:
        with pytest.raises(error):
            look()
    else:
        assert not look().exists()
    assert len(common.git("worktree", "list").splitlines()) == 1
    assert (repository / "src" / "clipasso" / "a.py").read_text() == "2"


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_checkout(repository, kind):
    code = (
        "import pathlib, signal, sys, time\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import common, versions\n"
        "common.ROOT = pathlib.Path(sys.argv[2])\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # where tests run without it
        "with versions.beside('HEAD~2') as other: print(other, flush=True); time.sleep(60)\n"
    )
    words = [sys.executable, "-c", code, str(FOLDER), str(repository)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        other = Path(process.stdout.readline().decode().strip())
        assert other.is_dir()
        process.send_signal(kind)
        assert process.wait(30) != 0
    assert not other.parent.exists()
    assert str(other) not in common.git("worktree", "list")


def test_a_folder_is_another_version_too(repository):
    with versions.beside(str(repository)) as other:
        assert other == repository
    assert repository.exists()


def test_no_such_version_is_one_line(repository):
    with pytest.raises(SystemExit, match="no-such: no such revision"), versions.beside("no-such"):
        pass


def test_a_version_is_the_last_commit_of_the_package(repository):
    second = common.git("rev-parse", "--short", "HEAD~1")
    assert common.version() == second
    (repository / "doc.md").write_text("changed")
    assert common.version() == second
    (repository / "src" / "clipasso" / "b.py").write_text("new")
    assert common.version() == f"{second}-changed"


def test_results_say_what_they_are_of(repository, tmp_path):
    table = common.print_table(["a"], [["1"]])
    common.write_json(str(tmp_path / "r.json"), {"x": 1}, {"t": table})
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["version"] == common.version()
    assert record["tables"]["t"] == {"heading": ["a"], "rows": [["1"]]}
    assert {"date", "machine", "load", "figures"} < set(record)
