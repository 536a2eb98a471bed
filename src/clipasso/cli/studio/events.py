"""What a visitor's pages are told while they are open, as server-sent events.

A page that is slow gets the latest of each kind of event and misses those in between.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["Listener"]

_ALIVE = 5.0  # seconds after which a comment tells whether anybody is still there


class Listener:
    """One open page. Made in the event loop; `tell` may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._latest: dict[str, str] = {}
        self._news = asyncio.Event()
        self._closed = False

    def tell(self, kind: str, value: Any) -> None:
        """Have the page told; of one kind only what is latest matters."""
        text = json.dumps(value, allow_nan=False)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, kind, text)

    def close(self) -> None:
        """End the stream."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _put(self, kind: str, text: str) -> None:
        self._latest.pop(kind, None)  # so that it comes last
        self._latest[kind] = text
        self._news.set()

    def _end(self) -> None:
        self._closed = True
        self._news.set()

    async def stream(self) -> AsyncIterator[str]:
        """The text of `text/event-stream`, until `close`."""
        yield "retry: 1000\n\n"
        while not self._closed:
            try:
                await asyncio.wait_for(self._news.wait(), _ALIVE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            self._news.clear()
            latest, self._latest = self._latest, {}
            for kind, text in latest.items():
                yield f"event: {kind}\ndata: {text}\n\n"
