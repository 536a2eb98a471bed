"""Batches: what is done again and what is not, what fails, what may be overwritten."""

import json
import os
import sqlite3
import subprocess
import sys

import pytest
from PIL import Image

import clipasso
from clipasso import ClipassoError
from clipasso.pipeline.batch import gallery
from clipasso.pipeline.batch.make import Loader
from clipasso.pipeline.claims import claimed
from clipasso.pipeline.engine import Pool
from clipasso.pipeline.workers import Event
from playing_sketcher import files, photos, play


@pytest.fixture
def made(monkeypatch):
    """Sketches by the stand-in; the list of the photos that it was given."""
    found = []
    monkeypatch.setattr(Loader, "__call__", lambda self, talk: lambda task: play(task, found))
    return found


@pytest.fixture
def source(tmp_path):
    photos(tmp_path / "in", "a.png", "b.png", "more/c.png")
    return tmp_path / "in"


def batch(source, out, **options):
    return clipasso.batch(source, out, **{"encoder": "efficientnet-lite0", **options})


def names(made):
    found = [os.path.basename(piece.path) for piece in made]
    made.clear()
    return found


def test_only_what_is_missing_or_changed_is_made_again(made, source, tmp_path):
    out = tmp_path / "out"
    summary = batch(source, out)
    assert names(made) == ["a.png", "b.png", "c.png"]
    assert (summary.photos, summary.done, summary.made, summary.failed) == (3, 3, 3, ())
    first = files(out)
    assert {"a.svg", "b.json", "more/c.png", "_gallery/more/c.jpg"} <= set(first)
    assert {"index.html", "contact-sheet.jpg"} <= set(first)

    summary = batch(source, out)
    assert (names(made), summary.done, summary.made) == ([], 3, 0)
    assert files(out) == first
    os.utime(source / "a.png", (1, 1))  # touched, and the same
    batch(source, out)
    assert names(made) == []
    photos(source, "b.png", "x.png")  # one that has changed, and a new one
    (out / "more" / "c.json").unlink()
    batch(source, out)
    assert names(made) == ["b.png", "x.png", "c.png"]
    batch(source, out, strokes=5)
    assert len(names(made)) == 4
    batch(source, out, strokes=5, force=True)
    assert len(names(made)) == 4
    batch(source, out, strokes=5, mask="none")
    assert len(names(made)) == 4


@pytest.mark.skipif(os.name == "nt", reason="names are bytes elsewhere")
def test_a_photo_that_fails_and_whose_name_is_no_text(made, source, tmp_path):
    (tmp_path / "list.txt").write_bytes(b"in/a.png\nin/no-\xdc.png\n")
    summary = batch(tmp_path / "list.txt", tmp_path / "out")
    assert (summary.photos, summary.done) == (2, 1)
    assert "\\udcdc" in summary.failed[0][1]


