"""A visitor's photo as the studio holds it: on its canvas, with its mask, and as pages show it."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.photo.canvas import Photo
    from clipasso.photo.masks import Mask
    from clipasso.settings import PictureFrame, Settings

__all__ = ["MASKS", "Material", "open_material"]

MASKS = ("auto", "none")
"""Masks that can be asked for by name; others are painted."""

_SHOWN = 1024  # px of the longer side of the picture that pages show
_PAINTED = "mask.png"


@dataclass(frozen=True, eq=False)
class Material:
    """A photo that can be sketched.

    Attributes:
        name: as the visitor called the file.
        path: of the file that was uploaded, among the visitor's own.
        how: `auto`, `none`, or the path of a painted mask.
        framed: `auto` leaves out what is laid around the photo, `keep` keeps it.
        photo: on its canvas, without its frame if that is left out.
        mask: of the photo.
        picture: the whole photo as a JPEG file, upright.
        size: its width and height, px.
        number: of this state of the photo; it grows with each change.
    """

    name: str
    path: Path
    how: str
    framed: PictureFrame
    photo: Photo
    mask: Mask
    picture: bytes
    size: tuple[int, int]
    number: int

    @property
    def painted(self) -> bool:
        """Whether the mask is the visitor's own."""
        return self.how not in MASKS

    def masked(self, how: str) -> Material:
        """The same with another mask. Raises ClipassoError as `make_mask`, or for no mask."""
        mask = _mask(self.photo, how, self.path.parent, self.name)
        return replace(self, how=how, mask=mask, number=self.number + 1)

    def mask_picture(self) -> bytes:
        """A PNG file of `size`: white where the object is, or all of the photo but its frame.

        A painted one is as it was sent, which may be of another size.
        """
        from PIL import Image

        if self.painted:
            return Path(self.how).read_bytes()
        inside = self.inside()
        picture = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))
        buffer = io.BytesIO()
        picture.save(buffer, format="png")
        return buffer.getvalue()

    def inside(self) -> NDArray[np.bool_]:
        """Where the object is, `[height, width]` of `size`."""
        import cv2

        width, height = self.size
        frame = self.photo.frame
        x0, y0, x1, y1 = frame.box
        within = np.zeros((height, width), bool)
        left, right = (round(x / frame.width * width) for x in (x0, x1))
        top, bottom = (round(y / frame.height * height) for y in (y0, y1))
        within[top:bottom, left:right] = True
        if self.mask.inside is None:
            return within
        canvas = self.mask.inside.astype(np.float32)
        across = (np.arange(width) + 0.5) * (frame.width / width)
        down = (np.arange(height) + 0.5) * (frame.height / height)
        x = frame.to_canvas(np.stack([across, np.zeros(width)], 1))[:, 0] - 0.5
        y = frame.to_canvas(np.stack([np.zeros(height), down], 1))[:, 1] - 0.5
        columns, rows = (a.astype(np.float32) for a in np.meshgrid(x, y))
        soft = cv2.remap(canvas, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        smooth = cv2.GaussianBlur(soft, (0, 0), max(width, height) / len(canvas) / 2)
        found: NDArray[np.bool_] = (smooth > 0.5) & within
        return found

    def as_dict(self) -> dict[str, Any]:
        """What a page says of it, as plain values."""
        frame, mask = self.photo.frame, self.mask
        inner = None
        if frame.inner is not None:
            x0, y0, x1, y1 = frame.inner
            inner = [x0 / frame.width, y0 / frame.height, x1 / frame.width, y1 / frame.height]
        source = "painted" if self.painted else mask.source
        return {
            "name": self.name, "number": self.number, "size": self.size, "inner": inner,
            "surround": self.photo.surround, "framed": self.framed,
            "canvas": [frame.width, frame.height],
            "mask": {"how": "painted" if self.painted else self.how, "source": source,
                     "whole": mask.inside is None},
            "notes": [*self.photo.notes, *mask.notes],
        }  # fmt: skip


def open_material(
    path: Path, name: str, settings: Settings, how: str = "auto", number: int = 1
) -> Material:
    """Read an uploaded photo as the command line would, and find its object and its frame.

    Args:
        path: of the file, in a folder of the visitor's own.
        name: as the visitor calls it.
        settings: of these `canvas` and `frame`.
        how: as in `Material`.

    Raises:
        ClipassoError: it cannot be used; the line has the visitor's name of it.
    """
    from PIL import Image

    from clipasso.photo.canvas import load_photo, picture
    from clipasso.photo.picture_frame import without_frame

    try:
        photo = load_photo(path, size=settings.canvas, name=name)
        photo = without_frame(photo, settings.frame)
        pixels, _ = picture(photo, _SHOWN)
    except ClipassoError as error:
        raise ClipassoError(str(error).replace(str(path), name)) from None
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, format="jpeg", quality=88)
    mask = _mask(photo, how, path.parent, name)
    return Material(
        name, path, how, settings.frame, photo, mask, buffer.getvalue(), image.size, number
    )


def _mask(photo: Photo, how: str, folder: Path, name: str) -> Mask:
    from clipasso.photo.masks import make_mask

    own = how not in MASKS
    if own and Path(how).parent != folder:  # a page names masks, never files
        raise ClipassoError(f"mask {how}: must be {' or '.join(MASKS)}, or painted")
    try:
        return make_mask(photo, how)
    except ClipassoError as error:
        raise ClipassoError(str(error).replace(f"--mask {how}", "the painted mask")) from None
