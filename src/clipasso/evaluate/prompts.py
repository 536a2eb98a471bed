"""Class names and the paper's prompt."""

from __future__ import annotations

import re

__all__ = ["article", "class_name", "prompt"]

_SPELT = "aefhilmnorsx"  # letters whose own names begin with a vowel, as in "an x-ray"
_LIKE_YOU = re.compile(r"uni(?![mn])|u[bkrst][aeiou]|eu|ewe|one\b|once\b|ouija")
_SILENT_H = re.compile(r"hour|honest|honou?r|heir")


def class_name(folder: str) -> str:
    """A class folder's name as words: `hot_air-balloon` is "hot air balloon"."""
    return " ".join(re.split(r"[\s_-]+", folder)).strip() or folder


def article(noun: str) -> str:
    """`a` or `an`, by sound rather than by letter: an hourglass, a unicorn, an x ray."""
    words = re.findall(r"[^\W_]+", noun.lower())
    first = words[0] if words else ""
    if len(first) == 1:
        return "an" if first in _SPELT else "a"
    if _SILENT_H.match(first):
        return "an"
    return "an" if first[:1] in tuple("aeiou") and not _LIKE_YOU.match(first) else "a"


def prompt(noun: str) -> str:
    """Section 4.3's prompt for a zero-shot classifier: "A sketch of a(n) CLASS"."""
    return f"A sketch of {article(noun)} {noun}"