@pytest.mark.parametrize("change", ["name = '../a'", "name = '/a'", "name = 7", "steps = 'x'"])
def test_a_damaged_row_is_told_and_nothing_is_written_elsewhere(change, made, source, tmp_path):
    out = tmp_path / "out"
    batch(source, out)
    (out / "a.svg").unlink()
    db = sqlite3.connect(out / "batch.sqlite", isolation_level=None)
    db.execute(f"UPDATE photos SET {change} WHERE photo = 'a.png'")
    db.close()
    with pytest.raises(ClipassoError, match=r"batch\.sqlite: the batch's manifest"):
        batch(source, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_what_depends_on_the_version_is_made_again(made, source, tmp_path, monkeypatch):
    batch(source, tmp_path / "out")
    names(made)
    monkeypatch.setattr("clipasso.pipeline.batch.plan.__version__", "another")
    batch(source, tmp_path / "out")
    assert len(names(made)) == 3


def test_a_photo_that_moves_or_goes_costs_nothing(made, source, tmp_path):
    out = tmp_path / "out"
    batch(source, out)
    source = source.rename(tmp_path / "elsewhere")
    (source / "a.png").unlink()
    names(made)
    summary = batch(source, out)
    assert (names(made), summary.photos, summary.made) == ([], 2, 0)
    assert (out / "a.svg").is_file()  # nobody has said that it should go
    assert '"a.png"' not in (out / "index.html").read_text()


def test_a_bad_photo_is_recorded_and_the_others_are_made(made, source, tmp_path):
    (source / "bad.png").write_bytes(b"no picture")
    lines = []
    summary = batch([source, tmp_path / "gone.png"], tmp_path / "out", on_failure=lines.append)
    assert (summary.photos, summary.done) == (5, 3)
    assert [photo for photo, _ in summary.failed] == ["bad.png", "gone.png"]
    assert len(lines) == 2
    assert "bad.png" in lines[0]
    with sqlite3.connect(tmp_path / "out" / "batch.sqlite") as db:
        rows = db.execute("SELECT photo, state, loss, error FROM photos ORDER BY place").fetchall()
    db.close()
    assert [row[:2] for row in rows] == [
        ("a.png", "done"), ("b.png", "done"), ("bad.png", "failed"), ("more/c.png", "done"),
        ("gone.png", "failed"),
    ]  # fmt: skip
    assert all((row[2] is None) == (row[1] == "failed") == bool(row[3]) for row in rows)
    assert "bad.png" in (tmp_path / "out" / "index.html").read_text()
    names(made)
    photos(source, "bad.png")
    summary = batch(source, tmp_path / "out")
    assert (names(made), summary.done, summary.photos) == (["bad.png"], 4, 4)


def test_rows_have_their_options_and_a_photo_may_come_twice(made, source, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("photo,strokes,name\nin/a.png,4,\nin/a.png,8,\nin/b.png,,x/y\n")
    out = tmp_path / "out"
    batch(table, out, strokes=2)
    names(made)
    strokes = {p: (out / f"{p}.svg").read_text().split()[1] for p in ("in/a", "in/a-png", "x/y")}
    assert strokes == {"in/a": "4", "in/a-png": "8", "x/y": "2"}
    table.write_text("photo,strokes,name\nin/a.png,4,\nin/a.png,9,\nin/b.png,,x/y\n")
    batch(table, out, strokes=2)
    assert names(made) == ["a.png"]
    assert (out / "in" / "a-png.svg").read_text().split()[1] == "9"


def test_names_once_given_stay(made, source, tmp_path):
    out = tmp_path / "out"
    batch(source, out)
    Image.new("RGB", (5, 5), "red").save(source / "a.jpg")  # comes before a.png
    names(made)
    batch(source, out)
    assert names(made) == ["a.jpg"]
    assert (out / "a-jpg.svg").is_file()


def test_nothing_that_is_not_the_batchs_is_overwritten(made, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.svg").write_text("mine")
    with pytest.raises(ClipassoError, match=r"b\.svg: there already.*--force"):
        batch(source, out)
    assert names(made) == []
    assert set(files(out)) == {"b.svg"}
    batch(source, out, force=True)
    assert (out / "b.svg").read_text() != "mine"
    with pytest.raises(ClipassoError, match="photos are in it"):
        batch(source, source)
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{path}\n" for path in source.glob("*.png")))
    for force in (False, True):
        before = files(source)
        with pytest.raises(ClipassoError, match=r"a\.png"):
            clipasso.batch(
                [source / "a.png", source / "b.png"], source, encoder="efficientnet-lite0",
                force=force,
            )  # fmt: skip
        assert {k: v for k, v in files(source).items() if k in before} == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("mine")
    with pytest.raises(ClipassoError, match=r"index\.html: is there"):
        batch(source, tmp_path / "other")


def test_two_batches_do_not_work_in_one_folder(made, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with claimed(out, "batch"):
        code = (
            "import clipasso, sys\n"
            "try: clipasso.batch(sys.argv[1], sys.argv[2], encoder='efficientnet-lite0')\n"
            "except clipasso.ClipassoError as error: print(error)"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, source, out], capture_output=True, text=True, check=True
        )
    assert "another clipasso is at work on it" in found.stdout
    assert files(out) == {}


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 200])
def test_what_is_no_manifest_is_left_alone(content, made, source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "batch.sqlite").write_bytes(content)
    with pytest.raises(ClipassoError, match=r"batch\.sqlite.*move it away"):
        batch(source, out)
    assert (out / "batch.sqlite").read_bytes() == content
    (out / "batch.sqlite").unlink()
    with sqlite3.connect(out / "batch.sqlite") as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(ClipassoError, match=r"something else"):
        batch(source, out)


class Losing:
    """A pool whose workers are lost with some photos, the first time or always."""

    def __init__(self, always):
        self.always, self.seen = always, set()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error):
        pass

    def run(self, tasks):
        yield Event("ready", 0, None)
        for task in iter(lambda: next(tasks, None), None):
            path = task.pieces[0].path
            if "b.png" in path and (self.always or path not in self.seen):
                self.seen.add(path)
                yield Event("lost", 0, task, "killed")
            else:
                yield Event("done", 0, task, play(task))


