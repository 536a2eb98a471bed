"""The command line: thin over the library, one file a command."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from clipasso._version import __version__
from clipasso.cli import draw, encoders, evaluate, figure, render, sketch, study
from clipasso.errors import ClipassoError

__all__ = ["app", "run"]

app = typer.Typer(
    name="clipasso",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sketch", no_args_is_help=True)(sketch.command)
app.command("draw", no_args_is_help=True)(draw.command)
app.command("render", no_args_is_help=True)(render.command)
app.command("figure", no_args_is_help=True)(figure.command)
app.command("evaluate", no_args_is_help=True)(evaluate.command)
app.command("study", no_args_is_help=True)(study.command)
app.command("encoders")(encoders.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clipasso {__version__}")
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


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 2 for what a user can mend, 130 for Ctrl-C."""
    try:
        status = app(arguments, standalone_mode=False)
    except ClipassoError as error:
        print(f"clipasso: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        print("clipasso: stopped; nothing was written", file=sys.stderr)
        return 130
    except typer.Exit as done:
        return done.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as in `... --json | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        # Click's usage errors print themselves; its class may come from a copy inside typer.
        if not hasattr(error, "show") or not hasattr(error, "exit_code"):
            raise
        print(f"clipasso: {error.format_message()}", file=sys.stderr)  # type: ignore[attr-defined]
        return 2
    return status if isinstance(status, int) else 0
