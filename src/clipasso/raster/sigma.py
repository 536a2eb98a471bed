"""The width of the pixel filter, which all backends share."""

__all__ = ["SIGMA"]

SIGMA = 0.5
"""Standard deviation of the pixel filter, in pixels."""