@pytest.mark.parametrize("always", [False, True])
def test_a_lost_worker_costs_no_photo_but_one_that_ends_all(always, source, tmp_path, monkeypatch):
    from clipasso.pipeline.batch import run

    monkeypatch.setattr(run, "_share", lambda *given: (1, 1, Losing(always)))
    seen = []
    summary = batch(source, tmp_path / "out", on_progress=seen.append)
    assert summary.done == (2 if always else 3)
    assert bool(summary.failed) == always
    if always:
        assert "its worker was lost 5 times (killed)" in summary.failed[0][1]
    last = [now for now in seen if now.finished][-1]
    assert last.steps <= last.of_steps


def test_photos_go_together_where_their_options_are_the_same(made, source, tmp_path):
    sizes = []
    real = Loader.__call__

    def call(self, talk):
        work = real(self, talk)
        return lambda task: (sizes.append(len(task.pieces)), work(task))[1]

    Loader.__call__, before = call, Loader.__call__
    try:
        table = tmp_path / "t.csv"
        table.write_text("photo,strokes\nin/a.png,4\nin/b.png,4\nin/more/c.png,5\n")
        assert batch(table, tmp_path / "out", together=2).done == 3
    finally:
        Loader.__call__ = before
    assert sizes == [2, 1]


def test_a_full_disk_ends_it_and_a_name_too_long_does_not(made, source, tmp_path, monkeypatch):
    from clipasso.pipeline.batch import work

    photos(source, "d.png", "e.png")
    real, tried = work.write_atomically, []

    def write(path, data):
        if path.name.startswith("b.") or len(tried) > 30:
            raise ClipassoError(f"{path}: cannot be written (No space left on device)")
        tried.append(path)
        real(path, data)

    monkeypatch.setattr(work, "write_atomically", write)
    assert batch(source, tmp_path / "out").done == 4
    tried.extend([None] * 40)
    with pytest.raises(ClipassoError, match="No space left"):
        batch(source, tmp_path / "out", force=True)
    monkeypatch.undo()
    monkeypatch.setattr(Loader, "__call__", lambda self, talk: play)
    assert batch(source, tmp_path / "out").done == 5


def test_names_of_no_encoding_are_names_too(made, tmp_path):
    odd = os.fsdecode(b"caf\xe9.png")
    try:
        photos(tmp_path / "in", "a<b>&.png", odd, "a b#c?.png", "日本.png")
    except OSError:
        pytest.skip("a file system that takes no such names")
    summary = batch(tmp_path / "in", tmp_path / "out")
    assert (summary.done, summary.photos) == (4, 4)
    assert (tmp_path / "out" / os.fsdecode(b"caf\xe9.svg")).is_file()
    cards = read_cards(tmp_path / "out" / "index.html")
    for _, link, photo, *_ in cards:
        from urllib.parse import unquote_to_bytes

        for target in (f"{link}.svg", f"_gallery/{link}.jpg", photo):
            assert os.path.isfile(os.fsencode(tmp_path / "out") + b"/" + unquote_to_bytes(target))
    names(made)
    batch(tmp_path / "in", tmp_path / "out")
    assert names(made) == []


