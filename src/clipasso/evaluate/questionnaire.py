"""A questionnaire for people, after the paper's user study (sections 4.3 and C)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from clipasso.errors import ClipassoError
from clipasso.evaluate.measures import draw_distractors
from clipasso.evaluate.page import SAFE
from clipasso.evaluate.pictures import jpeg_uri, sketch_uri
from clipasso.evaluate.report import FORMAT
from clipasso.photo.canvas import load_photo

__all__ = ["make_forms", "read_evaluation", "write_questionnaire"]

_CONFOUNDS = 4
_VERSIONS = 5

_STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 46em; padding: 0 1em;
  color: #111; background: #fff }
img { width: 224px; height: 224px; border: 1px solid #ddd; vertical-align: middle }
button { font: inherit; padding: .5em 1.2em; margin: .25em; cursor: pointer }
.category button { display: block; width: 18em; text-align: left }
.instance img { width: 168px; height: 168px; border: 0 }
.instance button { padding: .3em; min-height: 3em }
.number { color: #555 } textarea { width: 100%; height: 12em } input { font: inherit; width: 7em }
"""


def read_evaluation(folder: Path) -> dict[str, Any]:
    """The report that `clipasso evaluate` left in a folder.

    Raises:
        ClipassoError: there is none, or it is another file.
    """
    path = folder / "evaluation.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ClipassoError(
            f"{path}: no such report; make one with clipasso evaluate PHOTOS -o {folder}"
        ) from None
    except ValueError:
        report = None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ClipassoError(f"{path}: no report of clipasso evaluate; make it anew")
    return report


@dataclass
class _Pictures:
    """Pictures of a page, each once, under short names that say nothing."""

    folder: Path
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)

    def name(self, kind: str, file: str) -> str:
        """Of a file relative to the folder; `kind` is `photo` or `sketch`."""
        if (kind, file) not in self.names:
            path = self.folder / file
            uri = sketch_uri(path) if kind == "sketch" else jpeg_uri(load_photo(path).pixels)
            name = hashlib.sha256(uri.encode()).hexdigest()[:10]
            self.names[kind, file] = name
            self.uris[name] = uri
        return self.names[kind, file]


def make_forms(report: Mapping[str, Any], folder: Path, *, seed: int = 0) -> dict[str, Any]:
    """The questions of all forms, and their pictures.

    A form holds sketches of one method, of one photo of each class, at every number of strokes.
    For each it asks for the class, among four others, and for the photo, among four of its class
    (or as many as there are; without any it does not ask); to both `None` is an answer.

    Args:
        report: of `read_evaluation`; folder: where it lies.
        seed: of distractors and of the order of options.

    Returns:
        What the page's script reads: `study` (a key of the questions), `seed`, `forms`
        (`method`, `version`, `questions`) and `pictures` (name to URI).

    Raises:
        ClipassoError: a photo or a sketch is gone, or there is nothing to ask.
    """
    pictures = _Pictures(folder)
    by_class = {
        name: [photo for photo in report["photos"] if photo["class"] == name]
        for name in report["categories"]
    }
    versions = min(_VERSIONS, max(map(len, by_class.values())))
    methods: dict[str, list[str]] = {}
    for series in report["series"]:
        methods.setdefault(series["method"], []).append(series["label"])
    sketches = {(s["photo"], s["series"]): s["file"] for s in report["sketches"]}
    forms = []
    for version in range(versions):  # methods alternate: so do people, by their numbers
        for method, labels in methods.items():
            chosen = [photos[version % len(photos)] for photos in by_class.values() if photos]
            questions = [
                question
                for photo in chosen for label in labels if (photo["photo"], label) in sketches
                for question in _ask(
                    photo, label, sketches[photo["photo"], label], by_class, pictures, seed
                )
            ]  # fmt: skip
            if questions:
                forms.append({"method": method, "version": version + 1, "questions": questions})
    if not forms:
        raise ClipassoError(
            f"{folder}: nothing to ask; it takes two classes, or two photos of one class"
        )
    key = hashlib.sha256(json.dumps([seed, forms], sort_keys=True).encode()).hexdigest()[:12]
    return {"study": key, "seed": seed, "forms": forms, "pictures": pictures.uris}


def _ask(
    photo: Mapping[str, Any], series: str, file: str,
    by_class: Mapping[str, Sequence[Mapping[str, Any]]], pictures: _Pictures, seed: int,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The questions about a sketch."""
    classes = list(by_class)
    names = [
        classes[k]
        for k in draw_distractors(
            classes.index(photo["class"]), range(len(classes)), _CONFOUNDS, seed
        )
    ]
    own = by_class[photo["class"]]
    others = [
        own[k]["file"]
        for k in draw_distractors(own.index(photo), range(len(own)), _CONFOUNDS, seed)
    ]
    photos = [pictures.name("photo", name) for name in others]
    for part, options in (("category", names), ("instance", photos)):
        if len(options) < 2:
            continue
        key = hashlib.sha256(f"{seed} {part} {photo['photo']} {series}".encode()).digest()
        rng = np.random.default_rng(list(key[:8]))
        yield {
            "id": key.hex()[:10],
            "part": part,
            "class": photo["class"],
            "series": series,
            "sketch": pictures.name("sketch", file),
            "right": options[0],
            "options": [options[k] for k in rng.permutation(len(options))],
        }


def write_questionnaire(data: Mapping[str, Any]) -> str:
    """The page: one file that runs offline in any browser and fetches nothing.

    Args:
        data: of `make_forms`.
    """
    script = files("clipasso.evaluate").joinpath("questionnaire.js").read_text(encoding="utf-8")
    policy = SAFE.format(more="; script-src 'unsafe-inline'")
    held = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{policy}\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Sketches</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        '<main id="main"></main>\n<noscript>Please allow scripts on this page.</noscript>\n'
        f'<script type="application/json" id="data">{held}</script>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
