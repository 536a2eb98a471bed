"""DXF through ezdxf (extra `dxf`): strokes as splines, whose curves are the strokes' exactly."""

from __future__ import annotations

import io

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.vector.sketch import Sketch
from clipasso.vector.visible import visible

__all__ = ["write_dxf"]


def write_dxf(sketch: Sketch, mm_per_px: float) -> str:
    """The text of a DXF file (R2010): millimetres, y up, origin at the canvas's lower left corner.

    Each visible piece of a stroke is a SPLINE, or an LWPOLYLINE where strokes are straight, on a
    layer named for its colour. Widths become line weights, in DXF's steps; opacity is kept.

    Args:
        mm_per_px: how large a px of the sketch becomes, mm.

    Raises:
        ClipassoError: ezdxf is not installed, or no stroke is on the canvas.
    """
    try:
        import ezdxf
        from ezdxf import units
        from ezdxf.colors import float2transparency, rgb2int
        from ezdxf.lldxf.const import VALID_DXF_LINEWEIGHTS
    except ImportError:
        raise ClipassoError("DXF needs ezdxf: pip install 'clipasso[dxf]'") from None
    pieces = visible(sketch)
    if not pieces:
        raise ClipassoError("has no strokes on its canvas to export")
    document = ezdxf.new("R2010", units=units.MM)
    space = document.modelspace()
    weights = np.array(VALID_DXF_LINEWEIGHTS)
    for stroke, chain in pieces:
        levels = [round(255 * float(value)) for value in sketch.colors[stroke]]
        layer = "stroke-{:02x}{:02x}{:02x}".format(*levels)
        if layer not in document.layers:
            document.layers.add(layer, true_color=rgb2int((levels[0], levels[1], levels[2])))
        thick = 100 * mm_per_px * float(sketch.widths[stroke])  # hundredths of a millimetre
        look = {"layer": layer, "lineweight": int(weights[np.abs(weights - thick).argmin()])}
        if sketch.opacities[stroke] < 1:
            look["transparency"] = float2transparency(1 - float(sketch.opacities[stroke]))
        points = np.concatenate([chain[0, :1], *chain[:, 1:]]) * mm_per_px
        points[:, 1] = sketch.size[1] * mm_per_px - points[:, 1]
        if sketch.degree == 1:
            space.add_lwpolyline(points.tolist(), dxfattribs=look)
            continue
        spline = space.add_spline(degree=sketch.degree, dxfattribs=look)
        spline.control_points = np.pad(points, ((0, 0), (0, 1))).tolist()  # z = 0
        # A knot as often as the degree between segments: there the curve is Bezier's.
        inner = np.repeat(np.arange(len(chain) + 1.0), sketch.degree)
        spline.knots = [0.0, *inner.tolist(), float(len(chain))]
    sink = io.StringIO()
    document.write(sink)
    return sink.getvalue()
