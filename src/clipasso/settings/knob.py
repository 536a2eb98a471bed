"""What is told of a setting beside its type and default, and the check that follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from clipasso.errors import ClipassoError

__all__ = ["PANELS", "About", "bare", "check", "choices", "knob", "option_name"]

PANELS: Mapping[str, str] = {
    "style": "Strokes and style (sections 3, 4.1 and H)",
    "loss": "Loss (sections 3.1 and E)",
    "steps": "Optimisation (sections 3.2 and A)",
    "start": "Initialisation (sections 3.3 and D)",
    "background": "Background and frame (sections 5 and B)",
}
"""Headings of the help that options of settings stand under."""


@dataclass(frozen=True)
class About:
    """What is told of a setting.

    Attributes:
        help: one or a few sentences, for the command line and for `help(Settings)`.
        panel: a key of `PANELS`; "" for a setting that only the library has.
        low, high: the range of a number, both included; None where it is none.
        draw: whether `clipasso draw` has it too.
        words: that may be given for a number; `make_settings` makes numbers of them.
    """

    help: str
    panel: str = ""
    low: float | None = None
    high: float | None = None
    draw: bool = False
    words: tuple[str, ...] = ()


def knob(
    default: Any, help_: str, panel: str = "", span: tuple[float, float] | None = None, *,
    draw: bool = False, words: tuple[str, ...] = (),
) -> Any:  # fmt: skip
    """A field of `Settings`; the arguments are those of `About`, the range as one pair."""
    low, high = span or (None, None)
    return field(default=default, metadata={"about": About(help_, panel, low, high, draw, words)})


def option_name(name: str) -> str:
    """A setting's name on the command line."""
    return name.replace("_", "-")


def bare(kind: Any) -> Any:
    """A type without its None."""
    return next(k for k in get_args(kind) if k is not NoneType) if _optional(kind) else kind


def choices(kind: Any) -> tuple[str, ...]:
    """The words that a setting may be; none for one that is no choice."""
    kind = bare(kind)
    return get_args(kind) if get_origin(kind) is Literal else ()


def check(name: str, value: Any, kind: Any, told: About) -> None:
    """See that a value is of its type and in its range.

    Args:
        kind: the type, such as `int`, `float | None` or a `Literal`.

    Raises:
        ClipassoError: it is not.
    """
    if value is None and _optional(kind):
        return
    wrong = f"--{option_name(name)} {value}: must be"
    if words := choices(kind):
        if value not in words:
            raise ClipassoError(f"{wrong} {' or '.join(words)}")
        return
    kind = bare(kind)
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ClipassoError(f"{wrong} {_KINDS[kind]}")
    low, high = told.low, told.high
    if low is not None and high is not None and not (math.isfinite(value) and low <= value <= high):
        raise ClipassoError(f"{wrong} {_span(low, high)}")


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _optional(kind: Any) -> bool:
    return NoneType in get_args(kind)


def _span(low: float, high: float) -> str:
    return f"from {low} to {high}" if high < 1e6 else f"at least {low}"
