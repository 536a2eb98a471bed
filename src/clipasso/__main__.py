"""The command `clipasso`."""

import gc
import sys
from time import monotonic

__all__ = ["main"]

_STARTED = monotonic()  # what `--time` counts from, imports included


def main() -> None:
    """Run the command line; `--version` alone answers without importing anything."""
    if sys.argv[1:] == ["--version"]:
        from clipasso._version import __version__

        print(f"clipasso {__version__}")
        return
    try:
        from clipasso.cli import run

        status = run(started=_STARTED)
    except KeyboardInterrupt:  # before there is anything to keep, as while modules are loaded
        print("clipasso: stopped; nothing was written", file=sys.stderr)
        status = 130
    # Python would look through all objects for cycles once more, which takes seconds on a busy
    # machine with torch and numba loaded, and frees what ends with the process anyway.
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
