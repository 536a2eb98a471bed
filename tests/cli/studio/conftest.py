"""Studios that run, as people's browsers meet them, and people who visit them.

What the extra `ui` brings is imported in the fixtures: the tests themselves skip without it.
"""

import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tiny import Blur

TINY = {"seeds": 2, "strokes": 5, "augmentations": 0, "faces": "none"}
PATIENT = {"visitors": 500, "away": 600.0}  # on a busy machine tests may be slow to ask


class Running:
    """A studio on a port of its own, in threads of this process."""

    def __init__(self, iterations, encoder=None, **limits):
        from clipasso.cli.studio.limits import Limits
        from clipasso.cli.studio.serve import Server, bound
        from clipasso.cli.studio.studio import Studio
        from clipasso.pipeline.models import Models

        settings = {**TINY, "iterations": iterations}
        if encoder is not None:
            settings["segments"] = 1  # strokes of four points, for what is done to them by hand
        self.studio = Studio(
            Limits(**{**PATIENT, **limits}), "default", settings, "efficientnet-lite0", "cpu"
        )
        if encoder is not None:
            self.studio._shelf.models = lambda settings, name: Models(encoder, encoder)
        listening = bound("127.0.0.1", 0)
        self.port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = Server(self.studio, "127.0.0.1")
        self._thread = threading.Thread(target=self.server.run, args=([listening],))
        self._thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def close(self):
        self.server.end()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def visit(self):
        return Person(self)


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, running):
        import httpx

        self.http = httpx.Client(base_url=running.url, timeout=60)
        self.running = running
        assert self.state()["new"]

    def state(self):
        return self.http.get("/api/state").raise_for_status().json()

    def upload(self, data, name="flower.png"):
        return self.http.put("/api/photo", params={"name": name}, content=data)

    def begin(self, kind="sketch", **asked):
        return self.http.post("/api/jobs", json={"kind": kind, "strokes": 5, **asked})

    def wait(self, until=lambda job: job["state"] not in ("waiting", "running")):
        for _ in range(2000):
            state = self.state()
            if until(state["job"]):
                return state
            time.sleep(0.02)
        raise AssertionError(state["job"])

    def sketched(self, photo):
        """The state after a photo was sketched."""
        self.upload(photo).raise_for_status()
        self.begin().raise_for_status()
        return self.wait()

    def me(self):
        """What the studio has of this person."""
        (key,) = self.http.cookies.values()
        return self.running.studio.visitors.find(key)


@pytest.fixture(scope="session")
def quick():
    """A studio whose sketches take nine steps of a tiny encoder."""
    running = Running(9, Blur())
    yield running
    running.close()


@pytest.fixture
def slow():
    """A studio whose sketches are never done."""
    running = Running(100_000, Blur())
    yield running
    running.close()


@pytest.fixture
def make_studio():
    """Studios with limits of one's own."""
    made = []

    def make(iterations=100_000, **limits):
        made.append(Running(iterations, Blur(), **limits))
        return made[-1]

    yield make
    for running in made:
        running.close()


@pytest.fixture
def make_real_studio():
    """Studios with the embedded encoder and so many steps."""
    made = []

    def make(iterations):
        made.append(Running(iterations))
        return made[-1]

    yield make
    for running in made:
        running.close()


@pytest.fixture
def person(quick):
    return quick.visit()


@pytest.fixture
def flower(photo_path):
    return photo_path.read_bytes()


@pytest.fixture(scope="session")
def phone_photo(tmp_path_factory):
    """A photo of 12 megapixels as phones write them: lying on its side, with EXIF that says so."""
    y, x = np.mgrid[:3000, :4000]
    pixels = np.full((3000, 4000, 3), 240, np.uint8)
    pixels[(x - 1400) ** 2 + (y - 1500) ** 2 < 700**2] = (160, 50, 40)  # upright: above the middle
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = 6  # a quarter to the right makes it upright
    path = tmp_path_factory.mktemp("phone") / "IMG_0001.JPG"
    picture.save(path, format="jpeg", quality=85, exif=exif)
    return path


@pytest.fixture
def taken_port():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]
