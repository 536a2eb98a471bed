"""Put the site's pages together in a folder: docs/, the README and the like, and those made here.

`make docs` runs it. A page of docs/ stands in `PAGES`, in the order of the navigation.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from commands import pages_of_commands

import clipasso

ROOT = Path(__file__).resolve().parents[1]

PAGES = {
    "Start": ["start", "gallery", "studio", "photos", "encoders", "from-sketch"],
    "From a sketch on": ["ladder", "brushes", "animate", "plot", "export"],
    "Many photos": ["batch", "cluster"],
    "The method": ["method", "paper", "figures", "embedded-encoder", "masks"],
    "Measured": ["evaluation", "performance", "reliability"],
    "Work on it": ["architecture", "extending", "security"],
}
"""Sections of the navigation, and files of docs/ in them; those not there are passed over."""

ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "NOTICE": "notice.md",
    "LICENSE": "licence.md",
    "CITATION.cff": "citation.md",
}
"""Files at the top that become pages; what is not Markdown is shown as it is."""

EXTENDED = [
    "encoders.base.Encoder", "encoders.base.Recipe", "encoders.base.Features",
    "optimise.objective.Objective", "optimise.loss.Loss",
    "vector.brushes.base.Brush", "vector.brushes.base.Mark", "vector.animate.film.Animation",
]  # fmt: skip
"""What is subclassed or made by who adds an encoder and the like."""

_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")


def main(folder: Path) -> None:
    """Make `folder/pages` and `folder/site.toml` anew."""
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("*.md"))
    for source in [*ROOT.glob("docs/*.md"), *(ROOT / name for name in ELSEWHERE)]:
        text = source.read_text(encoding="utf-8")
        if source.suffix != ".md":
            text = f"# {source.name}\n\n```text\n{text}\n```\n"
        (pages / _page_of(source)).write_text(_relinked(text, source, pages), encoding="utf-8")
    shutil.copy(ROOT / "tools" / "site.css", pages)
    commands = dict(pages_of_commands())
    (pages / "commands").mkdir()
    for name, text in commands.items():
        (pages / "commands" / f"{name}.md").write_text(text, encoding="utf-8")
    (pages / "reference.md").write_text("\n".join(_reference()), encoding="utf-8")
    settings = (ROOT / "tools" / "site.toml").read_text(encoding="utf-8")
    navigation = json.dumps(_navigation(list(commands)), separators=(", ", " = "))
    made = settings.replace("[project]\n", f"[project]\nnav = {navigation}\n", 1)
    (folder / "site.toml").write_text(made, encoding="utf-8")


def _page_of(source: Path) -> str:
    """Where a file of the repository is among the pages."""
    name = source.relative_to(ROOT).as_posix()
    return ELSEWHERE.get(name, name.removeprefix("docs/"))


def _relinked(text: str, source: Path, pages: Path) -> str:
    """A page's text with its links made to fit; files that are no pages are laid beside them."""

    def moved(match: re.Match[str]) -> str:
        path, mark, anchor = match[1].partition("#")
        place = (source.parent / path).resolve()
        if not path or "://" in path or not place.is_relative_to(ROOT) or not place.is_file():
            return match[1]  # the site's builder judges it
        target = pages / _page_of(place)
        if not target.exists() and place.suffix != ".md" and place.name not in ELSEWHERE:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place, target)
        return os.path.relpath(target, (pages / _page_of(source)).parent) + mark + anchor

    return _LINK.sub(moved, text)


def _navigation(commands: list[str]) -> list[dict[str, object]]:
    """Of all pages, as the builder takes it.

    Raises:
        SystemExit: a page of docs/ that `PAGES` lacks.
    """
    there = {path.stem for path in ROOT.glob("docs/*.md")}
    known = {name for names in PAGES.values() for name in names} | {"python"}
    if lost := sorted(there - known):
        sys.exit(f"docs/{lost[0]}.md: stands in no section of PAGES in tools/pages.py; add it")
    sections: dict[str, list[object]] = {
        title: [f"{name}.md" for name in names if name in there] for title, names in PAGES.items()
    }
    sections["Start"].insert(0, {"What it is": "index.md"})
    sections["Work on it"] += ["contributing.md", "changelog.md", "citation.md"]
    sections["Work on it"] += ["notice.md", "licence.md"]
    listed: list[object] = [{name: f"commands/{name}.md"} for name in commands if name != "index"]
    sections["Commands"] = ["commands/index.md", *listed]
    sections["Python"] = ["python.md", "reference.md"]
    order = [*list(PAGES)[:3], "Commands", "Python", *list(PAGES)[3:]]
    return [{title: sections[title]} for title in order if sections[title]]


def _reference() -> Iterator[str]:
    """The library's page, whose docstrings the builder fills in."""
    names = [name for name in clipasso.__all__ if not name.startswith("_")]
    yield "# The library, name by name\n\nEverything here is `clipasso.NAME`.\n\n## Functions\n"
    yield from (_entry(name) for name in names if name[0].islower())
    yield "## Classes\n"
    yield from (_entry(name) for name in names if name[0].isupper())
    yield "## What is added to\n\n[Adding an encoder and the like](extending.md) uses these.\n"
    yield from (f"::: clipasso.{name}\n" for name in EXTENDED)


def _entry(name: str) -> str:
    """Of a public name, by where it is from: a module may have the same name."""
    named = getattr(clipasso, name)
    return f"::: {named.__module__}.{named.__qualname__}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
