"""Sketches as SVG files: written, and read back also from other programs' files.

`document` makes a tree of a file, `sheet` and `style` say how its elements look, `walk` finds its
shapes, `outline` turns them into Bezier segments and `alike` those into the strokes of a sketch.
`limits` bounds it all.
"""

from clipasso.vector.svg.read import read_strokes
from clipasso.vector.svg.write import write_svg

__all__ = ["read_strokes", "write_svg"]
