"""A plot as an SVG file: millimetres, and layers as vpype and Inkscape have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clipasso.vector.svg.document import SVG
from clipasso.vector.svg.write import path_data, xml_number, xml_text

if TYPE_CHECKING:
    from clipasso.vector.plot.page import Layer, Plot

__all__ = ["write_plot"]

_INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"


def write_plot(plot: Plot) -> str:
    """The text of an SVG file: a top-level group for each layer, a `<path>` for each line.

    User units are millimetres, with three decimals. Layers are labelled `N #rrggbb`, the number
    being the one that vpype gives them.
    """
    width, height = map(xml_number, plot.size)
    layers = "".join(_group(n, layer, plot) for n, layer in enumerate(plot.layers, 1))
    return (
        f'<svg xmlns="{SVG[1:-1]}" xmlns:inkscape="{_INKSCAPE}" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">\n'
        f"  <title>{xml_text(plot.title or 'Plot')}</title>\n"
        f"  <desc>For a pen of {plot.pen:g} mm. Lines: {len(plot.lines)}. Written by clipasso."
        "</desc>\n"
        f"{layers}</svg>\n"
    )


def _group(number: int, layer: Layer, plot: Plot) -> str:
    paths = ""
    for chain, width in layer.lines:
        own = "" if width == plot.pen else f' stroke-width="{xml_number(width)}"'
        paths += f'    <path d="{path_data(chain)}"{own}/>\n'
    return (
        f'  <g id="layer{number}" inkscape:groupmode="layer" '
        f'inkscape:label="{number} {layer.color}" fill="none" stroke="{layer.color}" '
        f'stroke-width="{xml_number(plot.pen)}" stroke-linecap="round" stroke-linejoin="round">\n'
        f"{paths}  </g>\n"
    )
