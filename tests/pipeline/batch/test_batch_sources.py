"""Folders, globs, lists and tables: which photos they name, what they are called, what is wrong."""

import os
import sys

import pytest

from clipasso import ClipassoError
from clipasso.pipeline.batch.names import free_name
from clipasso.pipeline.batch.source import Entry, Reading, read_sources
from playing_sketcher import photos


@pytest.fixture
def here(tmp_path):
    photos(tmp_path / "in", "b.jpg", "a.png", "deep/er/c.webp", ".hidden.png", ".git/d.png")
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    return tmp_path


def entries(here, *sources, column=None, ignored=()):
    how = Reading(here / "out", column, frozenset(ignored))
    return list(read_sources([str(source) for source in sources], how))


def called(found):
    return [entry.photo for entry in found]


def test_a_folder_with_those_in_it_but_not_what_is_hidden_or_made(here):
    photos(here / "in", "out/old.png")
    photos(here / "in", "mine/sketch.png")
    (here / "in" / "mine" / "sketch.svg").write_text('<svg xmlns:c="urn:clipasso:sketch"/>')
    found = list(read_sources([here / "in"], Reading(here / "in" / "out")))
    assert called(found) == ["a.png", "b.jpg", "deep/er/c.webp"]
    assert [os.path.isfile(entry.path) for entry in found] == [True] * 3


def test_a_glob_is_called_from_its_last_plain_folder(here):
    assert called(entries(here, here / "in" / "**" / "*.*")) == ["a.png", "b.jpg", "deep/er/c.webp"]
    assert called(entries(here, here / "in" / "d*" / "*" / "*.webp")) == ["deep/er/c.webp"]


def test_photos_by_themselves_and_several_sources(here):
    found = entries(here, here / "in" / "b.jpg", here / "gone.png", here / "in" / "deep")
    assert called(found) == ["b.jpg", "gone.png", "er/c.webp"]


def test_a_list_is_read_from_its_own_folder(here):
    (here / "list.txt").write_text(
        f"# photos\n\nin/b.jpg\n  in/deep/er/c.webp\n{here.parent}/else/x.png\n"
    )
    found = entries(here, here / "list.txt")
    outside = f"{here.parent}/else/x.png".lstrip("/")
    assert called(found) == ["in/b.jpg", "in/deep/er/c.webp", outside]
    assert found[1].path == str(here / "in" / "deep" / "er" / "c.webp")
    assert found[1].where.endswith("list.txt, line 4")


CSV = """photo,strokes,learning-rate,drop,mask,preset,name,title
in/a.png,8,,no,,draft,first,One
in/b.jpg,,2.5,,m/b.png,,,Two
"""


def test_a_table_has_options_for_each_row(here):
    (here / "t.csv").write_text(CSV)
    first, second = entries(here, here / "t.csv", ignored=["title"])
    assert (first.name, first.options) == (
        "first", (("drop", False), ("preset", "draft"), ("strokes", 8)),
    )  # fmt: skip
    assert second.name is None
    assert dict(second.options) == {"learning_rate": 2.5, "mask": str(here / "m" / "b.png")}


def test_tabs_and_a_column_by_name(here):
    (here / "t.tsv").write_text("no\tImage\twhere\n1\tx\tin/a.png\n")
    found = entries(here, here / "t.tsv", column="where", ignored=["*"])
    assert called(found) == ["in/a.png"]


def test_parquet_says_the_same(here):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({
        "path": ["in/a.png", "in/b.jpg"], "strokes": [8, None], "width": [None, 2.0],
        "title": ["One", "Two"],
    })  # fmt: skip
    parquet.write_table(table, here / "t.parquet")
    first, second = entries(here, here / "t.parquet", ignored=["title"])
    assert (first.options, second.options) == ((("strokes", 8),), (("width", 2.0),))
    with pytest.raises(ClipassoError, match=r"no setting is called title"):
        entries(here, here / "t.parquet")
    (here / "bad.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(ClipassoError, match=r"bad\.parquet: cannot be read"):
        entries(here, here / "bad.parquet")


def test_parquet_without_its_library_says_what_to_install(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (here / "t.parquet").write_bytes(b"")
    with pytest.raises(ClipassoError, match=r"pip install 'clipasso\[parquet\]'"):
        entries(here, here / "t.parquet")


@pytest.mark.parametrize(("text", "words"), [
    ("photo,speed\na.png,3\n", "no setting is called speed.*--ignore-columns speed"),
    ("photo,encoder\na.png,RN50\n", "no setting is called encoder"),
    ("strokes\n3\n", "photos are in a column photo"),
    ("photo,file\na,b\n", "several of them"),
    ("photo,strokes,strokes\na,1,2\n", "strokes twice"),
    ("photo,learning-rate,learning_rate\na,1,2\n", "mean the same"),
    ("photo,strokes\na.png,many\n", r"row 1: --strokes many: must be a whole number"),
    ("photo,strokes\na.png,2.5\n", r"row 1: --strokes 2.5: must be a whole number"),
    ("photo,strokes\na.png,0\n", r"row 1: --strokes 0: must be from 1"),
    ("photo,drop\na.png,perhaps\n", "must be true or false"),
    ("photo,zoom\na.png,twice\n", "must be auto or none"),
    ("photo,preset\na.png,best\n", "must be one of default"),
    ("photo,fit\na.png,wide\n", "wide"),
    ("photo,strokes\na.png\n", "row 1: has 1 cells, and the heading has 2"),
    ("photo,strokes\n ,3\n", "row 1: names no photo"),
    ("photo,name\na.png,../x\n", "below the output folder"),
    ("photo,name\na.png,/x\n", "below the output folder"),
    ("photo,name\na.png,.x\n", "begin with a dot"),
    ('photo\n"a.png\n', "t.csv, line"),
    ("photo\n", "names no photo"),
    ("", "photos are in a column photo"),
])  # fmt: skip
def test_what_is_wrong_with_a_table_is_said_with_its_place(text, words, here):
    (here / "t.csv").write_text(text)
    with pytest.raises(ClipassoError, match=words) as caught:
        entries(here, here / "t.csv")
    assert str(here / "t.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_names_nothing_is_refused(here):
    (here / "empty").mkdir()
    (here / "binary.txt").write_bytes(b"\0\0")
    for source in (here / "empty", here / "*.xyz", here / "binary.txt"):
        with pytest.raises(ClipassoError):
            entries(here, source)
    with pytest.raises(ClipassoError, match="photos are in it"):
        list(read_sources([here / "in"], Reading(here / "in")))
    with pytest.raises(ClipassoError, match=r"gone\.csv"):
        entries(here, here / "gone.csv")


def test_names_mirror_folders_and_do_not_meet():
    taken = set()
    found = []
    for photo in ("a/cat.jpg", "a/cat.png", "a/Cat.png", "cat.jpg", "a/cat.png", "b.tar.gz.png"):
        name = free_name(Entry(photo, photo), lambda name: name.lower() in taken)
        taken.add(name.lower())
        found.append(name)
    assert found == ["a/cat", "a/cat-png", "a/Cat-png-2", "cat", "a/cat-png-3", "b.tar.gz"]
