"""The options of one photo of a batch: what a row of a table may say, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from clipasso.errors import ClipassoError
from clipasso.settings import PRESETS, about
from clipasso.settings.knob import bare, check, choices, option_name

__all__ = ["OTHERS", "PHOTO_COLUMNS", "known_columns", "parse_row"]

PHOTO_COLUMNS = ("photo", "path", "file", "image")
"""Names that the column of photos may have."""

OTHERS = ("preset", "mask", "fit", "name")
"""What a row may say beside settings; `name` is that of its results."""


@cache
def known_columns() -> Mapping[str, str]:
    """What a row may say, by name in lower case with underscores."""
    names = [*about(), *OTHERS]
    return {name.lower(): name for name in names}


def parse_row(
    cells: Mapping[str, Any], where: str
) -> tuple[str | None, tuple[tuple[str, object], ...]]:
    """The name of a row's results, if it has one, and its options, sorted by name.

    Args:
        cells: by heading, all of them known; an empty one says nothing.
        where: file and row, for messages.

    Raises:
        ClipassoError: a value that its option cannot have.
    """
    known = known_columns()
    found: dict[str, object] = {}
    for heading, cell in cells.items():
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        if isinstance(cell, float) and math.isnan(cell):  # what tables have for nothing
            continue
        name = known[heading.lower().replace("-", "_")]
        try:
            found[name] = _value(name, cell)
        except ClipassoError as error:
            raise ClipassoError(f"{where}: {error}") from None
    given = found.pop("name", None)
    return None if given is None else str(given), tuple(sorted(found.items()))


def _value(name: str, cell: Any) -> object:
    if name == "name":
        return _result_name(str(cell).strip())
    if name == "fit":
        from clipasso.photo.canvas import check_fit

        return check_fit(str(cell).strip())
    if name in OTHERS:
        text = str(cell).strip()
        if name == "preset" and text not in PRESETS:
            raise ClipassoError(f"--preset {text}: must be one of {', '.join(PRESETS)}")
        return text
    kind, told = about()[name]
    value = _typed(bare(kind), cell) if not choices(kind) else str(cell).strip()
    check(name, value, kind, told)
    return value


def _typed(kind: Any, cell: Any) -> Any:
    """A cell as a setting's type where it can be one; else as it is, which `check` refuses."""
    if kind is str:
        return str(cell)
    text = str(cell).strip()
    if kind is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            text.lower(), text
        )
    try:
        number = float(text)
        whole = int(number)
    except (ValueError, OverflowError):
        return text
    if kind is int:
        return whole if whole == number else text
    return number


def _result_name(text: str) -> str:
    """The name of results, below the output folder and nowhere else."""
    path = PurePosixPath(text.replace("\\", "/"))
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or ":" in parts[0] or "\0" in text:
        raise ClipassoError(
            f"--{option_name('name')} {text}: must be a name, or a path below the output folder"
        )
    if any(part.startswith(".") for part in parts):
        raise ClipassoError(f"--name {text}: must not begin with a dot")
    return str(path)
