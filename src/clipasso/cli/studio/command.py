"""`clipasso studio`, the command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from clipasso.cli import options as opt
from clipasso.cli.console import say
from clipasso.cli.duration import seconds_of
from clipasso.cli.stopping import Terminated, exit_status
from clipasso.errors import ClipassoError

__all__ = ["command"]

_PACKAGES = ("starlette", "uvicorn")


@opt.with_settings("strokes", "width", "seeds", "seed", "iterations")
def command(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen: this machine alone, or 0.0.0.0 for all that reach it.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=65535, help="8400, or any free one if it is taken."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Show it in a browser.")
    ] = True,
    longest: Annotated[
        str, typer.Option(metavar="TIME", help="A sketch may take; then it ends with its best.")
    ] = "10m",
    largest: Annotated[
        float, typer.Option(metavar="MB", help="Of a photo that is uploaded.")
    ] = 64.0,
    most_strokes: Annotated[
        int, typer.Option(metavar="N", help="Of a sketch that is asked for.")
    ] = 128,
    waiting: Annotated[
        int, typer.Option(metavar="N", help="Sketches that may wait for their turn.")
    ] = 8,
    visitors: Annotated[int, typer.Option(metavar="N", help="At a time.")] = 16,
    idle: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="What a visitor left is removed so long after the last page was closed or lost.",
        ),
    ] = "30m",
    preset: opt.Preset = "default",
    encoder: opt.Encoder = None,
    device: opt.Device = "auto",
    **chosen: Any,
) -> int:
    """Sketch in a browser: a page for people, served from this machine.

    Photos stay here: the page fetches nothing from elsewhere, and what is uploaded is removed in
    the end. Options of sketches are what the page begins with. Needs the extra `ui`. Ctrl-C
    ends it.

    Examples:

      clipasso studio

      clipasso studio --port 9000 --no-open --preset draft

      clipasso studio --host 0.0.0.0 --longest 2m --visitors 4
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise ClipassoError(
            f"studio: needs {' and '.join(_PACKAGES)}: pip install 'clipasso[ui]', or make studio"
        ) from None
    from clipasso.cli.studio.limits import Limits
    from clipasso.cli.studio.serve import serve
    from clipasso.cli.studio.studio import Studio

    limits = Limits(
        upload=round(largest * 1e6), seconds=seconds_of(longest, "--longest"),
        idle=seconds_of(idle, "--idle"), waiting=waiting, visitors=visitors, strokes=most_strokes,
    )  # fmt: skip
    given = {name: value for name, value in chosen.items() if value is not None}
    studio = Studio(limits, preset, given, encoder, device)
    try:
        serve(studio, host, port, open_browser)
    except KeyboardInterrupt as error:
        say("the studio is closed; what was uploaded is removed")
        return exit_status(error) if isinstance(error, Terminated) else 0
    return 0
