"""The allocator keeps what a step frees, where it can be told so."""

import subprocess
import sys

import pytest

from clipasso.optimise.memory import keep_freed_memory

# Counts the pages that the kernel had to clear while blocks of 8 MB come and go.
CHILD = """
import resource, sys, numpy as np
from clipasso.optimise.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def some():
    for _ in range(50):
        blocks = [np.ones(1 << 20) for _ in range(4)]
some()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
some()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kind):
    run = subprocess.run([sys.executable, "-c", CHILD, kind], capture_output=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="no glibc")
def test_pages_are_cleared_once():
    assert faults("keep") < 0.1 * faults("as it is")


def test_elsewhere_nothing_happens(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
