"""`clipasso ladder`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say, tell
from clipasso.cli.drawing import read_drawing
from clipasso.cli.forecast import Forecast, where
from clipasso.cli.outlet import Outlet
from clipasso.cli.photos import load_masked
from clipasso.cli.progress import progress_bar
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError
from clipasso.pipeline.claims import claimed

if TYPE_CHECKING:
    from clipasso.optimise.loop import Progress
    from clipasso.pipeline.ladder import Rung
    from clipasso.vector.sketch import Sketch

__all__ = ["SETTINGS", "command"]

SETTINGS = (
    "loss", "seeds", "seed", "iterations", "augmentations", "background", "width", "frame",
)  # fmt: skip
"""Those of a sketch that a ladder has options for."""


@opt.with_settings(*SETTINGS)
def command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="- for standard input.")],
    strokes: Annotated[
        str, typer.Option(help="Numbers of strokes, going down.", metavar="N,...")
    ] = "32,16,8,4",
    output: opt.Output = Path("sketches"),
    independent: Annotated[
        bool, typer.Option("--independent", help="Sketch every level from scratch.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="remove: drop strokes and rearrange nothing, for comparison.", metavar="NAME"
        ),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="A sketch of the photo with more strokes, which the first level is made from too.",
            metavar="SKETCH.svg",
        ),
    ] = None,
    preset: opt.Preset = "default",
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    device: opt.Device = "auto",
    mask: opt.Mask = "auto",
    mask_weights: opt.MaskWeights = None,
    fit: opt.Fit = "pad",
    force: opt.Force = False,
    quiet: opt.Quiet = False,
    **chosen: Any,
) -> int:
    """Sketch a photo with fewer and fewer strokes, each level made from the one above it.

    The strokes that are missed least go, and the others find their places anew. Writes
    NAME-32.svg, NAME-16.svg ... for the levels, NAME-ladder.svg with a layer for each,
    NAME-ladder.png with all of them side by side and NAME-ladder.json with losses and times.
    Ctrl-C keeps the levels that are done, and the best so far of the one in work.

    Examples:

      clipasso ladder horse.png -o out

      clipasso ladder horse.png --strokes 24,12,6 --independent

      clipasso ladder horse.png --init sketches/horse.svg --strokes 8,4
    """
    from clipasso.settings import make_settings
    from clipasso.vector.safe_write import check_names, keep_apart, prepare_folder, refuse_existing

    if baseline not in (None, "remove") or (baseline and independent):
        raise ClipassoError(
            "--independent and --baseline: give one of them" if independent
            else f"--baseline {baseline}: must be remove"
        )  # fmt: skip
    if init is not None and independent:
        raise ClipassoError("--init and --independent: give one of them")
    levels = _levels(strokes)
    settings, preferred = make_settings(preset, **{**chosen, "strokes": levels[0]})
    stem = "stdin" if photo == STANDARD else photo.stem
    svgs = [output / f"{stem}-{count}.svg" for count in levels]
    together = [output / f"{stem}-ladder.{kind}" for kind in ("svg", "png", "json")]
    keep_apart([photo, init, weights, mask_weights, Path(mask)], [*svgs, *together])
    for path in [*svgs, *together]:
        refuse_existing(path, force)
    above = None if init is None else _above(init, levels)
    prepare_folder(output)
    check_names([*svgs, *together])
    outlet = Outlet(output, settings.seeds, quiet=quiet)
    with ExitStack() as held, outlet.at_work(1) as stopping:
        held.enter_context(claimed(output, f"{stem}-ladder.svg"))
        from clipasso.pipeline.ladder import climb_down
        from clipasso.pipeline.models import load_models

        models = load_models(settings, encoder or preferred, weights, device=device)
        if models.note:
            say(models.note)
        seen, found = load_masked(photo, settings, fit, mask, mask_weights, say)  # type: ignore[arg-type]
        for note in found.notes:
            say(note)
        forecast = Forecast(
            lambda: f"{len(levels)} levels, {models.loss.name} on {where(models.device)}",
            "Ctrl-C keeps the best so far, fewer --iterations are quicker", quiet,
        )  # fmt: skip
        show = held.enter_context(progress_bar(stem, quiet))

        def on_progress(place: int, progress: Progress) -> None:
            stopping.keeping = True
            show(progress)
            forecast.see(progress.step + place * progress.steps, progress.steps * len(levels))

        rungs = climb_down(
            seen, models, settings, levels, mask=found, above=above,
            method="independent" if independent else "remove" if baseline else "rearrange",
            on_progress=on_progress, stop=stopping.event,
        )  # fmt: skip
        _write(rungs, svgs, together, force)
    for rung, path in zip(rungs, svgs, strict=False):
        if not quiet:
            tell(
                f"{path}  {rung.strokes} strokes, loss {rung.loss:.4g}, {rung.steps} steps of all "
                f"seeds in {rung.seconds:.0f} s, {models.loss.description}"
            )
    return stopping.status if stopping.event.is_set() else 0


def _above(path: Path, levels: tuple[int, ...]) -> Sketch:
    name, sketch = read_drawing(path)
    if len(sketch) <= levels[0]:
        raise ClipassoError(
            f"--init {name}: has {len(sketch)} strokes; the first level must have fewer, not "
            f"{levels[0]}"
        )
    return sketch


def _levels(text: str) -> tuple[int, ...]:
    from clipasso.pipeline.ladder import parse_levels

    return parse_levels(text)


def _write(rungs: list[Rung], svgs: list[Path], together: list[Path], force: bool) -> None:
    """Write the files of the levels that there are."""
    from clipasso.pipeline.ladder import layered, side_by_side
    from clipasso.pipeline.output import encode_png
    from clipasso.vector.safe_write import write_atomically

    layers, sheet, report = together
    told = [
        {"strokes": r.strokes, "loss": r.loss, "steps": r.steps, "seconds": round(r.seconds, 3)}
        for r in rungs
    ]
    write_atomically(report, json.dumps({"levels": told}, indent=2) + "\n", replace=force)
    write_atomically(sheet, encode_png(side_by_side(rungs)), replace=force)
    write_atomically(layers, layered(rungs), replace=force)
    for rung, path in zip(rungs, svgs, strict=False):
        write_atomically(path, rung.sketch.to_svg(), replace=force)
