"""Plots in the languages of machines, through vpype: HPGL and G-code (extra `plot`)."""

from __future__ import annotations

import io
import re
import shlex
import tempfile
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.vector.lengths import MM_PER_PX

if TYPE_CHECKING:
    from clipasso.vector.plot.page import Plot

__all__ = ["plot_notes", "to_vpype", "write_gcode", "write_hpgl"]

_NEAR = 1.0  # mm that a plotter's paper may be larger or smaller than ours
_LOST = 0.5  # mm of a line, and two steps a point, that rounding to a plotter's units may cost

_MOVES = re.compile(r"P([UD])([-0-9,]+)")


def to_vpype(plot: Plot) -> Any:
    """The plot as a `vpype.Document`: CSS px, a layer a pen.

    Raises:
        ClipassoError: vpype is not installed.
    """
    vpype = _vpype()
    document = vpype.Document(page_size=(plot.size[0] / MM_PER_PX, plot.size[1] / MM_PER_PX))
    for number, (layer, lines) in enumerate(zip(plot.layers, plot.flatten(), strict=True), 1):
        placed = [(line[:, 0] + 1j * line[:, 1]) / MM_PER_PX for line in lines]
        document.add(vpype.LineCollection(placed), number)
        document.layers[number].set_property("vp_color", vpype.Color(layer.color))
        document.layers[number].set_property("vp_pen_width", plot.pen / MM_PER_PX)
    return document


def write_hpgl(plot: Plot, device: str = "hp7475a") -> str:
    """HPGL for a pen plotter, absolute coordinates; layers are pens 1, 2, ...

    Args:
        device: one of vpype's, its own or of a `~/.vpype.toml`.

    Raises:
        ClipassoError: vpype is not installed, does not know the device, or that takes no paper of
            this size or does not reach all of the drawing.
    """
    vpype = _vpype()
    config, paper = _device_paper(plot, device)
    sink = io.StringIO()
    landscape = plot.size[0] > plot.size[1]
    vpype.write_hpgl(
        sink, to_vpype(plot), paper.name, landscape, center=False, device=device, velocity=None,
        absolute=True, quiet=True,
    )  # fmt: skip
    text = sink.getvalue()
    # vpype cuts off what the pen cannot reach, and says nothing.
    drawn, points = _drawn(text)
    unit = config.plotter_unit_length * MM_PER_PX
    lines = [line for layer in plot.flatten() for line in layer]
    asked = sum(dist(p, q) for line in lines for p, q in pairwise(line.tolist()))
    if asked - drawn * unit > _LOST + 2 * unit * points or text.count("PD") != len(lines):
        raise ClipassoError(
            f"--device {device}: its pen does not reach all of this drawing on {paper.name}; "
            "give a larger --margin"
        )
    return text


def write_gcode(plot: Plot, profile: str = "gcodemm") -> str:
    """G-code, or what else a profile of vpype-gcode makes of lines.

    Args:
        profile: one of vpype-gcode's, its own or of a `~/.vpype.toml`.

    Raises:
        ClipassoError: vpype-gcode is not installed or does not know the profile.
    """
    profiles = _profiles()
    if profile not in profiles:
        raise ClipassoError(
            f"--profile {profile}: is not among those that vpype-gcode knows: "
            f"{', '.join(sorted(profiles))}; or describe it in ~/.vpype.toml"
        )
    from vpype_cli import execute

    with tempfile.TemporaryDirectory(prefix="clipasso-") as folder:  # it writes to files only
        path = Path(folder) / "plot.gcode"
        command = shlex.join(["gwrite", "--profile", profile, str(path)])
        execute(command, to_vpype(plot))
        return path.read_text()


def plot_notes(plot: Plot, device: str = "hp7475a") -> list[str]:
    """What the person at the plotter must know, as vpype has it."""
    config, paper = _device_paper(plot, device)
    notes = [text for text in (config.info, paper.info) if text]
    if len(plot.layers) > config.pen_count:
        notes.append(f"{len(plot.layers)} layers share {config.pen_count} pens, in turn")
    return notes


def _device_paper(plot: Plot, device: str) -> tuple[Any, Any]:
    """vpype's configurations of a plotter and of our paper in it."""
    manager = _vpype().config_manager
    try:
        config = manager.get_plotter_config(device)
    except (ValueError, KeyError, TypeError) as error:  # a slip in it
        raise ClipassoError(
            f"--device {device}: vpype's description of it is wrong ({error}); choose another"
        ) from None
    if config is None:
        known = ", ".join(sorted(manager.get_plotter_list()))
        raise ClipassoError(f"--device {device}: is not among those that vpype knows: {known}")
    ours = sorted(plot.size)
    for paper in config.paper_configs:
        if paper.paper_size is not None:
            theirs = sorted(side * MM_PER_PX for side in paper.paper_size)
            if max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= _NEAR:
                return config, paper
    for paper in config.paper_configs:
        if paper.paper_size is None:  # takes any
            return config, paper
    names = ", ".join(paper.name for paper in config.paper_configs)
    raise ClipassoError(
        f"--device {device}: takes no paper of {plot.size[0]:g} x {plot.size[1]:g} mm, only "
        f"{names}; choose another --paper or device"
    )


def _drawn(hpgl: str) -> tuple[float, int]:
    """How far the pen draws, in plotter units, and how many points it draws to."""
    here, length, points = (0.0, 0.0), 0.0, 0
    for pen, numbers in _MOVES.findall(hpgl):
        values = [float(number) for number in numbers.split(",") if number]
        for there in zip(values[::2], values[1::2], strict=True):
            if pen == "D":
                length += dist(here, there)
                points += 1
            here = there
    return length, points


def _vpype() -> Any:
    try:
        import vpype
    except ImportError:
        raise ClipassoError(_missing("vpype", "HPGL")) from None
    return vpype


def _profiles() -> dict[str, Any]:
    vpype = _vpype()
    try:
        import vpype_gcode.gwrite  # noqa: F401  vpype knows its profiles from here on
    except ImportError:
        raise ClipassoError(_missing("vpype-gcode", "G-code")) from None
    found: dict[str, Any] = vpype.config_manager.config.get("gwrite", {})
    return {name: value for name, value in found.items() if isinstance(value, dict)}


def _missing(package: str, what: str) -> str:
    return f"{what} needs {package}: pip install 'clipasso[plot]'; SVG needs nothing more"
