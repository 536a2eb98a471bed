"""Find people's faces: three small networks, each looking closer at what the one before it let by.

After Zhang, Zhang, Li and Qiao, "Joint face detection and alignment using multitask cascaded
convolutional networks" (IEEE Signal Processing Letters 2016). Its weights come with the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["WEIGHTS", "Cascade", "detect"]

WEIGHTS = Path(__file__).with_name("mtcnn.safetensors")
"""The file of its weights, which comes with the program."""
_CELL, _STRIDE = 12, 2  # px that the first network sees at once, and between two of its looks
_SHRINK = 0.709  # from one size of the image to the next, about the square root of a half
_SURE = (0.6, 0.7, 0.7)  # of each network, for a candidate to be looked at by the next
_FINE = 4  # looks at the image along each side of a pixel that is cut out of it
_ALIKE = 0.7  # intersection over union (in the end over the smaller) of two that are one face


def detect(image: Tensor, smallest: float = 20.0) -> tuple[Tensor, Tensor, Tensor]:
    """Faces in an image, the surest first.

    Args:
        image: `[3, height, width]`, sRGB in 0..1.
        smallest: side of the smallest face to look for, px.

    Returns:
        How sure the last network is `[faces]`, 0.7..1; boxes `[faces, 4]`, left, top, right,
        bottom; and of each face the eye on the image's left, the other, the nose's tip and both
        ends of the mouth, from left to right, `[faces, 5, 2]` (x, y); all in px of the image.
    """
    with torch.no_grad():
        found: tuple[Tensor, Tensor, Tensor] = _cascade()(image, smallest)
    return found


@lru_cache(maxsize=1)
def _cascade() -> Cascade:
    from safetensors.torch import load_file

    cascade = Cascade()
    cascade.load_state_dict({name: w.float() for name, w in load_file(WEIGHTS).items()})
    return cascade.eval()


class Cascade(nn.Module):
    """The three networks and what goes on between them."""

    def __init__(self) -> None:
        super().__init__()
        self.proposes, self.refines, self.decides = _Proposes(), _Refines(), _Decides()

    def forward(self, image: Tensor, smallest: float) -> tuple[Tensor, Tensor, Tensor]:
        """As `detect`."""
        image = 2 * image - 1
        boxes = self._proposed(image, smallest)
        none = image.new_empty(0), image.new_empty(0, 4), image.new_empty(0, 5, 2)
        if not len(boxes):
            return none
        sure, shift = self.refines(_cut(image, boxes, 24))
        kept = sure > _SURE[1]
        boxes, sure = _shifted(boxes[kept], shift[kept]), sure[kept]
        boxes = _squared(boxes[_separate(boxes, sure, _ALIKE)])
        if not len(boxes):
            return none
        sure, shift, marks = self.decides(_cut(image, boxes, 48))
        kept = sure > _SURE[2]
        boxes, sure, shift = boxes[kept], sure[kept], shift[kept]
        corner, side = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        marks, boxes = corner + side * marks[kept], _shifted(boxes, shift)
        chosen = _separate(boxes, sure, _ALIKE, of_smaller=True)
        return sure[chosen], boxes[chosen], marks[chosen]

    def _proposed(self, image: Tensor, smallest: float) -> Tensor:
        """Squares that may hold a face, `[candidates, 4]`."""
        boxes, sures = [], []
        for scale in _scales(min(image.shape[1:]), smallest):
            size = [max(_CELL, round(side * scale)) for side in image.shape[1:]]
            sure, shift = self.proposes(F.interpolate(image[None], size=size, mode="area"))
            row, column = (sure[0] > _SURE[0]).nonzero(as_tuple=True)
            start = _STRIDE * torch.stack([column, row], 1)
            # Each cell is a square of the image that the first network saw shrunk.
            square = torch.cat([start, start + _CELL], 1) / scale
            found, sure = _shifted(square, shift[0][:, row, column].T), sure[0, row, column]
            kept = _separate(square, sure, 0.5)
            boxes.append(found[kept])
            sures.append(sure[kept])
        if not boxes:
            return image.new_empty(0, 4)
        every, sure = torch.cat(boxes), torch.cat(sures)
        return _squared(every[_separate(every, sure, _ALIKE)])


class _Proposes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 10, 3), nn.PReLU(10), nn.MaxPool2d(2, 2, ceil_mode=True),
            nn.Conv2d(10, 16, 3), nn.PReLU(16), nn.Conv2d(16, 32, 3), nn.PReLU(32),
        )  # fmt: skip
        self.sure, self.shift = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """How likely a face is in each cell `[n, rows, columns]`, and where, `[n, 4, ...]`."""
        x = self.body(images)
        return self.sure(x).softmax(1)[:, 1], self.shift(x)


class _Refines(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 28, 3), nn.PReLU(28), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(28, 48, 3), nn.PReLU(48), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(48, 64, 2), nn.PReLU(64), nn.Flatten(),
            nn.Linear(576, 128), nn.PReLU(128),
        )  # fmt: skip
        self.sure, self.shift = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of `[n, 3, 24, 24]`: how likely each is a face `[n]`, and where in it, `[n, 4]`."""
        x = self.body(images)
        return self.sure(x).softmax(1)[:, 1], self.shift(x)


