"""`clipasso figure`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say
from clipasso.cli.grids import GridWords, counts, run_grid, tell_files
from clipasso.errors import ClipassoError
from clipasso.vector.safe_write import keep_apart, prepare_folder


@opt.with_settings("iterations", "seeds")
def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which figure; --list explains them.")
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="PHOTO", help="Photos to sketch.")
    ] = None,
    output: opt.Output = Path("figures"),
    encoder: opt.Encoder = None,
    weights: opt.Weights = None,
    saliency_encoder: opt.SaliencyEncoder = None,
    saliency_weights: opt.SaliencyWeights = None,
    lpips_weights: Annotated[
        Path | None, typer.Option(help="torchvision's VGG16 checkpoint, for losses.")
    ] = None,
    strokes: Annotated[
        str | None,
        typer.Option(
            help="Number of strokes (16); several for abstraction and background: 32,16,8,4."
        ),
    ] = None,
    preset: opt.Preset = "default",
    mask: opt.Mask = "auto",
    text: Annotated[
        str, typer.Option(help='For clipdraw ("A sketch of a(n) ..." with the photo\'s file name).')
    ] = "",
    device: opt.Device = "auto",
    workers: opt.Workers = "auto",
    force: Annotated[
        bool, typer.Option("--force", help="Make every run anew instead of taking it up.")
    ] = False,
    quiet: opt.Quiet = False,
    show_list: Annotated[
        bool, typer.Option("--list", help="Explain the figures and do nothing else.")
    ] = False,
    **settings: Any,
) -> int:
    """Make a figure of the paper from your photos.

    Runs the study and writes NAME.png, NAME.pdf and NAME.csv (the losses). Its runs are kept in
    the output folder's `runs`: stopped by Ctrl-C, the same command goes on where it was.

    Examples:

      clipasso figure --list

      clipasso figure abstraction horse.png flamingo.png -o figures

      clipasso figure init cat.jpg --seeds 3 --iterations 600

      clipasso figure layers cat.jpg --encoder RN101 --weights RN101.pt
    """
    from clipasso.figures.catalogue import FIGURES, find_figure
    from clipasso.figures.plan import Asked

    if show_list:
        _print_list()
        return 0
    if name is None:
        raise ClipassoError(f"figure: say which one: {', '.join(FIGURES)}")
    find_figure(name)
    if not photos:
        raise ClipassoError(f"figure {name}: give one photo or more")
    asked = Asked(
        preset, settings["iterations"], settings["seeds"], counts(strokes, "32,16,8,4"), mask, text
    )

    from clipasso.figures.make import SHEET, make_figure

    named = [*photos, weights, saliency_weights, lpips_weights, Path(mask)]
    keep_apart(named, [output / f"{name}.{kind}" for kind in SHEET])
    words = GridWords(f"{name}: loading", f"{name} ", "run", "sheet")
    files = run_grid(words, prepare_folder(output), quiet, lambda show: make_figure(
        name, photos, output, asked, encoder=encoder, weights=weights,
        saliency_encoder=saliency_encoder, saliency_weights=saliency_weights,
        lpips_weights=lpips_weights, device=device, workers=workers, force=force,
        on_progress=show, say=say,
    ))  # fmt: skip
    tell_files(files, quiet)
    return 0


def _print_list() -> None:
    from rich.console import Console
    from rich.table import Table

    from clipasso.figures.catalogue import FIGURES

    table = Table(box=None, pad_edge=False)
    for heading in ("name", "in the paper", "what it shows"):
        table.add_column(heading, no_wrap=heading != "what it shows")
    for figure in FIGURES.values():
        table.add_row(figure.name, figure.paper, figure.sentence)
    Console(highlight=False).print(table)
