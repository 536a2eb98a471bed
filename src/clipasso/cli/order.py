"""`clipasso order`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say, tell
from clipasso.cli.drawing import deliver, prepare, read_drawing
from clipasso.cli.photos import load_masked
from clipasso.cli.stdio import once

__all__ = ["command"]


@opt.with_settings("loss", "background")
def command(
    sketch: opt.SketchFile,
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="What it is a sketch of.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The SVG to write, - for standard output."),
    ],
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    device: opt.Device = "auto",
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    fit: opt.Fit = "pad",
    force: opt.Force = False,
    quiet: opt.Quiet = False,
    **chosen: Any,
) -> None:
    """Put a sketch's strokes in order: those that tell most of the photo first.

    The first k of them are then a good sketch of k strokes, and an animation or a plotter draws
    what matters before the rest. `clipasso sketch` does this by itself, with fewer looks.

    Examples:

      clipasso order out/horse.svg horse.png -o ordered.svg
    """
    from clipasso.settings import make_settings

    once(sketch, photo)
    prepare([sketch, photo, weights, mask_weights, Path(mask)], output, force)
    _, drawing = read_drawing(sketch)
    make = {
        "strokes": len(drawing),
        "control_points": drawing.degree + 1,
        "segments": drawing.segments,
    }
    settings, preferred = make_settings("default", **{**chosen, **make})
    from clipasso.pipeline.models import load_models
    from clipasso.pipeline.order import in_order, order_strokes

    models = load_models(settings, encoder or preferred, weights, device=device)
    if models.note:
        say(models.note)
    seen, found = load_masked(photo, settings, fit, mask, mask_weights, say)  # type: ignore[arg-type]
    order, losses = order_strokes(drawing, seen, models, settings, found)
    where = deliver(in_order(drawing, order).to_svg(), output, force)
    if not quiet:
        curve = ", ".join(f"{loss:.3f}" for loss in losses)
        tell(f"{where}  {len(drawing)} strokes, {models.loss.description}; losses: {curve}")
