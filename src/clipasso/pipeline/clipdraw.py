"""CLIPDraw (Frans et al. 2021), the paper's main comparison (sections 4.2 and G).

Strokes start at random and only the final embedding is compared, with that of a text, of a photo,
or of both: nothing ties the drawing to the photo's geometry.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.photo.canvas import Fit, Photo, load_photo
from clipasso.photo.masks import make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.sketch import sketch_photo
from clipasso.pipeline.timed import make_limit
from clipasso.settings import Settings, make_settings

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder
    from clipasso.optimise.limit import Limit
    from clipasso.optimise.loop import Progress
    from clipasso.pipeline.preview import Preview
    from clipasso.pipeline.result import Result

__all__ = ["LINES", "draw", "draw_settings", "nothing_to_see"]

LINES: Mapping[str, Any] = {
    "strokes": 16, "segments": 1, "width": 3.0, "ink": "black",
    "width_rate": 0.0, "opacity_rate": 0.0, "color_rate": 0.0,
}  # fmt: skip
"""CLIPDraw held to this method's own strokes: 16 thin black lines (figure 13)."""


def draw_settings(
    text: str, photo: bool, *, lines: bool = False, **settings: Any
) -> tuple[Settings, str]:
    """Settings of a drawing and the encoder's default name.

    Args:
        text: that it should agree with, "" for none.
        photo: whether there is one to agree with.
        lines: 16 thin black lines in place of 256 strokes in colour.
        settings: fields of `Settings` to change.

    Raises:
        ClipassoError: neither text nor photo, or a value out of range.
    """
    if not text and not photo:
        raise ClipassoError("draw: needs a text, or a photo with --photo")
    chosen = {**(LINES if lines else {}), **{k: v for k, v in settings.items() if v is not None}}
    if not photo:
        chosen["semantic_weight"] = 0.0
    return make_settings("clipdraw", text=text, **chosen)


def nothing_to_see(size: int) -> Photo:
    """What stands in for the photo of a drawing made from a text alone: white paper."""
    return replace(load_photo(np.ones((size, size), np.float32), size=size), name="")


def draw(
    text: str = "",
    photo: str | os.PathLike[str] | None = None,
    *,
    lines: bool = False,
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    fit: Fit = "pad",
    mask: str | Path = "none",
    device: str = "auto",
    time_limit: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
    **settings: Any,
) -> Result:
    """Draw a text, a photo's meaning, or both, as CLIPDraw does.

    Args:
        text, photo: at least one of them.
        lines: 16 thin black lines in place of 256 strokes in colour.
        encoder: a CLIP encoder (ViT-B/32 by default); a photo alone may go with any.
        weights, fit, mask, device, time_limit, on_progress, on_preview, stop, settings: as in
            `clipasso.sketch`.

    Raises:
        ClipassoError: a text and an encoder without text tower, or anything else unusable.
    """
    began = time.monotonic()
    made, preferred = draw_settings(text, photo is not None, lines=lines, **settings)
    limit = None
    if time_limit is not None:
        given = [name for name, value in settings.items() if value is not None]
        limit = make_limit(time_limit, made, given, since=began)
    models = load_models(made, encoder or preferred, weights, device=device)
    return draw_photo(
        None if photo is None else load_photo(photo, size=made.canvas, fit=fit),
        models, made, mask=mask, fit=fit, on_progress=on_progress, on_preview=on_preview,
        stop=stop, limit=limit,
    )  # fmt: skip


def draw_photo(
    photo: Photo | None,
    models: Models,
    settings: Settings,
    *,
    mask: str | Path = "none",
    fit: Fit = "pad",
    on_progress: Callable[[Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
    limit: Limit | None = None,
) -> Result:
    """`draw` with everything loaded; no photo leaves the text alone."""
    if photo is None:
        seen, found = nothing_to_see(settings.canvas), None
    else:
        seen = without_frame(photo, settings.frame)
        found = make_mask(seen, str(mask), fit)
    return sketch_photo(
        seen, models, settings, mask=found, on_progress=on_progress, on_preview=on_preview,
        stop=stop, limit=limit,
    )  # fmt: skip
