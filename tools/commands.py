"""A page for each command, from what its `--help` says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import typer

from clipasso.cli import app

__all__ = ["pages_of_commands"]


def pages_of_commands() -> Iterator[tuple[str, str]]:
    """Names of commands and their pages, in the order of `clipasso --help`; first `index`."""
    group: Any = typer.main.get_command(app)
    above = group.context_class(group, info_name="clipasso")
    lines = ["# Commands", "", *_paragraphs(group.help), "", "| command | |", "|---|---|"]
    for name, command in group.commands.items():
        first = _text(command.help).split("\n\n")[0].replace("\n", " ")
        lines.append(f"| [`clipasso {name}`]({name}.md) | {_cell(first)} |")
    yield "index", "\n".join([*lines, "", *_tables(group, above)])
    for name, command in group.commands.items():
        context = command.context_class(command, info_name=name, parent=above)
        usage = command.get_usage(context).removeprefix("Usage: ")
        page = [f"# clipasso {name}", "", *_paragraphs(command.help), "", "## Usage", ""]
        yield name, "\n".join([*page, f"    {usage}", "", *_tables(command, context)])


def _text(help: str | None) -> str:
    return (help or "").partition("\f")[0].strip()


def _paragraphs(help: str | None) -> Iterator[str]:
    """Help as Markdown: indented lines are commands and make one block."""
    parts = _text(help).split("\n\n")
    for example, some in groupby(parts, key=lambda part: part.startswith("  ")):
        if example:
            yield from ("    " + line.strip() for part in some for line in part.splitlines())
            yield ""
        else:
            for part in some:
                yield from (_prose(part), "")


def _prose(text: str) -> str:
    """Words that Markdown must not take for its own."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([*_<\[])", r"\\\1", p) for p in parts)


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


def _tables(command: Any, context: Any) -> Iterator[str]:
    """Arguments and options, a table for each panel of the help."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for one in command.get_params(context):
        record = one.get_help_record(context)
        if record is not None:  # None of what is hidden
            kind = "Arguments" if one.param_type_name == "argument" else "Options"
            panels.setdefault(getattr(one, "rich_help_panel", None) or kind, []).append(record)
    if "Options" in panels:  # --help and the like come last
        panels["Options"] = panels.pop("Options")
    for title, records in panels.items():
        head = "argument" if title == "Arguments" else "option"
        yield from (f"## {title}", "", f"| {head} | |", "|---|---|")
        for names, said in records:
            shown = re.sub(r" <[\w\[\]]+>", "", names).replace("|", "\\|")
            yield f"| `{shown}` | {_cell(' '.join(said.split()))} |"
        yield ""
