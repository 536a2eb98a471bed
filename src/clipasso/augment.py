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

from clipasso.settings import Borders

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
    crop_area: float = 0.8,
) -> Tensor:
    """Draw transforms with the distribution of torchvision's two steps.

    Args:
        count: how many.
        size: side of the square canvas, pixels.
        generator: the only source of randomness, on the CPU.
        distortion: how far corners may move inwards, as a part of half the side.
        crop_area: area of the crop as a part of the canvas.

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

    side = round(math.sqrt(crop_area) * size)
    offset = integers(0, size - side + 1, count, 2)
    crop = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
    crop[:, 0, 0] = crop[:, 1, 1] = side / size
    crop[:, :2, 2] = offset
    return (perspective @ crop).float()


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
        borders: what stands outside the image: black (`plain`, torchvision's default) or its own
            border pixels again (`extend`).

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
    xy = (xy * xy.new_tensor([2 / width, 2 / height]) - 1).reshape(-1, height, width, 2)
    outside = "border" if borders == "extend" else "zeros"
    return F.grid_sample(images, xy, padding_mode=outside, align_corners=False)
