"""What visitors take away: a sketch as a file of any kind, and the command that makes the same."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.cli.studio.visitors import Held
    from clipasso.vector.sketch import Sketch

__all__ = ["KINDS", "Taken", "commands_of", "here", "take"]

_LARGEST = 4096  # px of a picture
_MARGIN = "15mm"
_FINEST, _BROADEST = 0.1, 5  # mm of a plotter's pen

_TYPES = {
    "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf",
    "json": "application/json", "dxf": "image/vnd.dxf", "gif": "image/gif", "webp": "image/webp",
    "mp4": "video/mp4", "html": "text/html", "hpgl": "application/vnd.hp-hpgl",
    "gcode": "text/x-gcode",
}  # fmt: skip

Asked = Mapping[str, str]


class Taken(NamedTuple):
    """A file: its bytes, its media type and its name."""

    data: bytes
    media: str
    name: str


def take(held: Held, kind: str, asked: Asked) -> Taken:
    """A file of a sketch.

    Args:
        kind: one of `KINDS`.
        asked: what else was chosen, as texts: `paper`, `pen`, `brush`, `size`, `seconds`; with
            any `fill` a plotter's pen goes over bold strokes in passes.

    Raises:
        ClipassoError: no such kind, a choice that is none, or a package that is not here.
    """
    if kind not in KINDS:
        raise ClipassoError(f"{kind}: must be one of {', '.join(KINDS)}")
    make, _ = KINDS[kind]
    suffix, end = _named(kind, asked)
    sketch = held.sketch if kind == "svg" else held.as_file()
    return Taken(make(sketch, asked), _TYPES[suffix], f"{held.stem}{end}.{suffix}")


def commands_of(held: Held, kind: str, asked: Asked) -> list[str]:
    """The command lines that make the same file.

    Raises:
        ClipassoError: no such kind.
    """
    if kind not in KINDS:
        raise ClipassoError(f"{kind}: must be one of {', '.join(KINDS)}")
    suffix, end = _named(kind, asked)
    words = KINDS[kind][1](asked)
    if not words:
        return [*held.commands]
    made = f"{held.stem}{end}.{suffix}"
    return [*held.commands, shlex.join(["clipasso", words[0], held.file, *words[1:], "-o", made])]


def here() -> dict[str, bool]:
    """Whether what some kinds need is installed."""
    needs = {"mp4": "av", "dxf": "ezdxf", "hpgl": "vpype", "gcode": "vpype_gcode"}
    return {kind: find_spec(package) is not None for kind, package in needs.items()}


def _named(kind: str, asked: Asked) -> tuple[str, str]:
    """The suffix of a file, and what its name has before it."""
    group, _, suffix = kind.rpartition("-")
    paper = asked.get("paper", "a4")
    ends = {"plot": f"-plot-{paper}", "moving": "-drawn", "brush": f"-{asked.get('brush', 'ink')}"}
    return suffix, f"-{paper}" if kind == "pdf" else ends.get(group, "")


def _exported(kind: str) -> Callable[[Sketch, Asked], bytes]:
    def make(sketch: Sketch, asked: Asked) -> bytes:
        from clipasso.vector.export import exported

        if kind == "pdf":
            return exported(sketch, kind, paper=asked.get("paper", "a4"), margin=_MARGIN)
        return exported(sketch, kind, size=_size(asked) if kind == "png" else None)

    return make


def _svg(sketch: Sketch, asked: Asked) -> bytes:
    return sketch.to_svg().encode()


def _brushed(kind: str) -> Callable[[Sketch, Asked], bytes]:
    def make(sketch: Sketch, asked: Asked) -> bytes:
        from clipasso.vector.brushes import restyle

        styled = restyle(sketch, asked.get("brush", "ink"))
        return styled.to_svg().encode() if kind == "svg" else styled.to_png(_size(asked))

    return make


def _moving(kind: str) -> Callable[[Sketch, Asked], bytes]:
    def make(sketch: Sketch, asked: Asked) -> bytes:
        from clipasso.vector.animate import animate

        return animate(sketch, seconds=_seconds(asked)).encode(kind)

    return make


def _plotted(kind: str) -> Callable[[Sketch, Asked], bytes]:
    def make(sketch: Sketch, asked: Asked) -> bytes:
        from clipasso.vector.plot import plot

        made = plot(
            sketch, asked.get("paper", "a4"), margin=_MARGIN, pen=_pen(asked), fill="fill" in asked
        )
        text = {"svg": made.to_svg, "hpgl": made.to_hpgl, "gcode": made.to_gcode}[kind]()
        return text.encode()

    return make


def _pen(asked: Asked) -> str:
    from clipasso.vector.lengths import millimetres

    text = asked.get("pen", "0.5mm")
    if not _FINEST <= millimetres(text, "--pen") <= _BROADEST:  # finer ones fill for minutes
        raise ClipassoError(f"pen {text}: must be from {_FINEST} to {_BROADEST} mm in the studio")
    return text


def _size(asked: Asked) -> int:
    text = asked.get("size", "1024")
    if not text.isdecimal() or not 16 <= int(text) <= _LARGEST:
        raise ClipassoError(f"size {text}: must be from 16 to {_LARGEST} pixels in the studio")
    return int(text)


def _seconds(asked: Asked) -> float:
    text = asked.get("seconds", "4")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= 20:
        raise ClipassoError(f"seconds {text}: must be from 0.5 to 20 in the studio")
    return seconds


def _on_paper(asked: Asked) -> list[str]:
    return ["--paper", asked.get("paper", "a4")]


def _plot_words(asked: Asked) -> list[str]:
    pen = ["--pen", asked.get("pen", "0.5mm")]
    return ["plot", *_on_paper(asked), *pen, *(["--fill"] if "fill" in asked else [])]


def _brush_words(asked: Asked) -> list[str]:
    return ["style", "--brush", asked.get("brush", "ink")]


def _sized(words: list[str], asked: Asked) -> list[str]:
    return [*words, "--size", asked.get("size", "1024")]


def _moving_words(asked: Asked) -> list[str]:
    return ["animate", "--seconds", asked.get("seconds", "4")]


_Make = Callable[["Sketch", Asked], bytes]
_Words = Callable[[Asked], list[str]]

KINDS: dict[str, tuple[_Make, _Words]] = {
    "svg": (_svg, lambda asked: []),
    "png": (_exported("png"), lambda asked: _sized(["export"], asked)),
    "pdf": (_exported("pdf"), lambda asked: ["export", *_on_paper(asked)]),
    "json": (_exported("json"), lambda asked: ["export"]),
    "dxf": (_exported("dxf"), lambda asked: ["export"]),
    "brush-png": (_brushed("png"), lambda asked: _sized(_brush_words(asked), asked)),
    "brush-svg": (_brushed("svg"), _brush_words),
    **{f"moving-{kind}": (_moving(kind), _moving_words)
       for kind in ("svg", "gif", "webp", "html", "mp4")},
    **{f"plot-{kind}": (_plotted(kind), _plot_words) for kind in ("svg", "hpgl", "gcode")},
}  # fmt: skip
"""Kinds of files: what makes one, and the words of its command line."""
