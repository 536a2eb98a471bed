"""From photo to sketch: photo -> saliency -> initial strokes -> optimisation -> best sketch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from clipasso._version import __version__
from clipasso.borders import extended, frame_mask
from clipasso.edges import xdog_edges
from clipasso.encoders import CLIP_TOWERS, EMBEDDED, SALIENCY, can_load, load_encoder
from clipasso.errors import ClipassoError
from clipasso.initialise import initial_strokes, sample_positions, stroke_distribution
from clipasso.masks import Mask, cut_out, make_mask
from clipasso.optimise import Outcome, Progress, optimise
from clipasso.photo import Fit, Photo, load_photo
from clipasso.result import SEED_STEP, Initialisation, Result
from clipasso.settings import Settings, make_settings
from clipasso.strokes import Sketch

if TYPE_CHECKING:
    from PIL.Image import Image

    from clipasso.encoders.base import Encoder

__all__ = [
    "choose_saliency",
    "embedded_note",
    "initialise",
    "pick_device",
    "sketch",
    "sketch_photo",
]


def pick_device(name: str = "auto") -> torch.device:
    """The device by name; `auto` is CUDA, Apple's MPS or the CPU, the first there is.

    Raises:
        ClipassoError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ClipassoError(
            f"--device {name}: not available here; choose auto, cpu, cuda or mps"
        ) from None
    return device


def sketch(
    source: str | os.PathLike[str] | bytes | Image | NDArray[Any],
    *,
    preset: str = "default",
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    fit: Fit = "pad",
    mask: str | Path = "auto",
    device: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    **settings: Any,
) -> Result:
    """Turn a photo into a sketch.

    Args:
        source: a photo's path or bytes, a PIL image, or an array (`load_photo` says which).
        preset: `default`, `paper` or `draft`.
        encoder: a name for `load_encoder`, or an encoder that is loaded already.
        weights: a local checkpoint for a named encoder.
        fit: how a photo that is not square meets the square canvas: `pad`, `crop` or `stretch`.
        mask: how the background is removed: `auto`, `grabcut`, `none` or a picture of the object's
            mask; see `make_mask`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        on_progress: called at every evaluation.
        stop: set it, from another thread or a signal handler, to end early with the best so far.
        settings: fields of `Settings`: `strokes=16`, `seeds=3`, `width=3.0`, `seed=0` ...

    Raises:
        ClipassoError: a photo, setting, encoder or device that cannot be used.

    Example:
        >>> result = clipasso.sketch("cat.jpg", strokes=16)
        >>> result.sketch.save("cat.svg")
    """
    made, preferred = make_settings(preset, **settings)
    photo = load_photo(source, size=made.canvas, fit=fit)
    began = time.monotonic()
    where = pick_device(device)
    if encoder is None or isinstance(encoder, str):
        encoder = load_encoder(encoder or preferred, weights, where)
    return sketch_photo(
        photo, encoder.to(where), made, mask=make_mask(photo, str(mask), fit),
        on_progress=on_progress, stop=stop, seconds={"load": time.monotonic() - began},
    )  # fmt: skip


