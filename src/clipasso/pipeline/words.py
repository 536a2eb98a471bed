"""Times and sizes as people say them."""

from __future__ import annotations

__all__ = ["size_in_words", "time_in_words"]


def time_in_words(seconds: float) -> str:
    """`40 seconds`, `7 minutes`, `3 hours`."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            return f"{round(seconds / length)} {unit}s"
    count = max(1, round(seconds))
    return f"{count} second{'s' if count > 1 else ''}"


def size_in_words(size: float) -> str:
    """Bytes as `12 MB`, `480 MB`, `1.1 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 999.5e6 else f"{size / 1e6:.0f} MB"