class _Decides(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3), nn.PReLU(32), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(32, 64, 3), nn.PReLU(64), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(64, 64, 3), nn.PReLU(64), nn.MaxPool2d(2, 2, ceil_mode=True),
            nn.Conv2d(64, 128, 2), nn.PReLU(128), nn.Flatten(),
            nn.Linear(1152, 256), nn.PReLU(256),
        )  # fmt: skip
        self.sure, self.shift = nn.Linear(256, 2), nn.Linear(256, 4)
        self.marks = nn.Linear(256, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of `[n, 3, 48, 48]`: as `_Refines`, and its five points `[n, 5, 2]`, parts of it."""
        x = self.body(images)
        marks = self.marks(x).unflatten(1, (2, 5)).transpose(1, 2)
        return self.sure(x).softmax(1)[:, 1], self.shift(x), marks


def _scales(side: int, smallest: float) -> Iterator[float]:
    scale = _CELL / smallest
    while side * scale >= _CELL:
        yield scale
        scale *= _SHRINK


def _cut(image: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Parts of an image at one size, `[n, 3, side, side]`; what lies beyond it is grey."""
    fine = side * _FINE
    size = boxes.new_tensor([image.shape[2], image.shape[1]])
    along = (torch.arange(fine, dtype=boxes.dtype) + 0.5) / fine
    spots = boxes[:, None, :2] + along[:, None] * (boxes[:, 2:] - boxes[:, :2])[:, None]
    x, y = (2 * spots / size - 1).unbind(2)  # each [n, fine], -1..1 over the image
    grid = torch.stack([x[:, None, :].expand(-1, fine, -1), y[:, :, None].expand(-1, -1, fine)], 3)
    seen = F.grid_sample(image.expand(len(boxes), -1, -1, -1), grid, align_corners=False)
    return F.avg_pool2d(seen, _FINE)


def _shifted(boxes: Tensor, shift: Tensor) -> Tensor:
    """Boxes whose corners are moved by parts of their sides."""
    return boxes + shift * (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)


def _squared(boxes: Tensor) -> Tensor:
    """Squares with the boxes' middles and longer sides."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).amax(1) / 2
    return torch.cat([middle - half[:, None], middle + half[:, None]], 1)


def _separate(boxes: Tensor, sure: Tensor, most: float, of_smaller: bool = False) -> Tensor:
    """The numbers of those boxes that no surer one covers by so much, the surest first.

    Args:
        most: of both boxes together, or of the smaller one.
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    taken: list[int] = []
    left = sure.argsort(descending=True)
    while len(left):
        best, left = left[0], left[1:]
        taken.append(int(best))
        low = torch.maximum(boxes[best, :2], boxes[left, :2])
        high = torch.minimum(boxes[best, 2:], boxes[left, 2:])
        common = (high - low).clamp(min=0).prod(1)
        whole = torch.minimum(areas[best], areas[left])
        if not of_smaller:
            whole = areas[best] + areas[left] - common
        left = left[common <= most * whole]
    return torch.tensor(taken, dtype=torch.long)
