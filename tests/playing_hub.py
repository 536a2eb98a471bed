"""A server on this machine that plays the model hub: one file, and the mishaps of transfers."""

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPOSITORY, FILE = "timm/resnet101_clip.openai", "open_clip_model.safetensors"
CONTENT = bytes(range(256)) * 4000  # about a megabyte


@dataclass
class Hub:
    """What the server has and does, which a test may change.

    Attributes:
        content, announced: of the file, and of the one whose checksum is told.
        file: its name; others are not there.
        breaks: after how many bytes each of the next transfers breaks off; then they are whole.
        fails: answer every transfer with an error.
        waits: is set before the rest of a transfer is sent; None sends it at once.
        asked: the `Range` of every transfer.
        requests: everything that was asked for.
    """

    url: str = ""
    content: bytes = CONTENT
    announced: bytes = CONTENT
    file: str = FILE
    breaks: list[int] = field(default_factory=list)
    fails: bool = False
    waits: threading.Event | None = None
    asked: list[str | None] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def playing_hub():
    hub = Hub()

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            if self.known():
                self.send_response(200)
                self.tell(len(hub.content))

        def known(self):
            hub.requests.append(self.path)
            if self.path.split("?")[0] == f"/{REPOSITORY}/resolve/main/{hub.file}":
                return True
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.end_headers()
            return False

        def do_GET(self):
            if not self.known():  # the client asks for other things too
                return
            asked = self.headers.get("Range")
            hub.asked.append(asked)
            if hub.fails:
                self.send_response(500)
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            rest = hub.content[start:]
            self.send_response(206 if asked else 200)
            self.tell(len(rest))
            if hub.breaks:
                self.wfile.write(rest[: hub.breaks.pop(0)])
                self.wfile.flush()
                if hub.waits is not None:
                    hub.waits.wait(120)
                self.close_connection = True
                return
            self.wfile.write(rest)

        def tell(self, length):
            self.send_header("ETag", f'"{hashlib.sha256(hub.announced).hexdigest()}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
