"""Selectors of style sheets, matched by cssselect2 with the comparisons counted.

Some selectors take a time that grows with a power of the number of elements.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Any

from cssselect2 import ElementWrapper, Matcher, SelectorError, compile_selector_list

from clipasso.errors import ClipassoError
from clipasso.vector.svg import limits

__all__ = ["CountingMatcher", "count_elements"]

_MISREAD = (  # what compiling a selector raises; StopIteration of `:nth-child(+)`
    SelectorError, SyntaxError, RecursionError, MemoryError, NotImplementedError, StopIteration,
)  # fmt: skip


class _Budget:
    def __init__(self) -> None:
        self.spent = 0
        self.node = 1  # what a new view of an element costs

    def spend(self, comparisons: int) -> None:
        self.spent += comparisons
        if self.spent > limits.MAX_MATCHES:
            raise ClipassoError("has too many style rules for its elements; simplify the drawing")


class _Node(ElementWrapper):  # type: ignore[misc]
    """An element that counts, and does not list, what selectors visit from it."""

    def __init__(self, element: ET.Element, parent: Any, *args: Any, **options: Any) -> None:
        self.budget = _Budget() if parent is None else parent.budget
        self.budget.spend(self.budget.node)
        super().__init__(element, parent, *args, **options)

    @property
    def ancestors(self) -> Iterator[Any]:
        return self._along("parent")

    @property
    def previous_siblings(self) -> Iterator[Any]:
        return self._along("previous")

    def _along(self, way: str) -> Iterator[Any]:
        node = getattr(self, way)
        while node is not None:
            self.budget.spend(1)
            yield node
            node = getattr(node, way)

    @property
    def etree_siblings(self) -> list[ET.Element]:
        self.budget.spend(1 + len(self._siblings) // 20)  # far quicker than comparisons
        return self._siblings

    @etree_siblings.setter
    def etree_siblings(self, siblings: list[ET.Element]) -> None:
        self._siblings = siblings


def count_elements(root: ET.Element) -> dict[ET.Element, _Node]:
    """All elements of a document as selectors see them."""
    top = _Node.from_xml_root(root)
    nodes = {node.etree_element: node for node in top.iter_subtree()}
    top.budget.node = 12  # one made anew for a selector takes longer than a comparison
    return nodes


class CountingMatcher(Matcher):  # type: ignore[misc]
    """The selectors of style rules, each with what its rule declares."""

    def __init__(self, rules: Iterable[tuple[Any, Any]]) -> None:
        """Compile the selectors, passing over unknown ones as browsers do."""
        super().__init__()
        for prelude, declarations in rules:
            try:
                selectors = compile_selector_list(prelude)
            except _MISREAD:
                continue  # they become Python expressions, which may not nest very deeply
            for selector in selectors:
                if selector.pseudo_element is None:
                    self.add_selector(selector, declarations)

    def add_relevant_selectors(self, element: Any, selectors: list[Any], found: list[Any]) -> None:
        element.budget.spend(len(selectors))
        super().add_relevant_selectors(element, selectors, found)

    def declarations(self, node: _Node) -> list[Any]:
        """What the rules declare for an element, the most specific last."""
        return [declarations for *_, declarations in self.match(node)]