def read_cards(page):
    text = page.read_text()
    return json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])


def test_the_gallery_is_split_where_it_is_long_and_made_anew_alone(made, source, tmp_path):
    from clipasso.pipeline.batch import pages

    out = tmp_path / "out"
    sizes = pages._IN_PAGE, pages._COLUMNS, pages._ROWS
    pages._IN_PAGE, pages._COLUMNS, pages._ROWS = 2, 1, 2
    try:
        batch(source, out)
        cards = read_cards(out / "index.html") + read_cards(out / "index-2.html")
        assert [card[0] for card in cards] == ["a.png", "b.png", "more/c.png"]
        assert 'href="index-2.html"' in (out / "index.html").read_text()
        assert (out / "contact-sheet-2.jpg").is_file()
    finally:
        pages._IN_PAGE, pages._COLUMNS, pages._ROWS = sizes
    names(made)
    assert [path.name for path in gallery(out)] == ["index.html", "contact-sheet.jpg"]
    assert names(made) == []
    assert not (out / "index-2.html").exists()
    assert not (out / "contact-sheet-2.jpg").exists()
    assert len(read_cards(out / "index.html")) == 3
    with Image.open(out / "contact-sheet.jpg") as sheet:
        assert sheet.getpixel((4, 2))[0] > 0  # the stand-in's small picture
    with pytest.raises(ClipassoError, match="no batch was made there"):
        gallery(source)


def test_the_page_runs_in_a_browser(made, source, tmp_path):
    """The script turns pages, finds and sorts: run with a few stand-ins for what browsers have."""
    racer = pytest.importorskip("py_mini_racer")
    (source / "bad.png").write_bytes(b"")
    batch(source, tmp_path / "out")
    text = (tmp_path / "out" / "index.html").read_text()
    data = text.partition('type="application/json">')[2].partition("</script>")[0]
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    page = racer.MiniRacer()
    page.eval(_DOM.replace("DATA", json.dumps(data)))
    page.eval(script.replace("const size", "var size").replace('"use strict";', ""))
    assert page.eval("texts(at('cards'))").count("loss") == 3
    assert page.eval("at('where').textContent") == "page 1 of 1, 4 photos"
    page.eval("at('find').value = 'B.PNG'; at('order').value = '3'; choose()")
    assert page.eval("at('where').textContent") == "page 1 of 1, 1 photos"
    page.eval("at('find').value = ''; at('order').value = '5'; choose()")
    assert "bad.png" in page.eval("texts(at('cards'))")
    assert page.eval("at('where').textContent") == "page 1 of 1, 1 photos"


_DOM = """
function node(tag) {
  return {tag: tag, kids: [], value: "", textContent: "",
    append(...more) { this.kids.push(...more); },
    replaceChildren(...more) { this.kids = more; }};
}
var ids = {data: {textContent: DATA}};
var document = {
  getElementById(id) { return ids[id] || (ids[id] = node(id)); },
  createElement: node,
};
function texts(one) {
  return typeof one === "string" ? one : one.textContent + one.kids.map(texts).join("|");
}
"""


@pytest.mark.parametrize(("options", "words"), [
    ({"workers": "0"}, "--workers 0"), ({"workers": "x"}, "--workers x"),
    ({"together": 0}, "--together 0"), ({"strokes": 0}, "--strokes 0"),
    ({"nonsense": 1}, "nonsense"), ({"together": 2, "workers": 2}, "give one of them"),
])  # fmt: skip
def test_what_does_not_go_is_said_before_any_work(options, words, made, source, tmp_path):
    with pytest.raises(ClipassoError, match=words):
        batch(source, tmp_path / "out", **options)
    assert names(made) == []
