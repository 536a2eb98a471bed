"""That compiling takes long is said once, in time, and not when it does not."""

import pytest

from clipasso.cli import compiling
from clipasso.cli.compiling import compiling_said
from clipasso.raster.compiling import report


@pytest.fixture
def timers(monkeypatch):
    """A clock that stands still, and timers that go off when the test says so."""
    made = []

    class Timer:
        def __init__(self, seconds, call):
            self.seconds, self.call, self.cancelled = seconds, call, False
            made.append(self)

        def start(self):
            pass

        def cancel(self):
            self.cancelled = True

    clock = {"now": 100.0}
    monkeypatch.setattr(compiling.threading, "Timer", Timer)
    monkeypatch.setattr(compiling, "monotonic", lambda: clock["now"])
    return made, clock


def test_it_is_said_after_two_seconds_in_all(timers, capsys):
    made, clock = timers
    with compiling_said():
        report(True)
        clock["now"] += 1.5
        report(False)
        assert made[0].cancelled
        report(True)
        assert made[1].seconds == pytest.approx(0.5)
        made[1].call()
        report(False)
        report(True)  # another kernel: it has been said
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "compiling the rasteriser, once after an install" in line
    assert len(made) == 2


def test_nothing_is_said_in_time(timers, capsys):
    made, _ = timers
    with compiling_said():
        report(True)
        report(False)
        report(True)
    made[1].call()  # it went off as the block ended
    assert all(timer.cancelled for timer in made)
    assert capsys.readouterr() == ("", "")


def test_quiet(timers, capsys):
    made, _ = timers
    with compiling_said(quiet=True):
        report(True)
    assert not made
    assert capsys.readouterr() == ("", "")
