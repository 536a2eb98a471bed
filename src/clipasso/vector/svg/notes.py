"""What is left out on reading, in lines for people."""

import xml.etree.ElementTree as ET
from collections import Counter

__all__ = ["Notes", "shorten"]

_SHORT = 24  # characters of a value that are shown


class Notes:
    """Lines on what is left out, one a kind; a mistake names the first element that has it."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._mistakes: dict[str, tuple[str, set[ET.Element]]] = {}

    def count(self, line: str, times: int = 1) -> None:
        """Once more of this kind; `line` has the fields n, their number, and s, its plural."""
        self._counts[line] += times

    def mistake(self, kind: str, node: ET.Element, what: str) -> None:
        """A mistake in an element."""
        self._mistakes.setdefault(kind, (f"{what} in {_describe(node)}", set()))[1].add(node)

    def lines(self) -> tuple[str, ...]:
        """All that was told, in the order of first appearance, counts before mistakes."""
        counted = [line.format(n=n, s="s" * (n > 1)) for line, n in self._counts.items()]
        mistakes = [
            first + (f", and {len(nodes) - 1} more like it" if len(nodes) > 1 else "")
            for first, nodes in self._mistakes.values()
        ]
        return (*counted, *mistakes)


def _describe(node: ET.Element) -> str:
    """An element as a person finds it in the file."""
    name, mark = node.tag.rpartition("}")[2], node.get("id")
    name = name if len(name) <= _SHORT else f"{name[:_SHORT]}..."
    return f"<{name} id={shorten(mark)}>" if mark else f"<{name}>"


def shorten(text: str) -> str:
    """A value, quoted, its end left out if it is long."""
    return repr(text if len(text) <= _SHORT else text[:_SHORT] + "...")
