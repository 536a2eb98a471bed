"""Keeps other sites' pages out, and tells browsers to fetch nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "local_hosts"]

_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_READING = ("GET", "HEAD")


class Guard:
    """Refuses requests that another site's page may have made.

    A page of elsewhere cannot read answers, but it can send requests to this machine, also under
    a name of its own that it has made stand for 127.0.0.1. So the name must be one of ours, and
    what changes something must come from our own page.

    Args:
        app: what is guarded.
        hosts: names that the studio may be called by; None for any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if self._hosts is not None and _name(host) not in self._hosts:
            refusal = PlainTextResponse("the studio is not called that\n", 421)
            await refusal(scope, receive, send)
            return
        foreign = origin is not None and origin.partition("://")[2] != host
        if scope["method"] not in _READING and foreign:
            await PlainTextResponse("only the studio's own page may do that\n", 403)(
                scope, receive, send
            )
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    added[name] = value
                if added.get("content-type", "").startswith("text/html"):
                    added["content-security-policy"] = _PAGE
                added.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, guarded)


def local_hosts(host: str) -> set[str] | None:
    """Names for a studio bound to `host`; None where it is bound to all addresses."""
    if host in ("0.0.0.0", "::", ""):
        return None
    return {"localhost", "127.0.0.1", "[::1]", host, f"[{host}]"}


def _name(host: str) -> str:
    """The host without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host
