"""A stand-in for the worker of a batch: files that tell what they were made of, in no time."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from clipasso.errors import ClipassoError
from clipasso.pipeline.batch.make import Made, Piece, Task, digest
from clipasso.pipeline.batch.manifest import Stamp


def play(task: Task, made: list[Piece] | None = None):
    """What `Loader` would have done with a task; photos that were reached are added to `made`."""
    ends = []
    for piece in task.pieces:
        if made is not None:
            made.append(piece)
        try:
            ends.append(one(piece, task))
        except (OSError, ClipassoError) as error:
            ends.append(f"{piece.path}: {error}")
    return ends


def one(piece: Piece, task: Task) -> Made:
    sha256 = digest(piece.path)
    with Image.open(piece.path) as photo:
        photo.load()
    what = f"{sha256} {task.settings.strokes} {task.mask} {task.fit}"
    buffer = io.BytesIO()
    shade = int(hashlib.sha256(what.encode()).hexdigest()[:2], 16)
    Image.new("RGB", (8, 4), (shade, 0, 0)).save(buffer, "jpeg")
    contents = {end: f"{what}{end}\n".encode() for end in (".png", ".json", ".svg")}
    return Made(
        contents, buffer.getvalue(), Stamp.of(piece.path), sha256, task.settings.strokes / 7, 0.5,
        "a stand-in",
    )  # fmt: skip


def photos(folder: Path, *names: str) -> list[Path]:
    """Small photos, each of another colour."""
    made = []
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (number * 40 % 256, 90, 200)).save(path)
        made.append(path)
    return made


def files(folder: Path) -> dict[str, bytes]:
    """All that is in a folder but the manifest, whose times differ."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("batch.sqlite")
    }
