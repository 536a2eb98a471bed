"""The files of a result: SVG, PNG, JSON, and pictures of how it began."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipasso.vector.render import render
from clipasso.vector.safe_write import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clipasso.pipeline.result import Result

__all__ = [
    "COUNTED", "DEBUG", "encode_png", "own_pictures", "planned_files", "render", "result_contents",
    "write_result",
]  # fmt: skip

_OURS = b"urn:clipasso:sketch"
_HEAD = 4096  # bytes of an SVG that tell whether it is ours


def _to_bytes(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """0..1 to 0..255."""
    levels: NDArray[np.uint8] = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return levels


def encode_png(image: NDArray[np.uint8] | Image.Image) -> bytes:
    """A PNG file's bytes of `[height, width]`, `[height, width, 3]` or a Pillow image."""
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    picture.save(buffer, format="png")  # optimize=True would take twice as long for 2 % less
    return buffer.getvalue()


def planned_files(
    folder: Path, stem: str, seeds: int, *, all_seeds: bool, debug: bool, counted: bool = False
) -> list[Path]:
    """What `write_result` would write, so that a clash is seen before the work.

    Args:
        counted: whether the number of strokes is to be found.
    """
    names = [f"{stem}.svg", f"{stem}.png", f"{stem}.json"]
    if all_seeds:
        names += [f"{stem}-rank{k}.svg" for k in range(2, seeds + 1)]
    if debug:
        names += [f"{stem}-{name}.png" for name in (*DEBUG, *([COUNTED] if counted else []))]
    return [folder / name for name in names]


def write_result(
    result: Result, folder: Path, stem: str, *, all_seeds: bool = False, debug: bool = False,
    replace: bool = True,
) -> list[Path]:  # fmt: skip
    """Write a result's files, each whole or not at all; the SVG comes last.

    Args:
        folder: exists.
        stem: the files' name without extension.
        all_seeds: also write the other seeds' sketches, `STEM-rank2.svg` the second best.
        debug: also write pictures of the initialisation.
        replace: files that are there already; else they stay, and the first is an error.

    Returns:
        The files, in the order of `planned_files`.

    Raises:
        ClipassoError: a file cannot be written.
    """
    for end, data in result_contents(result, all_seeds=all_seeds, debug=debug).items():
        write_atomically(folder / f"{stem}{end}", data, replace=replace)
    seeds, counted = len(result.sketches), result.stroke_count is not None
    return planned_files(folder, stem, seeds, all_seeds=all_seeds, debug=debug, counted=counted)


def result_contents(
    result: Result, *, all_seeds: bool = False, debug: bool = False
) -> dict[str, bytes]:
    """What `write_result` writes, by what follows the stem in the file's name; the SVG last."""
    contents = {
        ".png": encode_png(render(result.sketch)),
        ".json": (json.dumps(result.report(), indent=2) + "\n").encode(),
    }
    if all_seeds:
        for rank, sketch in enumerate(result.sketches[1:], 2):
            contents[f"-rank{rank}.svg"] = sketch.to_svg().encode()
    if debug:
        for name, image in _debug_pictures(result):
            contents[f"-{name}.png"] = encode_png(image)
        if result.stroke_count is not None:
            from clipasso.pipeline.stroke_count import curve_picture

            contents[f"-{COUNTED}.png"] = encode_png(curve_picture(result.stroke_count))
    contents[".svg"] = result.sketch.to_svg().encode()
    return contents


def own_pictures(files: Iterable[Path]) -> set[Path]:
    """The pictures that belong to our sketches among the files, whether they are there or not."""
    ends = ["", *(f"-{name}" for name in (*DEBUG, COUNTED))]
    return {
        file.with_name(f"{file.stem}{end}.png")
        for file in files
        if file.suffix.lower() == ".svg" and _is_ours(file)
        for end in ends
    }


def _is_ours(svg: Path) -> bool:
    try:
        with svg.open("rb") as file:
            return _OURS in file.read(_HEAD)
    except OSError:
        return False


DEBUG = ("input", "mask", "candidates", "saliency", "edges", "distribution", "initial")
"""The pictures of `debug`, as they end their files' names."""

COUNTED = "strokes"
"""The one that is there too where the number of strokes was found."""

_DEBUG_SCALE = 3


def _debug_pictures(result: Result) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Figure 8a in pieces, for the winning seed; each enlarged, on the square canvas."""
    from clipasso.photo.masks.ballot import ballot  # loads torch, which `planned_files` need not

    start, winner = result.initialisation, result.outcome.winner
    yield "input", _enlarge(_to_bytes(start.pixels))
    inside = result.mask.inside
    whole = np.ones(start.saliency.shape, bool) if inside is None else inside
    yield "mask", _enlarge(_to_bytes(whole.astype(np.float32)))
    yield "candidates", ballot(result.mask, result.photo.pixels)
    yield "saliency", _enlarge(_to_bytes(start.saliency))
    yield "edges", _enlarge(_to_bytes(1 - start.edges))
    # The chance relative to the likeliest position, with the first points of the strokes in red.
    chance = _enlarge(_to_bytes(start.distribution / start.distribution.max()))
    canvas = np.repeat(chance[..., None], 3, 2)
    first = start.drawing.points[winner, ~start.drawing.frozen, 0]
    for x, y in first.tolist():
        rows, columns = np.ogrid[: canvas.shape[0], : canvas.shape[1]]
        away = (rows + 0.5 - y * _DEBUG_SCALE) ** 2 + (columns + 0.5 - x * _DEBUG_SCALE) ** 2
        canvas[away <= 4.5**2] = (255, 0, 0)
    yield "distribution", canvas
    initial = start.drawing.only(winner).to_sketch((result.settings.canvas,) * 2)
    yield "initial", render(initial, result.settings.canvas * _DEBUG_SCALE)


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image.repeat(_DEBUG_SCALE, 0).repeat(_DEBUG_SCALE, 1)
