"""Noise over the plane: the same at a place whatever size a picture has and whatever tile it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipasso.vector.bezier import FloatArray

__all__ = ["Noise"]

_TURN = 0.65  # radians between octaves, lest the lattices' axes show
_WRAP = 0xFFFFFFFF


class Noise:
    """Smooth random values, given by a seed alone."""

    def __init__(self, *seeds: int) -> None:
        state = np.random.SeedSequence(list(seeds)).generate_state(2)
        self._seed = int(state[0])
        self._shift = float(state[1]) / _WRAP * 1000.0

    def line(self, x: ArrayLike, cell: float, row: int = 0) -> FloatArray:
        """Values in 0..1, mean 0.5, that change over about `cell` along a line."""
        x = np.asarray(x, np.float64)
        return self._octave(x, np.full(x.shape, row + 0.0) * cell, cell, 7)

    def plane(self, x: FloatArray, y: FloatArray, cell: float, octaves: int = 1) -> FloatArray:
        """Values in 0..1, mean 0.5, that change over about `cell` and, weaker, over halves of it.

        Args:
            x, y: `[n]`, in the units of `cell`.
            octaves: how often `cell` is halved.
        """
        total, weight, amount = np.zeros(x.shape), 1.0, 0.0
        for octave in range(octaves):
            angle = 0.4 + _TURN * octave
            cos, sin = np.cos(angle), np.sin(angle)
            total += weight * self._octave(
                cos * x - sin * y, sin * x + cos * y, cell * 0.5**octave, octave
            )
            amount, weight = amount + weight, weight * 0.6
        # The mean of several has a narrower spread than one has.
        return np.clip(0.5 + (total / amount - 0.5) * (1 + 0.25 * (octaves - 1)), 0, 1)

    def _octave(self, x: FloatArray, y: FloatArray, cell: float, salt: int) -> FloatArray:
        u, v = x / cell + self._shift, y / cell + self._shift
        i, j = np.floor(u), np.floor(v)
        a, b = u - i, v - j
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        i, j = i.astype(np.int64), j.astype(np.int64)
        top = self._at(i, j, salt) * (1 - a) + self._at(i + 1, j, salt) * a
        bottom = self._at(i, j + 1, salt) * (1 - a) + self._at(i + 1, j + 1, salt) * a
        return np.asarray(top * (1 - b) + bottom * b)

    def _at(self, i: NDArray[np.int64], j: NDArray[np.int64], salt: int) -> FloatArray:
        """The lattice's own values, in 0..1."""
        h = (i * 0x9E3779B1 + j * 0x85EBCA77 + salt * 0xC2B2AE3D + self._seed) & _WRAP
        for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
            h = ((h ^ (h >> shift)) * factor) & _WRAP
        return np.asarray((h ^ (h >> 15)) / _WRAP)
