"""The paper's figures as studies: each a function from photos to the panels of a sheet.

To add one, write such a function and a line in `FIGURES`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.figures.plan import Asked, Block, Cell, Figure, Row
from clipasso.pipeline.grid import Run

if TYPE_CHECKING:
    from clipasso.encoders.base import Encoder

__all__ = ["FIGURES", "find_figure", "prompt_for"]

_STEPS = (0, 10, 50, 100, 200, 500, 1000, 2000, 5000)
_WIDEST = 8  # panels in a row before it is broken in two


def _photo(run: Run) -> Cell:
    return Cell("photo", run, "photo")


def _table(columns: Sequence[Sequence[Cell]]) -> tuple[Block, ...]:
    """One row a photo: the photo, then its panels; long rows in two halves."""
    rows = []
    for cells in columns:
        first = _photo(cells[0].run)
        if len(cells) < _WIDEST:
            rows.append(Row((first, *cells)))
            continue
        half = (len(cells) + 1) // 2
        rows += [Row((first, *cells[:half])), Row((None, *cells[half:]))]
    return (Block(tuple(rows)),)


def _abstraction(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    counts = asked.strokes or (32, 16, 8, 4)
    return _table([
        [Cell("sketch", asked.run(photo, strokes=n), _strokes(n)) for n in counts]
        for photo in photos
    ])  # fmt: skip


def _seeds(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    blocks = []
    for photo in photos:
        run = asked.run(photo)
        ranks = range(run.settings.seeds)
        titles = ["lowest loss", *(f"rank {k + 1}" for k in ranks[1:])]
        points = [Cell("points", run, titles[k], k) for k in ranks]
        sketches = [Cell("sketch", run, "", k, marked=k == 0, alone=True) for k in ranks]
        rows = Row((_photo(run), *points)), Row((Cell("saliency", run), *sketches))
        blocks.append(Block(rows))
    return tuple(blocks)


def _init(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    blocks = []
    for photo in photos:
        runs = {
            "saliency × XDoG": asked.run(photo),
            "saliency": asked.run(photo, edges="none", start="walk"),
            "random": asked.run(photo, saliency="none", edges="none", start="walk", spread=0.0),
        }
        rows = tuple(
            Row((
                _photo(run),
                Cell("saliency", run, "saliency"),
                Cell("points", run, "first points"),
                Cell("initial", run, "initial strokes"),
                Cell("sketch", run, "output"),
            ), label)
            for label, run in runs.items()
        )  # fmt: skip
        blocks.append(Block(rows, curves=tuple(runs.items())))
    return tuple(blocks)


def _progress(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    rows = []
    for photo in photos:
        run = asked.run(photo)
        last = run.settings.iterations
        steps = [step for step in _STEPS if step <= 0.8 * last] + [last]
        rows.append([Cell("step", run, f"step {step}", step) for step in steps])
    return _table(rows)


def _styles(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    strokes = asked.strokes[0] if asked.strokes else 16
    blocks, orders = [], (4, 3, 2)
    for photo in photos:
        same = [
            Cell("sketch", asked.run(photo, strokes=strokes, control_points=order),
                 f"{order} control points", note=_strokes(strokes))
            for order in orders
        ]  # fmt: skip
        rows = []
        for order in orders:
            cells: list[Cell | None] = []
            for total in (4 * strokes, round(1.5 * strokes), strokes):
                count = max(1, total // order)
                run = asked.run(photo, strokes=count, control_points=order)
                title = f"{total} control points in all"
                cells.append(Cell("sketch", run, title, note=_strokes(count)))
            rows.append(Row((None, *cells), f"{order} control points\na stroke"))
        blocks += [Block((Row((_photo(same[0].run), *same)),)), Block(tuple(rows))]
    return tuple(blocks)


def _layers(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    def cells(photo: Path) -> list[Cell]:
        alone = [
            Cell("sketch", asked.run(photo, layers=str(k), semantic_weight=0.0), _spaced(name))
            for k, name in enumerate(encoder.layer_names, 1)
        ]
        return [*alone, Cell("sketch", asked.run(photo, loss="semantic"), "embedding")]

    return _table([cells(photo) for photo in photos])


def _terms(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    recipe = encoder.recipe

    def cells(photo: Path) -> list[Cell]:
        found = [
            Cell("sketch", asked.run(photo, loss="geometric"), "no semantic term"),
            Cell("sketch", asked.run(photo, loss="semantic"), "no geometric term"),
        ]
        for name in reversed(list(recipe.layers)) if len(recipe.layers) > 1 else ():
            others = ",".join(f"{k}:{w:g}" for k, w in recipe.layers.items() if k != name)
            found.append(Cell("sketch", asked.run(photo, layers=others), f"no {_spaced(name)}"))
        return [*found, Cell("sketch", asked.run(photo), "all terms")]

    return _table([cells(photo) for photo in photos])


def _weights(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    return _table([
        [Cell("sketch", asked.run(photo, semantic_weight=w), f"w_s = {w:g}")
         for w in (0.0, 0.1, 0.5, 1.0)]
        for photo in photos
    ])  # fmt: skip


def _losses(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    def cells(photo: Path) -> list[Cell]:
        ours = asked.run(photo)
        lpips = asked.run(photo, loss="lpips", optional=True)
        return [
            Cell("xdog", ours, "XDoG edges"),
            Cell("canny", ours, "Canny edges"),
            Cell("sketch", asked.run(photo, loss="l2"), "L2"),
            Cell("sketch", lpips, "LPIPS"),
            Cell("sketch", ours, "ours"),
        ]

    return _table([cells(photo) for photo in photos])


def _background(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    counts = asked.strokes or (32, 16, 8)
    rows = []
    for photo in photos:
        # With a zoom to what is cut out, the panels would differ in two things.
        whole = [asked.run(photo, mask="none", zoom="none", strokes=n) for n in counts]
        masked = [asked.run(photo, zoom="none", strokes=n) for n in counts]
        drawn, cut = (
            [Cell("sketch", run, _strokes(run.settings.strokes)) for run in runs]
            for runs in (whole, masked)
        )
        rows += [
            Row((_photo(whole[0]), Cell("saliency", whole[0], "saliency"), *drawn)),
            Row((None, Cell("mask", masked[0], "mask"), *cut), "object cut out"),
        ]
    return (Block(tuple(rows)),)


def _clipdraw(photos: Sequence[Path], asked: Asked, encoder: Encoder) -> tuple[Block, ...]:
    strokes = asked.strokes[0] if asked.strokes else 16

    def cells(photo: Path) -> list[Cell]:
        text = asked.text or prompt_for(photo)

        def drawn(**options: Any) -> Run:
            return asked.run(photo, preset="clipdraw", **options)

        lines = {
            "strokes": strokes, "segments": 1, "width": 3.0, "ink": "black",
            "width_rate": 0.0, "opacity_rate": 0.0, "color_rate": 0.0,
        }  # fmt: skip
        return [
            Cell("sketch", drawn(text=text, semantic_weight=0.0), "CLIPDraw: text", note=text),
            Cell("sketch", drawn(), "CLIPDraw: photo"),
            Cell("sketch", drawn(text=text), "CLIPDraw: both", note=text),
            Cell("sketch", drawn(**lines), "CLIPDraw: photo, lines", note=_strokes(strokes)),
            Cell("sketch", asked.run(photo, strokes=strokes), "ours", note=_strokes(strokes)),
        ]

    return _table([cells(photo) for photo in photos])


def prompt_for(photo: Path) -> str:
    """Section G's prompt, the class being the words of the photo's file name."""
    words = " ".join(re.findall(r"[^\W\d_]+", photo.stem)).lower() or "object"
    return f"A sketch of {'an' if words[0] in 'aeiou' else 'a'} {words}"


def _strokes(count: int) -> str:
    return f"{count} stroke{'' if count == 1 else 's'}"


def _spaced(layer: str) -> str:
    return re.sub(r"(\D)(\d)", r"\1 \2", layer)


FIGURES = {figure.name: figure for figure in (
    Figure("abstraction", "Levels of abstraction", "figures 1 and 3",
           "Fewer and fewer strokes: how much of the object is left at each level.",
           _abstraction, many_strokes=True),
    Figure("seeds", "Different seeds", "figures 8b and 21",
           "The same photo from different first strokes, sorted by loss; the winner is framed.",
           _seeds),
    Figure("init", "Initialisation", "figures 22 to 27",
           "Where strokes start: by saliency and edges, by saliency alone, anywhere; and how the "
           "loss falls from there.",
           _init),
    Figure("progress", "Progress", "figure 7",
           "One sketch while it is optimised.", _progress),
    Figure("styles", "Styles", "figures 10a and 46 to 48",
           "Strokes of 4, 3 and 2 control points: as many strokes, and as many control points in "
           "all.",
           _styles),
    Figure("layers", "Layers of the encoder", "figures 29 to 31",
           "Each layer of the encoder as the only loss, and its final embedding alone.",
           _layers, comparable=False),
    Figure("terms", "Terms of the loss", "figure 32",
           "The loss without its semantic term, without its geometric term, without each layer. "
           "(The paper's figure calls layers 2 and 3 what its section 3.1 calls 3 and 4.)",
           _terms, comparable=False),
    Figure("weights", "Weights of the semantic term", "figure 33",
           "The weight of the semantic term, from 0 to 1; the paper takes 0.1.",
           _weights, comparable=False),
    Figure("losses", "Other losses", "figures 6 and 34",
           "L2 on pixels and LPIPS in place of the loss, beside edge maps.",
           _losses, comparable=False),
    Figure("background", "Backgrounds", "figure 14",
           "Photos with a background: drawn as they are, and with the object cut out.",
           _background, comparable=False, many_strokes=True),
    Figure("clipdraw", "CLIPDraw", "figures 13 and 38",
           "CLIPDraw led by a text, by the photo, by both, and by the photo with thin black "
           "lines. Needs a CLIP encoder with its text tower.",
           _clipdraw, comparable=False),
)}  # fmt: skip
"""The figures by name."""


def find_figure(name: str) -> Figure:
    """A figure by name.

    Raises:
        ClipassoError: there is none.
    """
    if name not in FIGURES:
        raise ClipassoError(
            f"{name}: no such figure; choose one of {', '.join(FIGURES)} "
            "(`clipasso figure --list` explains them)"
        )
    return FIGURES[name]
