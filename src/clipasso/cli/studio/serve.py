"""Serving a studio: a port, a browser, and an end."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from types import FrameType

import uvicorn

from clipasso.cli.console import say, tell
from clipasso.cli.studio.app import make_app
from clipasso.cli.studio.guard import local_hosts
from clipasso.cli.studio.studio import Studio
from clipasso.errors import ClipassoError

__all__ = ["Server", "bound", "serve"]

PORT = 8400
"""Where the studio is if nothing is said and nobody else is there."""


class Server(uvicorn.Server):
    """Ends streams of events when it is asked to end: each would keep it waiting.

    Args:
        studio: is closed in the end.
        host: that the sockets are bound to.
    """

    def __init__(self, studio: Studio, host: str) -> None:
        app = make_app(studio, local_hosts(host))
        super().__init__(
            uvicorn.Config(
                app, log_level="critical", timeout_graceful_shutdown=3, lifespan="on",
                server_header=False,
            )
        )  # fmt: skip
        self._studio = studio

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Of a signal, which asks to end."""
        self.end()
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """Ask it to end, from any thread."""
        for visitor in self._studio.visitors:
            visitor.close()
        self.should_exit = True


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens.

    Args:
        port: None takes `PORT` or, where that is taken, any; 0 any.

    Raises:
        ClipassoError: no such address, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][0]
    except (OSError, UnicodeError):
        raise ClipassoError(f"--host {host}: is no address of this machine") from None
    for wanted in [port] if port is not None else [PORT, 0]:
        sock = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere it would let two programs have a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, wanted))
            sock.listen(64)
            return sock
        except PermissionError:
            sock.close()
            raise ClipassoError(f"--port {port}: may not be used; give one above 1023") from None
        except OSError as error:
            sock.close()
            reason = error.strerror or error
            if port is not None:
                raise ClipassoError(
                    f"--port {port}: cannot be used on {host} ({reason}); give another, or 0"
                ) from None
    raise ClipassoError(f"--host {host}: is no address of this machine")


def serve(studio: Studio, host: str, port: int | None, open_browser: bool) -> None:
    """Run a studio until Ctrl-C or SIGTERM, which come out as KeyboardInterrupt.

    Raises:
        ClipassoError: as `bound`.
    """
    try:
        sock = bound(host, port)
        server = Server(studio, host)
    except ClipassoError:
        studio.close()
        raise
    name = f"[{host}]" if ":" in host else host
    local = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "::" else name
    url = f"http://{local}:{sock.getsockname()[1]}/"
    tell(f"the studio is at {url}  (Ctrl-C ends it)")
    if local_hosts(host) is None:
        say(f"--host {host}: everybody who reaches this machine can use the studio")
    studio.warm_up()
    if open_browser and _has_screen():
        timer = threading.Timer(0.5, webbrowser.open, [url])
        timer.daemon = True
        timer.start()
    server.run(sockets=[sock])


def _has_screen() -> bool:
    """Whether a browser would be seen: without a screen, one in the terminal would be started."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
