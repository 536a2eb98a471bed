"""Some names in a line, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["listed"]

_MOST = 5


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:_MOST])
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST} more"
