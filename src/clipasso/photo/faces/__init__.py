"""Where people's faces are in a photo, with their eyes, noses and mouths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipasso.photo.canvas import Photo, picture

__all__ = ["Face", "find_faces"]

_SIDE = 640  # px, at most, of the picture's longer side when it is looked at
_SURE = 0.98  # of 125 photos, nothing but faces is surer


@dataclass(frozen=True, eq=False)
class Face:
    """A face. Lengths are px of the photo's frame (`Frame`), whatever its canvas shows.

    Attributes:
        box: left, top, right and bottom, from the chin to the middle of the forehead.
        eyes: `[2, 2]` (x, y), from left to right as the photo shows them.
        nose: `[2]`, its tip.
        mouth: `[2, 2]`, its ends, from left to right.
        sure: how sure the detector is, 0..1.
    """

    box: tuple[float, float, float, float]
    eyes: NDArray[np.float64]
    nose: NDArray[np.float64]
    mouth: NDArray[np.float64]
    sure: float

    @property
    def width(self) -> float:
        """Of the box."""
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> NDArray[np.float64]:
        """Between eyes and mouth, `[2]`."""
        middle: NDArray[np.float64] = np.concatenate([self.eyes, self.mouth]).mean(0)
        return middle


def find_faces(photo: Photo) -> tuple[Face, ...]:
    """The faces of people in a photo, widest first; none where its pixels were changed since read.

    They are looked for in the whole of the photo, in its own pixels, as far as these are not much
    more than it takes: at least a thirtieth of its longer side wide.

    Raises:
        ClipassoError: the photo cannot be read again.
    """
    if photo.source is None:
        return ()
    import torch

    from clipasso.photo.faces.mtcnn import detect

    pixels, _ = picture(photo, _SIDE)
    by = photo.frame.width / pixels.shape[1]
    image = torch.tensor(np.ascontiguousarray(pixels)).permute(2, 0, 1)
    sure, boxes, marks = detect(image)
    found = [
        Face((x0, y0, x1, y1), at[:2], at[2], at[3:], likely)
        for likely, (x0, y0, x1, y1), at in zip(
            sure.tolist(), (by * boxes.double()).tolist(), by * marks.double().numpy(), strict=True
        )
        if likely >= _SURE
    ]
    return tuple(sorted(found, key=lambda face: -face.width))
