"""Strokes of their own for the faces of people, drawn from close up before all others.

On a canvas of 224 px an eye of a whole figure is two pixels: no stroke of 3 px draws it, and no
encoder misses it. So the inner part of a face is sketched by itself, magnified to the canvas, by
some of the strokes; the others are then optimised around these, which stay as they are.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipasso.optimise.loop import optimise_together
from clipasso.photo.canvas import closer
from clipasso.photo.faces import Face, find_faces
from clipasso.photo.line_drawing import is_line_drawing
from clipasso.photo.masks import Mask, mask_near
from clipasso.pipeline.prepare import prepare
from clipasso.vector.join import join
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from clipasso.photo.canvas import Photo
    from clipasso.pipeline.models import Models
    from clipasso.settings import Settings

__all__ = ["CloseUps", "draw_faces", "strokes_each"]

_SHARE = 3 / 8  # of all strokes, at most, are for faces
_FEWEST, _MOST = 3, 8  # strokes of a face: two eyes and a mouth; brows, nose and more
_AROUND = 1.1  # of a face's width: the square that is magnified
_LEAST_ZOOM = 1.5  # times; a larger face is drawn well as it is
_LEAST = 16  # px of the 224 canvas: smaller faces are left out
_STEPS = 150  # at most: so few strokes with so good a start settle soon
_EYE = 0.2  # of the eyes' distance: half the length of their first strokes


@dataclass(frozen=True, eq=False)
class CloseUps:
    """What was drawn from close up.

    Attributes:
        sketch: strokes in the photo's frame; None where there are none.
        faces: whose they are, and how many each has.
        steps: that each took, at most.
        seconds: it took.
    """

    sketch: Sketch | None = None
    faces: tuple[tuple[Face, int], ...] = ()
    steps: int = 0
    seconds: float = 0.0

    def in_words(self) -> str:
        """`1 face, 6 strokes`."""
        faces, strokes = len(self.faces), sum(count for _, count in self.faces)
        return f"{faces} face{'s' if faces > 1 else ''}, {strokes} strokes"

    def as_list(self) -> list[dict[str, Any]]:
        """Plain values for a report: box in px of the photo's frame, and number of strokes."""
        return [{"box": list(face.box), "strokes": count} for face, count in self.faces]


def draw_faces(
    photo: Photo,
    mask: Mask,
    models: Models,
    settings: Settings,
    stop: threading.Event | None = None,
) -> CloseUps:
    """Sketch the faces in a photo that are too small to be drawn with the rest.

    Args:
        photo: zoomed to its object, if it is to be.
        mask: on the photo's canvas; faces outside of it are left out.
        settings: those of the whole sketch; a face gets a part of the strokes, one seed and no more
            than 150 steps.
        stop: once set, the faces not begun are left out.

    Raises:
        ClipassoError: the photo cannot be read again.
    """
    began = time.monotonic()
    if settings.faces == "none" or strokes_each(settings.strokes, 1) == [] or photo.source is None:
        return CloseUps()
    found = [face for face in find_faces(photo) if _worth(face, photo, mask)]
    counts = strokes_each(settings.strokes, len(found))
    if not counts or is_line_drawing(photo):
        return CloseUps()
    drawn: list[Sketch] = []
    done: list[tuple[Face, int]] = []
    for face, count in zip(found, counts, strict=False):
        if stop is not None and stop.is_set():
            break
        drawn.append(_drawn(face, count, photo, mask, models, settings, stop))
        done.append((face, count))
    if not drawn:
        return CloseUps()
    steps = min(_STEPS, settings.iterations)
    return CloseUps(join(drawn), tuple(done), steps, time.monotonic() - began)


def strokes_each(strokes: int, faces: int) -> list[int]:
    """How many of a sketch's strokes each face gets, from the widest on; those left out get none.

    Args:
        strokes: of the whole sketch.
        faces: how many there are.
    """
    total = int(_SHARE * strokes)
    faces = min(faces, total // _FEWEST)
    return [min(_MOST, total // faces)] * faces if faces else []


def _worth(face: Face, photo: Photo, mask: Mask) -> bool:
    """Whether a face is shown on the canvas, in the object, and small but not too small."""
    size, frame = len(photo.pixels), photo.frame
    width = face.width * frame.scale_x
    x, y = frame.to_canvas(face.middle)
    if not (0 <= x < size and 0 <= y < size and width >= _LEAST * size / 224):
        return False
    if mask.inside is not None and not mask.inside[int(y), int(x)]:
        return False
    return size >= _LEAST_ZOOM * _AROUND * width


def _drawn(
    face: Face,
    count: int,
    photo: Photo,
    mask: Mask,
    models: Models,
    settings: Settings,
    stop: threading.Event | None,
) -> Sketch:
    """A face's strokes, in px of the photo's frame."""
    frame, side = photo.frame, _AROUND * face.width * photo.frame.scale_x
    x, y = frame.to_canvas(face.middle) - side / 2
    box = float(x), float(y), side
    near = closer(photo, box)
    own = replace(
        settings, strokes=count, segments=settings.segments_each, seeds=1,
        iterations=min(_STEPS, settings.iterations),
    )  # fmt: skip
    # Opaque ink of the usual width; whatever may be learned is learned from here.
    width = settings.width * settings.canvas / 224 / near.frame.zoom
    first = Sketch(_marks(face)[:count], (frame.width, frame.height), 3, widths=width)
    ready = prepare(near, models, own, mask_near(mask, box, near), first, "", {})
    (outcome,) = optimise_together([ready.job], ready.settings, stop=stop)
    found = outcome.drawing.only(0).to_sketch((frame.width, frame.height), near.frame)
    # As thin as the zoom makes them they would be lost, as wide as the others a blot.
    return replace(found, widths=found.widths * (near.frame.zoom / frame.zoom) ** 0.5)


def _marks(face: Face) -> NDArray[np.float64]:
    """A face's first strokes: both eyes, the mouth, the nose; `[4, 4, 2]`, straight cubics."""
    across = _EYE * (face.eyes[1] - face.eyes[0])
    between = face.eyes.mean(0)
    ends = np.array([
        (face.eyes[0] - across, face.eyes[0] + across),
        (face.eyes[1] - across, face.eyes[1] + across),
        face.mouth,
        (between + (face.nose - between) / 4, face.nose),
    ])  # fmt: skip
    t = np.linspace(0, 1, 4)[:, None]
    marks: NDArray[np.float64] = (1 - t) * ends[:, :1] + t * ends[:, 1:]
    return marks
