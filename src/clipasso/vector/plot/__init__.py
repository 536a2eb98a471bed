"""Sketches for pen plotters.

`plot` lays a sketch on `paper`, joins strokes that touch (`joins`), goes over bold ones in passes
where it is asked to (`fill`) and finds the pen's way from one line to the next (`order`); the
`Plot` that it makes is written as `svg`, or through vpype for `machines`.
"""

from clipasso.vector.plot.order import PenOrder, order_for_pen, pen_order, pen_travel
from clipasso.vector.plot.page import Layer, Line, Plot, plot

__all__ = [
    "Layer",
    "Line",
    "PenOrder",
    "Plot",
    "order_for_pen",
    "pen_order",
    "pen_travel",
    "plot",
]
