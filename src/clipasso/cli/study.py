"""`clipasso study`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipasso.cli.console import tell, tell_bytes
from clipasso.cli.stdio import STANDARD
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.evaluate.answers import Rate


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|ANSWERS...",
            help="The output folder of clipasso evaluate; with --score, files of answers.",
        ),
    ],
    score: Annotated[
        bool, typer.Option("--score", help="Make a table of people's answers.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The page (DIR/study.html); with --score, a CSV file with rates by class too.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of distractors and orders.", min=0, metavar="N")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Ask people what the sketches show, as the paper's supplement C does.

    Writes one page that runs offline in any browser: a person is shown sketches of one method,
    chooses their class and then their photo, and saves the answers as a file.

    Examples:

      clipasso study evaluation

      clipasso study --score answers/*.json -o rates.csv
    """  # fmt: skip
    from clipasso.vector.safe_write import keep_apart, refuse_existing, write_atomically

    if output is None and not score:
        output = paths[0] / "study.html"
    to_stdout = output == STANDARD
    if output and not to_stdout:
        keep_apart(_read(paths), [output])
        refuse_existing(output, force)
    if score:
        from clipasso.evaluate.answers import answers_csv, rates, read_answers

        found = rates(read_answers(paths))
        if to_stdout:
            tell_bytes(answers_csv(found).encode())
            return
        if output:
            write_atomically(output, answers_csv(found), replace=force)
        _print(found)
        return
    if len(paths) > 1:
        raise ClipassoError(f"{paths[1]}: one folder at a time; for answers give --score")
    from clipasso.evaluate.questionnaire import make_forms, read_evaluation, write_questionnaire

    assert output is not None
    data = make_forms(read_evaluation(paths[0]), paths[0], seed=seed)
    if to_stdout:
        tell_bytes(write_questionnaire(data).encode())
    else:
        write_atomically(output, write_questionnaire(data), replace=force)
    where = "standard output" if to_stdout else output
    tell(f"{where}  {len(data['forms'])} forms, questionnaire {data['study']}")


def _read(paths: Sequence[Path]) -> list[Path]:
    """The files that are read: those given, and an evaluation's own."""
    inside = [file for path in paths if os.path.isdir(path) for file in path.iterdir()]
    return [*paths, *(file for file in inside if file.name != "study.html")]


def _print(found: Sequence[Rate]) -> None:
    from rich.console import Console
    from rich.table import Table

    from clipasso.evaluate.results import ALL

    table = Table(box=None, pad_edge=False)
    for heading in ("asked for", "method", "series"):
        table.add_column(heading)
    for heading in ("right", "answers", "people", "none", "right without none"):
        table.add_column(heading, justify="right")
    for r in found:
        if r.category != ALL:
            continue
        table.add_row(
            "class" if r.part == "category" else "photo", r.method, r.series,
            f"{r.rate:.1%} ± {r.error:.1%}", str(r.answers), str(r.people), f"{r.none:.0%}",
            "" if r.sure is None else f"{r.sure:.1%}",
        )  # fmt: skip
    Console(highlight=False, markup=False, soft_wrap=True).print(table)
