"""Declarations of a file's style sheets and `style` attributes, for each element in their order."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias

from clipasso.errors import ClipassoError
from clipasso.vector.svg import limits
from clipasso.vector.svg.document import SVG
from clipasso.vector.svg.notes import Notes

__all__ = ["Declarations", "StyleSheets"]

Declarations: TypeAlias = tuple[tuple[str, str, bool], ...]  # name, value, whether important

_PLAIN = re.compile(r"[\w\s:;.,#%+-]*+", re.ASCII)  # of a style attribute that needs no parser
_EMBEDDED = re.compile(r"""url\(\s*+(["']?)data:[^()"']*+\1\s*+\)""")  # fonts, as a rule
_MEDIA = {"", "all", "screen"}


class StyleSheets:
    """The `<style>` elements of a document, resolved by tinycss2 and cssselect2."""

    def __init__(self, root: ET.Element, notes: Notes) -> None:
        """Read the style sheets; raises ClipassoError for more of them than a drawing needs."""
        self._css = self._braces = 0
        self._parsed = cache(self._parse)
        self._matcher: Any = None
        self._nodes: dict[ET.Element, Any] = {}
        rules = [rule for css in _sheets(root) for rule in self._rules(css, notes)]
        if rules:
            from clipasso.vector.svg.selectors import CountingMatcher, count_elements

            self._matcher = CountingMatcher(rules)
            self._nodes = count_elements(root)

    def declarations(self, node: ET.Element) -> Iterator[tuple[str, str]]:
        """Names and values that hold for an element, each overriding those before."""
        found = [] if self._matcher is None else self._matcher.declarations(self._nodes[node])
        style = node.get("style")
        if style:
            found.append(self._parsed(style))
        for important in (False, True):
            for declarations in found:
                yield from ((n, value) for n, value, weight in declarations if weight == important)

    def _parse(self, style: str) -> Declarations:
        if len(style) > limits.MAX_VALUE or not _PLAIN.fullmatch(style):
            return _declarations(self._counted(style))
        pairs = (pair.split(":", 1) for pair in style.split(";") if ":" in pair)
        return tuple((name.strip().lower(), value.strip(), False) for name, value in pairs)

    def _counted(self, css: str) -> str:
        """`css` without what it embeds, counted."""
        css = _EMBEDDED.sub("url()", css)
        self._css += len(css)
        if self._css > limits.MAX_CSS:
            raise ClipassoError(
                f"has more than {limits.MAX_CSS} characters of style sheets; simplify the drawing"
            )
        return css

    def _rules(self, css: str, notes: Notes) -> Iterator[tuple[Any, Declarations]]:
        """Selectors and their declarations."""
        import tinycss2

        css = self._counted(css)
        self._braces += css.count("{")  # before a rule is made of each
        if self._braces > limits.MAX_RULES:
            raise ClipassoError(
                f"has more than {limits.MAX_RULES} rules in its style sheets; simplify the drawing"
            )
        return _style_rules(tinycss2.parse_stylesheet(css, True, True), notes)


def _sheets(root: ET.Element) -> Iterator[str]:
    for node in root.iter(f"{SVG}style"):
        kind, media = node.get("type", "text/css"), node.get("media", "")
        if kind.strip().lower() in ("", "text/css") and media.strip().lower() in _MEDIA:
            yield "".join(node.itertext())


def _style_rules(rules: Iterable[Any], notes: Notes) -> Iterator[tuple[Any, Declarations]]:
    import tinycss2

    for rule in rules:
        if rule.type == "qualified-rule":
            declarations = _declarations(rule.content)
            if declarations:
                yield rule.prelude, declarations
        elif rule.type == "at-rule" and rule.lower_at_keyword == "import":
            notes.count("{n} style sheet{s} from outside the file")
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, True, True)
            seen = _text(rule.prelude).lower() in _MEDIA
            yield from _style_rules(inner if seen else (), notes)


def _declarations(css: Any) -> Declarations:
    """Those in a string or in tinycss2's tokens."""
    import tinycss2

    return tuple(
        (one.lower_name, _text(one.value), one.important)
        for one in tinycss2.parse_blocks_contents(css, True, True)
        if one.type == "declaration"
    )


def _text(tokens: Any) -> str:
    import tinycss2

    try:
        return str(tinycss2.serialize(tokens).strip())
    except RecursionError:  # thousands of brackets, which mean nothing
        return ""