def sketch_photo(
    photo: Photo,
    encoder: Encoder,
    settings: Settings,
    *,
    saliency_encoder: Encoder | None = None,
    mask: Mask | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    seconds: dict[str, float] | None = None,
) -> Result:
    """`sketch` with everything loaded: what a batch of photos shares stays with the caller.

    Args:
        photo: on a canvas of `settings.canvas` pixels.
        encoder: on the device to work on.
        saliency_encoder: whose saliency places the first strokes; see `choose_saliency`.
        mask: what `make_mask` found; None keeps the whole photo.
        seconds: time spent already, by stage.
    """
    seconds = dict(seconds or {})
    began = time.monotonic()
    device = encoder.mean.device
    mask = mask or Mask(None, "none")
    seen = cut_out(photo, mask)
    pixels = extended(seen) if settings.borders == "extend" else seen.pixels
    image = torch.tensor(pixels, device=device).permute(2, 0, 1)[None].contiguous()
    start = initialise(
        pixels, frame_mask(photo), image, saliency_encoder or choose_saliency(encoder), settings
    )
    seconds["initialise"] = time.monotonic() - began

    began = time.monotonic()
    strokes = torch.from_numpy(start.strokes)
    outcome = optimise(strokes, image, encoder, settings, on_progress, stop)
    seconds["optimise"] = time.monotonic() - began

    order = sorted(range(settings.seeds), key=outcome.losses.__getitem__)
    sketches = tuple(_to_sketch(k, outcome, photo, encoder, settings) for k in order)
    return Result(
        sketch=sketches[0],
        sketches=sketches,
        photo=photo,
        settings=settings,
        initialisation=start,
        mask=mask,
        outcome=outcome,
        encoder=encoder.description,
        recipe=encoder.recipe,
        device=str(device),
        seconds=seconds,
        notes=photo.notes,
    )


def choose_saliency(encoder: Encoder) -> Encoder:
    """The encoder whose saliency suits a loss encoder: CLIP's ViT-B/32 for a CLIP tower (3.3).

    Where the weights of ViT-B/32 cannot be had, a CLIP tower makes its own map; `Initialisation`
    and the report say which it was.
    """
    if encoder.name not in CLIP_TOWERS or encoder.name == SALIENCY:
        return encoder
    if can_load(SALIENCY):
        return load_encoder(SALIENCY, device=encoder.mean.device)
    return encoder


def initialise(
    pixels: NDArray[np.float32],
    frame: NDArray[np.bool_],
    image: torch.Tensor,
    encoder: Encoder,
    settings: Settings,
) -> Initialisation:
    """Saliency x edges, sampled for each seed (section 3.3).

    Args:
        pixels: the photo on its canvas; image: the same as a tensor `[1, 3, canvas, canvas]`.
        frame: `[canvas, canvas]` where the photo lies; no stroke starts in the padding.
        encoder: makes the saliency.
    """
    saliency = encoder.saliency(image).cpu().numpy()
    saliency, edges = saliency * frame, xdog_edges(pixels) * frame
    distribution = stroke_distribution(saliency, edges, temperature=settings.temperature)
    strokes = []
    for k in range(settings.seeds):
        rng = np.random.default_rng(settings.seed + SEED_STEP * k)
        starts = sample_positions(distribution, settings.strokes, rng, spread=settings.spread)
        strokes.append(initial_strokes(starts, settings.control_points, settings.canvas, rng))
    return Initialisation(
        pixels, saliency, edges, distribution, np.stack(strokes), encoder.description
    )


def _to_sketch(
    k: int, outcome: Outcome, photo: Photo, encoder: Encoder, settings: Settings
) -> Sketch:
    """One seed's strokes in the photo's frame, with where they come from."""
    frame = photo.frame
    return Sketch(
        points=frame.to_photo(outcome.points[k].double().numpy()),
        size=(frame.width, frame.height),
        widths=settings.width,
        metadata={
            "title": f"Sketch of {photo.name}",
            "photo": photo.name,
            "encoder": encoder.description,
            "strokes": str(settings.strokes),
            "seed": str(settings.seed + SEED_STEP * k),
            "loss": f"{outcome.losses[k]:.6g}",
            "steps": str(outcome.steps),
            "version": f"clipasso {__version__}",
        },
    )


def embedded_note(encoder: Encoder, asked: str) -> str | None:
    """What to say where `auto` had to make do with the embedded encoder."""
    if asked != "auto" or encoder.name != EMBEDDED:
        return None
    return (
        f"encoder: {encoder.description}, since CLIP's weights are not here and the model hub does "
        "not answer; for CLIP connect to the network once, or give a checkpoint: "
        "--encoder RN101 --weights FILE"
    )
