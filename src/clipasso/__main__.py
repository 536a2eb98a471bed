"""The command `clipasso`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; `--version` alone answers without importing anything."""
    if sys.argv[1:] == ["--version"]:
        from clipasso._version import __version__

        print(f"clipasso {__version__}")
        return
    from clipasso.cli import run

    sys.exit(run())


if __name__ == "__main__":
    main()
