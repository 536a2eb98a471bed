"""A photo made ready: zoomed, its strokes counted, its faces drawn, all other strokes placed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clipasso.errors import ClipassoError
from clipasso.photo.masks import Mask
from clipasso.photo.zoom import zoomed
from clipasso.pipeline.faces import CloseUps, draw_faces
from clipasso.pipeline.prepare import Prepared, prepare
from clipasso.pipeline.stroke_count import StrokeCount, count_strokes

if TYPE_CHECKING:
    from clipasso.optimise.limit import Limit
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings
    from clipasso.vector.sketch import Sketch

__all__ = ["Ready", "make_ready"]

_ENOUGH = 12.0  # seconds of a time limit that must be left for faces to have a part of them, and
_USUAL = 16  # strokes, where there is no time to find out how many are needed


class Ready(NamedTuple):
    """A photo whose strokes can be optimised, which of them were drawn from close up, and why there
    are as many, if nobody said it."""

    prepared: Prepared
    close_ups: CloseUps
    counted: StrokeCount | None


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
            no strokes of their own beside those of `init`, which are not counted either.
        limit: where little of it is left, faces are drawn like the rest, and so say the settings;
            nor are strokes counted, of which there are 16 then.
        drawn: faces that an earlier run drew; None draws them now.

    Raises:
        ClipassoError: settings that do not go together, or a photo with nothing to draw.
    """
    photo, mask = zoomed(photo, mask or Mask(None, "none"), settings.zoom)
    close_ups, counted = drawn or CloseUps(), None
    if settings.fidelity is not None:
        if init is not None:
            raise ClipassoError("--strokes auto: starts from no sketch; leave --init out")
        if limit is None or limit.left() >= _ENOUGH:
            counted = count_strokes(photo, mask, models, settings, stop)
            seconds = {**seconds, "count": counted.seconds}
        many = min(_USUAL, settings.strokes) if counted is None else counted.strokes
        settings = replace(settings, strokes=many)
        if counted is None:
            note = (
                f"{photo.name}: no time to find out how many strokes it needs, so there are {many}"
            )
            photo = replace(photo, notes=(*photo.notes, note))
    if limit is not None and limit.left() < _ENOUGH:
        settings = replace(settings, faces="none")
    if init is None and not freeze and drawn is None:
        close_ups = draw_faces(photo, mask, models, settings, stop)
    if close_ups.sketch is not None:
        init, freeze, seconds = close_ups.sketch, "all", {**seconds, "faces": close_ups.seconds}
    return Ready(prepare(photo, models, settings, mask, init, freeze, seconds), close_ups, counted)
