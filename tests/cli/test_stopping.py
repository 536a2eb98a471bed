"""Interrupts come between imports, not within one."""

import importlib
import signal
import sys
import time

import pytest

from clipasso.cli.stopping import Stopping, Terminated, terminable

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timer")


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request):
    return request.param


@pytest.fixture
def module(number, tmp_path, monkeypatch):
    """The name of a module that gets the signal while it is imported."""
    name = f"interrupted_{number.name.lower()}"
    (tmp_path / f"{name}.py").write_text(
        f"import signal\nsignal.raise_signal({int(number)})\nready = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("holder", [Stopping, terminable])
def test_a_module_is_whole_before_the_interrupt_comes(holder, module, number):
    before = signal.getsignal(number)
    kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
    ready = []

    def import_and_wait():
        ready.append(importlib.import_module(module).ready)
        time.sleep(10)

    with pytest.raises(kind), holder():
        import_and_wait()
    assert ready == [True]
    assert signal.getsignal(number) is before


def test_what_is_to_be_kept_is_asked_for_after_the_import(module, number):
    with Stopping() as stopping:
        stopping.keeping = True
        assert importlib.import_module(module).ready
        assert stopping.event.wait(10)
        assert stopping.status == 128 + number
