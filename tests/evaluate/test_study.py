"""`clipasso study`: the questionnaire, its script in a JavaScript engine, and the table."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from clipasso.cli import run
from clipasso.evaluate.answers import rates, read_answers
from clipasso.evaluate.questionnaire import make_forms, read_evaluation

CLASSES = ("cat", "dog", "elephant", "giraffe", "horse", "zebra")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A report on six classes of three photos (one has two, one a single one), two methods."""
    root = tmp_path_factory.mktemp("study")
    for row, name in enumerate(CLASSES):
        for k in range({"zebra": 1, "horse": 2}.get(name, 3)):
            for folder in ("photos", "people", "robots"):
                picture = Image.new("RGB", (60, 60), "white")
                box = (3 + 8 * row, 3 + 12 * k, 15 + 8 * row, 30 + 12 * k)
                fill = "white" if folder == "people" else "gray"
                ImageDraw.Draw(picture).ellipse(box, fill, "black", 1 + (folder == "robots"))
                path = root / folder / name / f"{name}{k}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
    out = root / "out"
    status = run([
        "evaluate", str(root / "photos"), "-o", str(out), "--judge", "edges", "--mask", "none",
        "--sketches", str(root / "people"), "--sketches", str(root / "robots"),
    ])  # fmt: skip
    assert status == 0
    return out


@pytest.fixture(scope="module")
def forms(evaluated):
    return make_forms(read_evaluation(evaluated), evaluated)


def test_a_form_is_of_one_method_and_one_photo_a_class(forms):
    assert [(f["method"], f["version"]) for f in forms["forms"]] == [
        ("people", 1), ("robots", 1), ("people", 2), ("robots", 2), ("people", 3), ("robots", 3),
    ]  # fmt: skip
    for form in forms["forms"]:
        parts = [q["part"] for q in form["questions"]]
        assert (parts.count("category"), parts.count("instance")) == (6, 5)  # one zebra
        assert {q["series"] for q in form["questions"]} == {form["method"]}
        assert sorted(q["class"] for q in form["questions"] if q["part"] == "category") == sorted(
            CLASSES
        )
    first, second = (forms["forms"][k]["questions"] for k in (0, 2))
    assert {q["sketch"] for q in first if q["class"] == "cat"}.isdisjoint(
        q["sketch"] for q in second if q["class"] == "cat"
    )


def test_questions_have_one_right_option_and_four_confounds(forms):
    places = set()
    for form in forms["forms"]:
        for q in form["questions"]:
            assert q["right"] in q["options"]
            assert len(set(q["options"])) == len(q["options"])
            places.add(q["options"].index(q["right"]))
            if q["part"] == "category":
                assert q["right"] == q["class"]
                assert len(q["options"]) == 5
                assert set(q["options"]) < set(CLASSES)
            else:
                assert len(q["options"]) == {"horse": 2}.get(q["class"], 3)
                assert set(q["options"]) <= set(forms["pictures"])
    assert places == {0, 1, 2, 3, 4}  # not always in the same place


def test_the_seed_fixes_the_questions(evaluated, forms):
    report = read_evaluation(evaluated)
    assert make_forms(report, evaluated) == forms
    other = make_forms(report, evaluated, seed=1)
    assert other["study"] != forms["study"]
    assert [q["options"] for q in other["forms"][0]["questions"]] != [
        q["options"] for q in forms["forms"][0]["questions"]
    ]


