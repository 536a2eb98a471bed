"""The command line: thin over the library, one file a command."""

from __future__ import annotations

from time import monotonic
from typing import Annotated

import typer

from clipasso._version import __version__
from clipasso.cli import (
    animate,
    batch,
    color,
    doctor,
    draw,
    encoders,
    evaluate,
    export,
    figure,
    ladder,
    order,
    plot,
    render,
    sketch,
    studio,
    study,
    style,
)
from clipasso.cli.console import Stream, say, tell, tolerant_streams
from clipasso.cli.logs import logged
from clipasso.cli.stopping import Cancelled, Ended, cancellable, exit_status, terminable
from clipasso.errors import MEMORY_SHORT, ClipassoError, ran_out_of_memory

__all__ = ["app", "run"]

app = typer.Typer(
    name="clipasso",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sketch", no_args_is_help=True)(cancellable(sketch.command))
app.command("batch", no_args_is_help=True)(cancellable(batch.command))
app.command("ladder", no_args_is_help=True)(cancellable(ladder.command))
app.command("order", no_args_is_help=True)(cancellable(order.command))
app.command("draw", no_args_is_help=True)(cancellable(draw.command))
app.command("render", no_args_is_help=True)(cancellable(render.command))
app.command("style", no_args_is_help=True)(cancellable(style.command))
app.command("color", no_args_is_help=True)(cancellable(color.command))
app.command("plot", no_args_is_help=True)(cancellable(plot.command))
app.command("export", no_args_is_help=True)(cancellable(export.command))
app.command("animate", no_args_is_help=True)(cancellable(animate.command))
app.command("figure", no_args_is_help=True)(cancellable(figure.command))
app.command("evaluate", no_args_is_help=True)(cancellable(evaluate.command))
app.command("study", no_args_is_help=True)(cancellable(study.command))
app.command("studio")(cancellable(studio.command))
app.command("encoders")(cancellable(encoders.command))
app.command("doctor")(cancellable(doctor.command))
for _command in app.registered_commands:
    assert _command.callback is not None
    _command.callback = logged(_command.callback)


def _print_version(wanted: bool) -> None:
    if wanted:
        tell(f"clipasso {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Turn photos into sketches of a few vector strokes (CLIPasso, SIGGRAPH 2022)."""


def run(arguments: list[str] | None = None, started: float | None = None) -> int:
    """Run a command and return its exit status.

    Args:
        arguments: the process's by default.
        started: when it was given, by `time.monotonic`; now by default.

    Returns:
        2 for what a user can mend, 130 for Ctrl-C, 143 for SIGTERM, and 1 where all went well but
        standard output could not be written to.
    """
    with tolerant_streams() as (out, _), terminable():
        status = _run(arguments, monotonic() if started is None else started)
        return _settled(status, out)


def _run(arguments: list[str] | None, started: float) -> int:
    try:
        status = app(arguments, standalone_mode=False, obj=started)
    except ClipassoError as error:
        say(str(error))
        return 2
    except Cancelled as error:
        if not error.said:
            say("stopped; nothing was written")
        return error.status
    except KeyboardInterrupt as error:
        say("stopped; nothing was written")
        return exit_status(error)
    except Exception as error:
        if ran_out_of_memory(error):
            say(MEMORY_SHORT)
            return 2
        # Click's usage errors print themselves; its class may come from a copy inside typer.
        if not hasattr(error, "show") or not hasattr(error, "exit_code"):
            raise
        say(error.format_message())  # type: ignore[attr-defined]
        return 2
    if isinstance(status, int) and not isinstance(status, Ended) and status > 2:
        say("stopped; nothing was written")  # before the command itself had begun
    return int(status) if isinstance(status, int) else 0


def _settled(status: int, out: Stream | None) -> int:
    """The status, once standard output has shown whether it took everything."""
    if out is None:
        return status
    out.flush()
    if out.lost is None:
        return status
    if not isinstance(out.lost, BrokenPipeError):  # a reader may go, as in `... --json | head`
        say(f"standard output cannot be written to ({out.lost}); files are not concerned")
    return status or 1
