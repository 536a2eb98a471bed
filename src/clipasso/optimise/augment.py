"""Random perspective and crop as one homography and one resampling (sections 3.2 and A).

CLIPDraw's augmentation, which the paper follows, is torchvision's RandomPerspective(0.5, p=1) and
then RandomResizedCrop(224, scale=(0.8, 0.8), ratio=(1, 1)). Here each pair of draws becomes one 3 x
3 matrix that maps output pixels to input pixels, so that an image is resampled once, a whole batch
in one call, and sketch and photo get exactly the same transform.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from clipasso.settings import Borders, Crop

__all__ = ["apply_homographies", "identity_homographies", "random_homographies"]


def identity_homographies(count: int, device: torch.device | None = None) -> Tensor:
    """`[count, 3, 3]` transforms that change nothing: the clean pair."""
    return torch.eye(3, device=device).expand(count, 3, 3)


def random_homographies(
    count: int,
    size: int,
    generator: torch.Generator,
    *,
    distortion: float = 0.5,
    crop: Crop = "fixed",
) -> Tensor:
    """Draw transforms with the distribution of torchvision's two steps.

    Args:
        count: how many.
        size: side of the square canvas, pixels.
        generator: the only source of randomness, on the CPU.
        distortion: how far corners may move inwards, as a part of half the side.
        crop: `fixed`, a square of 0.8 of the canvas's area, or `varied`: 0.7 to 0.9 of the area and
            sides of 3:4 to 4:3 (CLIPDraw's).

    Returns:
        `[count, 3, 3]` on the CPU; each maps output pixel coordinates (x, y, 1) to input ones.
    """
    reach = int(distortion * (size // 2))

    def integers(low: int, high: int, *shape: int) -> Tensor:  # low .. high - 1
        return torch.randint(low, high, shape, generator=generator).double()

    near = integers(0, reach + 1, count, 4, 2)
    far = integers(size - reach - 1, size, count, 4, 2)
    is_far = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.bool)
    moved = torch.where(is_far, far, near)  # where the corners go, clockwise from the top left
    corners = is_far.double() * (size - 1)
    perspective = _solve(moved, corners.expand(count, 4, 2))

    sides, offset = _crops(crop, count, size, generator)
    window = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
    window[:, 0, 0], window[:, 1, 1] = (sides / size).unbind(-1)
    window[:, :2, 2] = offset
    return (perspective @ window).float()


def _crops(
    crop: Crop, count: int, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Sides and top left corners of crops in whole pixels, each `[count, 2]` (x, y)."""
    if crop == "fixed":
        side = round(math.sqrt(0.8) * size)
        corner = torch.randint(0, size - side + 1, (count, 2), generator=generator).double()
        return torch.full_like(corner, side), corner
    # Torchvision draws again, up to ten times, where a side would be longer than the canvas.
    area, ratio = torch.rand((2, count, 10), generator=generator, dtype=torch.float64)
    area = (0.7 + 0.2 * area) * size**2
    ratio = ((2 * ratio - 1) * math.log(4 / 3)).exp()
    tried = torch.stack([area * ratio, area / ratio], -1).sqrt().round()
    first = (tried <= size).all(-1).double().argmax(1)
    sides = tried[torch.arange(count), first].clamp(max=size)
    part = torch.rand((count, 2), generator=generator, dtype=torch.float64)
    return sides, (part * (size - sides + 1)).floor()


def _solve(source: Tensor, target: Tensor) -> Tensor:
    """The homographies `[n, 3, 3]` that map four points to four points, both `[n, 4, 2]`."""
    (x, y), (u, v) = source.unbind(-1), target.unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows_u = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    rows_v = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    h = torch.linalg.solve(torch.cat([rows_u, rows_v], 1), torch.cat([u, v], 1))
    return torch.cat([h, torch.ones_like(h[:, :1])], 1).reshape(-1, 3, 3)


def apply_homographies(images: Tensor, transforms: Tensor, *, borders: Borders = "plain") -> Tensor:
    """Resample images bilinearly; differentiable in the images.

    Args:
        images: `[batch, channels, height, width]`, 0..1.
        transforms: `[batch, 3, 3]` from output to input pixel coordinates.
        borders: what stands outside the image: black (`plain`, torchvision's default), `white` or
            its own border pixels again (`extend`).

    Returns:
        Images of the same shape.
    """
    height, width = images.shape[-2:]
    x = torch.arange(width, dtype=images.dtype, device=images.device) + 0.5
    y = torch.arange(height, dtype=images.dtype, device=images.device) + 0.5
    columns, rows = torch.meshgrid(x, y, indexing="xy")
    grid = torch.stack([columns, rows, torch.ones_like(rows)], -1)
    mapped = grid.reshape(1, -1, 3) @ transforms.to(images).transpose(1, 2)
    xy = mapped[..., :2] / mapped[..., 2:]
    # By numbers, not by a tensor of them: its copy would make the host wait for the device.
    xy[..., 0] *= 2 / width
    xy[..., 1] *= 2 / height
    xy = (xy - 1).reshape(-1, height, width, 2)
    if borders == "white":
        return 1 - F.grid_sample(1 - images, xy, padding_mode="zeros", align_corners=False)
    outside = "border" if borders == "extend" else "zeros"
    return F.grid_sample(images, xy, padding_mode=outside, align_corners=False)
