"""Brushes: a sketch's strokes as ink, pencil, charcoal and the like (figure 10b of the paper).

A brush (`base.Brush`) lays marks along a stroke; `sweep` makes outlines of them for an SVG, `draw`
a picture in which brushes with a texture take away from the ink what the paper or dry hairs leave
bare. `restyle` is the door, `catalogue` knows the brushes by name.

To add a brush: a file with its class, and a line in `catalogue`.
"""

from clipasso.vector.brushes.base import Brush
from clipasso.vector.brushes.catalogue import BRUSHES, find_brush
from clipasso.vector.brushes.restyle import Styled, restyle

__all__ = ["BRUSHES", "Brush", "Styled", "find_brush", "restyle"]