def test_writes_one_page_that_fetches_nothing(evaluated, tmp_path, capsys):
    page = tmp_path / "study.html"
    assert run(["study", str(evaluated), "-o", str(page)]) == 0
    assert "6 forms" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    assert "default-src 'none'" in text
    for name in CLASSES:  # file names would give the answer away
        assert f"{name}0" not in text
    held = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    for uri in held["pictures"].values():
        kind, _, data = uri.partition(";base64,")
        assert kind in ("data:image/jpeg", "data:image/png", "data:image/svg+xml")
        base64.b64decode(data, validate=True)
    assert run(["study", str(evaluated), "-o", str(page)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_classes_of_any_name_stay_texts(evaluated, tmp_path):
    report = read_evaluation(evaluated)
    text = json.dumps(report).replace('"cat"', json.dumps("</script><b>"))
    folder = tmp_path / "odd"
    folder.mkdir()
    here = Path(evaluated)
    for entry in (held := json.loads(text))["photos"] + held["sketches"]:
        entry["file"] = str(here / entry["file"])
    (folder / "evaluation.json").write_text(json.dumps(held))
    assert run(["study", str(folder)]) == 0
    page = (folder / "study.html").read_text("utf-8")
    assert page.count("</script>") == 2
    assert "\\u003c/script>\\u003cb>" in page


# The page's script, in a JavaScript engine. It has no browser's document: this is the part of one
# that the script uses.
DOCUMENT = """
function Node(tag) { this.tag = tag; this.children = []; this.textContent = ""; }
Node.prototype.appendChild = function (n) { this.children.push(n); return n; };
Node.prototype.removeChild = function (n) { this.children.splice(this.children.indexOf(n), 1); };
Node.prototype.focus = function () {};
Object.defineProperty(Node.prototype, "firstChild", {
  get: function () { return this.children[0] || null; }
});
var places = { main: new Node("main"), data: new Node("script") };
places.data.textContent = HELD;
var document = {
  getElementById: function (name) { return places[name]; },
  createElement: function (tag) { return new Node(tag); }
};
var window = { location: { search: "?person=PERSON" } };
var saved = null;
function Blob(parts, options) { this.text = parts.join(""); this.type = options.type; }
var URL = { createObjectURL: function (blob) { saved = blob; return "blob:1"; } };
function all(tag, node) {
  var found = [];
  (node || places.main).children.forEach(function (child) {
    if (child.tag === tag) { found.push(child); }
    found = found.concat(all(tag, child));
  });
  return found;
}
function click(node) { node.onclick(); }
function options() {
  return all("button").filter(function (b) { return b.className === "option"; });
}
function shown() {
  return JSON.stringify({
    heading: (all("h2")[0] || all("h1")[0]).textContent,
    sketch: all("img").length ? all("img")[0].src : null,
    options: options().map(function (b) { return b.textContent || b.children[0].src; })
  });
}
"""


class Browser:
    """The page with a person before it."""

    def __init__(self, page: str, person: int) -> None:
        engine = pytest.importorskip("py_mini_racer")
        held, script = re.search(
            r'id="data">(.*?)</script>\s*<script>(.*?)</script>', page, re.DOTALL
        ).groups()
        self.data = json.loads(held)
        self.eval = engine.MiniRacer().eval
        document = DOCUMENT.replace("HELD", json.dumps(held)).replace("PERSON", str(person))
        self.eval(document)
        self.eval(script)
        self.eval('click(all("button")[0])')

    def shown(self):
        return json.loads(self.eval("shown()"))

    def choose(self, index: int) -> None:
        self.eval(f"click(options()[{index}])")

    def back(self) -> None:
        self.eval('click(all("button").filter(function (b) { return b.id === "back"; })[0])')

    def answers(self):
        assert self.eval("saved.type") == "application/json"
        assert self.eval("saved.text") == self.eval('all("textarea")[0].value')
        assert self.eval('all("a")[0].download').startswith("answers-")
        return json.loads(self.eval("saved.text"))


@pytest.fixture(scope="module")
def page(evaluated, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "study.html"
    assert run(["study", str(evaluated), "-o", str(path)]) == 0
    return path.read_text("utf-8")


def sit(page, person, choose):
    """Answer everything; `choose` takes the question and what is shown, and gives an index."""
    browser = Browser(page, person)
    form = browser.data["forms"][(person - 1) % len(browser.data["forms"])]
    seen = []
    while (shown := browser.shown())["options"]:
        pictures = {uri: name for name, uri in browser.data["pictures"].items()}
        options = [pictures.get(option, option) for option in shown["options"]]
        [question] = [
            q for q in form["questions"]
            if pictures[shown["sketch"]] == q["sketch"] and [*q["options"], "None"] == options
        ]  # fmt: skip
        seen.append(question)
        browser.choose(choose(question, options))
    return browser, seen


def test_a_person_who_knows_everything(page, tmp_path):
    browser, seen = sit(page, 2, lambda q, options: options.index(q["right"]))
    assert len({q["id"] for q in seen}) == 11
    parts = [q["part"] for q in seen]
    assert parts == ["category"] * 6 + ["instance"] * 5  # photos would give classes away
    assert [q["class"] for q in seen[:6]] != sorted(CLASSES)  # shuffled
    answers = browser.answers()
    assert (answers["person"], answers["method"], answers["version"]) == (2, "robots", 1)
    assert all(a["given"] == a["right"] for a in answers["answers"])
    path = tmp_path / "a.json"
    path.write_text(json.dumps(answers))
    found = rates(read_answers([path]))
    assert {r.rate for r in found} == {1}
    assert {(r.part, r.answers) for r in found if r.category == "all classes"} == {
        ("category", 6), ("instance", 5),
    }  # fmt: skip


def test_a_person_who_says_none_and_goes_back(page):
    browser = Browser(page, 1)
    first = browser.shown()
    browser.choose(0)
    assert browser.shown() != first
    browser.back()
    assert browser.shown() == first
    while (shown := browser.shown())["options"]:
        assert shown["options"][-1] == "None"
        browser.choose(len(shown["options"]) - 1)
    answers = browser.answers()["answers"]
    assert len(answers) == 11
    assert all(a["given"] is None for a in answers)


def test_the_order_is_of_the_person(page):
    orders = [[q["id"] for q in sit(page, person, lambda q, options: 0)[1]] for person in (1, 7, 1)]
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]
    assert set(orders[0]) == set(orders[1])  # six forms: the seventh person has the first's


# And in a real browser: Chromium, as Qt's Python package carries it.
CHROMIUM = """
import sys
from PyQt6.QtCore import QTimer, QUrl
from PyQt6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile, QWebEngineUrlRequestInterceptor
from PyQt6.QtWidgets import QApplication

page_file, folder, script = sys.argv[1:]

class Watch(QWebEngineUrlRequestInterceptor):
    def interceptRequest(self, info):
        if info.requestUrl().scheme() not in ("file", "data", "blob"):
            print("fetched", info.requestUrl().toString(), flush=True)

def save(item):
    item.setDownloadDirectory(folder)
    item.isFinishedChanged.connect(app.quit)
    item.accept()

app = QApplication(["browser"])
profile = QWebEngineProfile()
watch = Watch()
profile.setUrlRequestInterceptor(watch)
profile.downloadRequested.connect(save)
page = QWebEnginePage(profile)
page.javaScriptConsoleMessage = lambda level, text, *place: print("console", text, flush=True)
page.loadFinished.connect(lambda good: page.runJavaScript(script))
page.load(QUrl.fromLocalFile(page_file))
QTimer.singleShot(60_000, lambda: (print("too slow", flush=True), app.quit()))
app.exec()
"""

ANSWERING = """
(async function () {
  document.getElementById("person").value = "2";
  document.getElementById("begin").click();
  var options, held = JSON.parse(document.getElementById("data").textContent);
  while ((options = document.querySelectorAll("button.option")).length) {
    await new Promise(function (go) { setTimeout(go, 30); });
    if (!Array.from(document.images).every(function (i) {
      return i.complete && i.naturalWidth > 0 && i.clientWidth > 100;
    })) { console.log("a picture is not shown"); }
    var sketch = document.images[0].src;
    var right = held.forms[1].questions.find(function (q) {
      return held.pictures[q.sketch] === sketch && q.options.length + 1 === options.length
        && (q.part === "category") === !options[0].querySelector("img");
    }).right;
    Array.from(options).find(function (b) {
      var image = b.querySelector("img");
      return image ? image.src === held.pictures[right] : b.textContent === right;
    }).click();
  }
  document.getElementById("save").click();
})();
"""


def test_in_chromium(evaluated, tmp_path):
    pytest.importorskip("PyQt6.QtWebEngineCore", exc_type=ImportError)
    page = tmp_path / "study.html"
    assert run(["study", str(evaluated), "-o", str(page)]) == 0
    flags = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox"}
    done = subprocess.run(
        [sys.executable, "-c", CHROMIUM, str(page), str(tmp_path), ANSWERING],
        env={**os.environ, **flags}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == ""  # no request, no message, in time
    [saved] = tmp_path.glob("answers-2-*.json")
    found = rates(read_answers([saved]))
    assert {(r.method, r.rate) for r in found} == {("robots", 1)}
    assert sum(r.answers for r in found if r.category == "all classes") == 11


# Scores


def answer_file(path, session, right, wrong, none, part="category", study="s", method="ours"):
    given = ["cat"] * right + ["dog"] * wrong + [None] * none
    path.write_text(json.dumps({
        "format": "clipasso-answers-1", "study": study, "person": 1, "session": session,
        "method": method, "version": 1,
        "answers": [
            {"question": "q", "part": part, "class": "cat", "series": "4 strokes",
             "right": "cat", "given": g, "seconds": 1.0} for g in given
        ],
    }))  # fmt: skip
    return path


def test_rates_are_those_of_table_2(tmp_path, capsys):
    files = [
        answer_file(tmp_path / "a.json", "a", 60, 20, 70),
        answer_file(tmp_path / "b.json", "b", 48, 12, 90),
    ]
    again = answer_file(tmp_path / "again.json", "b", 48, 12, 90)  # handed in twice
    out = tmp_path / "rates.csv"
    status = run(["study", "--score", *map(str, [*files, again]), "-o", str(out)])
    assert status == 0
    shown = capsys.readouterr().out
    assert "36.0% ± 2.8%" in shown
    assert "77.1%" in shown  # 108 of 140
    header, overall, cat = out.read_text("utf-8").splitlines()
    row = dict(zip(header.split(","), overall.split(","), strict=True))
    assert (row["answers"], row["people"], row["class"]) == ("300", "2", "all classes")
    assert float(row["rate"]) == 0.36
    assert float(row["standard error"]) == pytest.approx((0.36 * 0.64 / 300) ** 0.5, rel=1e-4)
    assert float(row["none"]) == pytest.approx(160 / 300, rel=1e-4)
    assert ",cat," in cat


def test_parts_and_methods_are_kept_apart(tmp_path):
    files = [
        answer_file(tmp_path / "a.json", "a", 1, 0, 0),
        answer_file(tmp_path / "b.json", "b", 0, 1, 0, part="instance"),
        answer_file(tmp_path / "c.json", "c", 0, 0, 1, method="theirs"),
    ]
    found = {(r.part, r.method): r for r in rates(read_answers(files))}
    assert found["category", "ours"].rate == 1
    assert found["instance", "ours"].rate == 0
    assert (found["category", "theirs"].none, found["category", "theirs"].sure) == (1, None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["empty"], "evaluation.json: no such report; make one with clipasso evaluate"),
        (["other"], "no report of clipasso evaluate"),
        (["empty", "other"], "one folder at a time"),
        (["--score", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--score", "other/evaluation.json"], "no answers of clipasso study"),
        (["--score", "a.json", "b.json"], "answers to another questionnaire"),
        (["--score", "none.json"], "holds no answer"),
    ],
)
def test_bad_input(arguments, told, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "evaluation.json").write_text('{"format": "something"}')
    answer_file(tmp_path / "a.json", "a", 1, 1, 1)
    answer_file(tmp_path / "b.json", "b", 1, 1, 1, study="t")
    answer_file(tmp_path / "none.json", "n", 0, 0, 0)
    monkeypatch.chdir(tmp_path)
    assert run(["study", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
