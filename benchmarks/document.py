"""Tables between markers in Markdown, made anew from stored results; the prose stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from common import Table

__all__ = ["block_names", "caption", "fill", "markdown"]

_MARK = re.compile(r"^<!-- (begin|end) ([\w-]+) -->$", re.MULTILINE)


def block_names(text: str) -> list[str]:
    """The names of a text's blocks, in order.

    A block stands between the lines `<!-- begin NAME -->` and `<!-- end NAME -->`.

    Raises:
        ValueError: a marker without its other one, a block in a block, or two of a name.
    """
    names: list[str] = []
    inside = None
    for kind, name in _MARK.findall(text):
        if (kind == "begin") != (inside is None) or inside not in (None, name) or (
            kind == "begin" and name in names
        ):  # fmt: skip
            raise ValueError(f"<!-- {kind} {name} -->: blocks begin and end once, one by one")
        inside = name if kind == "begin" else None
        names += [name] if inside else []
    if inside:
        raise ValueError(f"<!-- begin {inside} -->: has no end")
    return names


def fill(text: str, contents: Mapping[str, str]) -> str:
    """Put contents into a text's blocks.

    Raises:
        ValueError: markers that are wrong, or a block without content.
    """
    for name in block_names(text):
        if name not in contents:
            raise ValueError(f"<!-- begin {name} -->: nothing makes this block")
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{contents[name].strip()}\n{end}{after}"
    return text


def markdown(table: Table) -> str:
    """A table with its columns as wide as need be."""
    rows = [table["heading"], ["---"] * len(table["heading"]), *table["rows"]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def caption(record: Mapping[str, Any]) -> str:
    """How a table was made, and how busy the machine was.

    Args:
        record: as `common.write_json` writes it, with the words of its command as told.
    """
    first, last = record["load"]
    return f"*`{record['told']}`; load average {first:.1f} before, {last:.1f} after.*"
