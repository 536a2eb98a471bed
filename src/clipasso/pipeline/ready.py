"""A photo made ready: zoomed, its faces drawn from close up, all other strokes placed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clipasso.photo.masks import Mask
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.faces import CloseUps, draw_faces
from clipasso.pipeline.prepare import Prepared, prepare

if TYPE_CHECKING:
    from clipasso.optimise.limit import Limit
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["Ready", "make_ready"]

_ENOUGH = 12.0  # seconds of a time limit that must be left for faces to have a part of them


class Ready(NamedTuple):
    """A photo whose strokes can be optimised, and which of them were drawn from close up."""

    prepared: Prepared
    close_ups: CloseUps


def make_ready(
    photo: Photo,
    mask: Mask | None,
    models: Models,
    settings: Settings,
    init: Sketch | None,
    freeze: str,
    seconds: dict[str, float],
    stop: threading.Event | None,
    limit: Limit | None,
    drawn: CloseUps | None = None,
) -> Ready:
    """Zoom to the object, draw faces from close up, place all other strokes.

    Args:
        photo, mask, init, freeze, seconds, stop: as for `pipeline.sketch.sketch_photo`. Faces have
            no strokes of their own beside those of `init`.
        limit: where little of it is left, faces are drawn like the rest, and so say the settings.
        drawn: faces that an earlier run drew; None draws them now.

    Raises:
        ClipassoError: settings that do not go together, or a photo with nothing to draw.
    """
    photo, mask = zoomed(photo, mask or Mask(None, "none"), settings.zoom)
    close_ups = drawn or CloseUps()
    if limit is not None and limit.left() < _ENOUGH:
        settings = replace(settings, faces="none")
    if init is None and not freeze and drawn is None:
        close_ups = draw_faces(photo, mask, models, settings, stop)
    if close_ups.sketch is not None:
        init, freeze, seconds = close_ups.sketch, "all", {**seconds, "faces": close_ups.seconds}
    return Ready(prepare(photo, models, settings, mask, init, freeze, seconds), close_ups)
