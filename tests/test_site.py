"""What the site is made from: its navigation, the commands' pages, and the check at its end."""

import sys
import tomllib
from pathlib import Path

import pytest
import typer

from clipasso.cli import app

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import check_site
import commands
import pages


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    pages.main(folder)
    return folder


def names_in(navigation):
    for entry in navigation:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from names_in([below] if isinstance(below, str) else below)


def test_every_page_is_in_the_navigation_once(made):
    settings = tomllib.loads((made / "site.toml").read_text(encoding="utf-8"))
    listed = sorted(names_in(settings["project"]["nav"]))
    files = (made / settings["project"]["docs_dir"]).rglob("*.md")
    assert listed == sorted(path.relative_to(made / "pages").as_posix() for path in files)


def test_a_page_that_is_nowhere_in_the_navigation_is_named(monkeypatch):
    without = {title: names for title, names in pages.PAGES.items() if title != "Measured"}
    monkeypatch.setattr(pages, "PAGES", without)
    with pytest.raises(SystemExit, match=r"docs/evaluation\.md: stands in no section"):
        pages._navigation([])


def test_links_of_the_readme_are_those_of_its_page(made):
    text = (made / "pages" / "index.md").read_text(encoding="utf-8")
    assert "](start.md)" in text
    assert "](images/sample.jpg)" in text
    assert "](contributing.md)" in text
    assert "](docs/" not in text
    assert (made / "pages" / "images" / "sample.jpg").is_file()
    assert "](extending.md)" in (made / "pages" / "reference.md").read_text(encoding="utf-8")


def test_each_command_has_a_page_with_all_its_options():
    shown = dict(commands.pages_of_commands())
    for name, command in typer.main.get_command(app).commands.items():
        options = [option for one in command.params for option in one.opts]
        assert options
        assert [
            option for option in options if option.startswith("-") and option not in shown[name]
        ] == []
        assert f"[`clipasso {name}`]({name}.md)" in shown["index"]
    assert "| `--seeds N` | Initialisations to try;" in shown["sketch"]
    assert "| `PHOTO...` | Photos to sketch" in shown["sketch"]
    assert "\n\n    clipasso sketch cat.jpg\n" in shown["sketch"]
    assert shown["sketch"].count("clipasso|geometric") == 0  # a bar would end the table's cell
    assert r"clipasso\|geometric\|semantic" in shown["sketch"]


def test_the_check_finds_what_is_broken(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#there">b</a><a href="b.html#gone">b</a>'
        '<a href="c.html">c</a><a href="https://example.org">far</a><img src="no.png">'
        '<script src="https://example.org/x.js"></script><a href="#top">up</a>'
    )
    (tmp_path / "b.html").write_text('<h2 id="there">B</h2>')
    (tmp_path / "s.css").write_text("@font-face { src: url(https://example.org/f.woff2) }")
    assert sorted(check_site.problems(tmp_path)) == [
        "a.html: b.html#gone is no heading",
        "a.html: c.html is not there",
        "a.html: fetches https://example.org/x.js",
        "a.html: no.png is not there",
        "s.css: fetches https://example.org/f.woff2",
    ]
