"""Bezier segments as tensors."""

from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["bezier", "bezier_derivatives", "split_chain"]


def bezier(points: Tensor, t: Tensor) -> Tensor:
    """Evaluate Bezier segments by de Casteljau's scheme, which is stable for any degree.

    Args:
        points: `[..., degree + 1, 2]` control points.
        t: `[...]` parameters, 0..1, broadcast against the leading dimensions of `points`.

    Returns:
        `[..., 2]` points of the curve, in the units of `points`.
    """
    t = t[..., None]
    row = list(points.unbind(-2))
    while len(row) > 1:
        row = [p + t * (q - p) for p, q in pairwise(row)]
    return row[0] + torch.zeros_like(t)


def bezier_derivatives(points: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Position, first and second derivative of Bezier segments at t, each `[..., 2]`."""
    degree = points.shape[-2] - 1
    first = degree * points.diff(dim=-2)
    value, slope = bezier(points, t), bezier(first, t)
    if degree < 2:
        return value, slope, torch.zeros_like(value)
    return value, slope, bezier((degree - 1) * first.diff(dim=-2), t)


def split_chain(points: Tensor, degree: int) -> Tensor:
    """Cut strokes that are chains of segments into their segments.

    Args:
        points: `[..., degree * m + 1, 2]` control points; neighbouring segments share one.
        degree: of every segment.

    Returns:
        `[..., m, degree + 1, 2]`.
    """
    return points.unfold(-2, degree + 1, degree).transpose(-1, -2)
