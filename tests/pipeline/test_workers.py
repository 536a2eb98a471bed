"""Tasks in processes of their own: what becomes of them when something goes wrong."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipasso import ClipassoError
from clipasso.pipeline import capacity
from clipasso.pipeline.workers import Workers

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@dataclass
class Tasks:
    """What a worker does with a word."""

    loading: str = "ready"

    def __call__(self, talk):
        self.obey(self.loading, talk)
        return lambda word: self.obey(word, talk)

    def obey(self, word, talk):
        if word == "bad":
            raise ClipassoError("a bad one")
        if word == "broken":
            raise ZeroDivisionError("a fault")
        if word == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "signalled":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
        if word == "threads":
            return [os.environ[name] for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]
        if word == "loud":
            talk.say("to people")
            print("half ", end="")
            print("a line", file=sys.stdout)
            print("a warning", file=sys.stderr)
        if word in ("endless", "deaf"):
            (talk.tell if word == "endless" else talk.say)("begun")
            for _ in range(1000):  # in small steps, which an interrupt can come between
                if talk.stop.wait(0.05):
                    break
            return "what there is"
        return word


def done(events):
    return sorted(event.value for event in events if event.kind == "done")


def test_each_is_done_whatever_happens_to_others():
    words = ["one", "bad", "loud", "signalled", "two"]
    with Workers(Tasks(), 2, 1) as workers:
        events = list(workers.run(iter(words)))
    assert done(events) == ["loud", "one", "signalled", "two"]
    assert [(e.task, str(e.value)) for e in events if e.kind == "failed"] == [("bad", "a bad one")]
    assert [e.value for e in events if e.kind == "said"] == ["to people"]
    assert [e.value for e in events if e.kind == "printed"] == ["half a line", "a warning"]


@posix
def test_one_that_is_killed_costs_its_own_task_only():
    with Workers(Tasks(), 2, 3) as workers:
        events = list(workers.run(iter(["killed", "one", "killed", "threads", "killed"])))
    lost = [(e.task, e.value) for e in events if e.kind == "lost"]
    assert lost == [("killed", "killed by SIGKILL")] * 3
    assert [e.value for e in events if e.kind == "done"] == ["one", ["3", "3"]]


def test_what_cannot_be_loaded_is_the_callers_error():
    with pytest.raises(ClipassoError, match="a bad one"), Workers(Tasks("bad"), 2, 1) as workers:
        list(workers.run(iter(["one"])))
    with pytest.raises(RuntimeError, match="a fault"), Workers(Tasks(), 1, 1) as workers:
        list(workers.run(iter(["broken"])))


@posix
def test_none_that_lives_is_an_error_and_not_a_wait():
    with Workers(Tasks("killed"), 2, 1) as workers:
        events = workers.run(iter(["one"]))
        assert next(events).kind == "lost"
        with pytest.raises(ClipassoError, match=r"SIGKILL.*--workers 1"):
            list(events)


def test_a_request_to_stop_keeps_what_there_is():
    stop, events = threading.Event(), []
    with Workers(Tasks(), 2, 1) as workers:
        for event in workers.run(iter(["endless", "deaf", "one"]), stop):
            events.append(event)
            if event.kind == "told":
                assert workers.keeping
            if {e.kind for e in events} >= {"told", "said"}:
                stop.set()
    assert [(e.kind, e.task) for e in events if e.kind in ("done", "stopped")] == [
        ("stopped", "deaf"), ("done", "endless"),
    ]  # fmt: skip
    assert not workers.keeping


_PARENT = """
from clipasso.pipeline.workers import Workers
from test_workers import Tasks
if __name__ == "__main__":
    with Workers(Tasks(), 2, 1) as workers:
        for event in workers.run(iter(["endless", "endless"])):
            if event.kind == "told":
                print(*(w.process.pid for w in workers._workers), flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks for processes in /proc")
def test_a_parent_that_is_killed_leaves_no_orphans(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    there = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=there
    )
    with parent:
        numbers = parent.stdout.readline().split()
        assert len(numbers) == 2
        parent.kill()
    end = time.monotonic() + 30
    while any(Path(f"/proc/{number}/exe").exists() for number in numbers):
        assert time.monotonic() < end
        time.sleep(0.05)


class TestCapacity:
    @pytest.fixture
    def groups(self, tmp_path, monkeypatch):
        """An empty tree of control groups, and no bound from elsewhere."""
        monkeypatch.setattr(capacity, "_GROUPS", tmp_path)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
        monkeypatch.setattr(capacity, "_siblings", str)
        return tmp_path

    def test_cores_are_physical_and_allowed(self, groups, monkeypatch):
        assert capacity.cores() == 4
        monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
        assert capacity.cores() == 3
        (groups / "cpu.max").write_text("150000 100000\n")
        assert capacity.cores() == 2
        (groups / "cpu.max").write_text("max 100000\n")
        monkeypatch.setattr(capacity, "_siblings", lambda number: f"{number % 2}-{number % 2 + 2}")
        assert capacity.cores() == 2

    def test_cores_of_an_older_container(self, groups):
        (groups / "cpu").mkdir()
        (groups / "cpu" / "cpu.cfs_period_us").write_text("100000")
        (groups / "cpu" / "cpu.cfs_quota_us").write_text("-1")
        assert capacity.cores() == 4
        (groups / "cpu" / "cpu.cfs_quota_us").write_text("100000")
        assert capacity.cores() == 1

    def test_as_many_as_there_are_photos_cores_and_memory_for(self, groups, monkeypatch):
        def limit(most, used, cache):
            (groups / "memory.max").write_text(str(most))
            (groups / "memory.current").write_text(str(used))
            (groups / "memory.stat").write_text(f"anon 1\ninactive_file {cache}\nfile 9")

        real = capacity._read
        monkeypatch.setattr(capacity, "_read", lambda path: (
            "MemAvailable: 99000000 kB" if path == Path("/proc/meminfo") else real(path)
        ))  # fmt: skip
        assert [capacity.room(n) for n in (1, 3, 9)] == [1, 3, 4]
        unit = capacity.WORKER_BYTES
        limit(3 * unit, unit + 5, 5)
        assert (capacity.free_memory(), capacity.room(9)) == (2 * unit, 2)
        limit(unit, unit, 0)
        assert capacity.room(9) == 1
        limit("max", unit, 0)
        assert capacity.room(9) == 4
