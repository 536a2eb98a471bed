"""Lay panels out on one sheet, and write it as PNG and PDF."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.figures.panels import caption, draw_panel
from clipasso.figures.plan import Block, Cell, Figure, Row
from clipasso.pipeline.grid import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from clipasso.pipeline.archive import Kept

__all__ = ["draw_sheet", "encode_sheet", "load_plotter"]

# Inches, and points for type.
_SIDE, _GAP, _MARGIN = 1.45, 0.09, 0.14
_TITLES, _ABOVE, _CAPTION, _BLOCK, _LABEL = 0.17, 0.06, 0.09, 0.12, 0.2
_LINE, _PLOT, _NARROWEST = 0.125, 1.55, 3.6
_BIG, _MIDDLE, _SMALL, _TINY = 9.0, 6.8, 6.2, 5.0
_GREY, _FRAME, _BLUE = "0.35", "0.82", "#1f5fd0"
_CURVES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_DPI = 220


def load_plotter() -> None:
    """Import matplotlib, so that what stands against it is seen before hours of runs.

    Raises:
        ClipassoError: it has no folder for its own files.
    """
    try:
        import matplotlib  # noqa: F401
    except OSError:
        raise ClipassoError(
            "figure: matplotlib finds no folder that it can write to; "
            "name one in the environment variable MPLCONFIGDIR"
        ) from None


class _Sheet:
    """A page measured in inches from its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Page

        self.width, self.height = width, height
        self.page = Page(figsize=(width, height), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(self.page)

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        return self.page.add_axes((
            left / self.width, 1 - (top + height) / self.height,
            width / self.width, height / self.height,
        ))  # fmt: skip

    def write(self, x: float, y: float, text: str, size: float, **look: Any) -> None:
        look = {"va": "top", "ha": "left", **look}
        self.page.text(
            x / self.width, 1 - y / self.height, text, fontsize=size, parse_math=False, **look
        )


def draw_sheet(
    figure: Figure, blocks: Sequence[Block], kept: Mapping[Run, Kept | str], footer: str
) -> Canvas:
    """The sheet of a figure.

    Args:
        figure: its name and sentence stand on top.
        blocks: rows of panels.
        kept: what was made of each run, or in words why it was not.
        footer: how all of it was made.
    """
    columns = max(len(row.cells) for block in blocks for row in block.rows)
    beside = any(row.label and row.cells[0] for block in blocks for row in block.rows)
    labels = _LABEL if beside else 0.0
    width = 2 * _MARGIN + labels + columns * (_SIDE + _GAP) - _GAP
    width = max(width, _NARROWEST)
    fits = (width - 2 * _MARGIN) * 72 / (0.5 * _SMALL)
    above = textwrap.wrap(f"{figure.sentence}", int(fits))
    below = textwrap.wrap(footer, int(fits * _SMALL / _TINY))
    top = _MARGIN + 0.2 + len(above) * _LINE + 0.1
    heights = [_block_height(block, kept, figure.comparable) for block in blocks]
    height = top + sum(heights) + _BLOCK * (len(blocks) - 1) + 0.06 + len(below) * 0.1 + _MARGIN
    sheet = _Sheet(width, height)

    title = f"{figure.title} (after {figure.paper} of the paper)"
    sheet.write(_MARGIN, _MARGIN, title, _BIG, weight="bold")
    for k, line in enumerate(above):
        sheet.write(_MARGIN, _MARGIN + 0.2 + k * _LINE, line, _SMALL, color=_GREY)
    y = top
    for block, tall in zip(blocks, heights, strict=True):
        _draw_block(sheet, block, kept, y, _MARGIN + labels, figure.comparable)
        y += tall + _BLOCK
    y += 0.06 - _BLOCK
    for k, line in enumerate(below):
        sheet.write(_MARGIN, y + k * 0.1, line, _TINY, color=_GREY)
    return sheet.page


def encode_sheet(page: Canvas) -> dict[str, bytes]:
    """The sheet as `png` and `pdf` files' bytes, without dates: the same sheet, the same bytes."""
    import matplotlib

    files = {}
    dates = {"png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}}
    with warnings.catch_warnings(), matplotlib.rc_context({"pdf.fonttype": 42}):
        warnings.filterwarnings("ignore", "Glyph")  # a file's name in a script the font lacks
        for kind, metadata in dates.items():
            buffer = io.BytesIO()
            page.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
            files[kind] = buffer.getvalue()
    return files


def _draw_block(
    sheet: _Sheet, block: Block, kept: Mapping[Run, Kept | str], y: float, left: float,
    comparable: bool,
) -> None:  # fmt: skip
    titles: tuple[str, ...] = ()
    for row in block.rows:
        if _new_titles(row, titles):
            y += _ABOVE if titles else 0.0
            titles = row.titles
            for k, title in enumerate(titles):
                middle = left + k * (_SIDE + _GAP) + _SIDE / 2
                sheet.write(middle, y, title, _MIDDLE, ha="center")
            y += _TITLES
        tall = _row_height(row, kept)
        if row.label:
            beside = row.cells[0] is not None
            x, turn = (left - 0.06, 90) if beside else (left + _SIDE - 0.06, 0)
            sheet.write(x, y + tall / 2, row.label, _MIDDLE, rotation=turn, ha="right", va="center")
        for k, cell in enumerate(row.cells):
            if cell is not None:
                x = left + k * (_SIDE + _GAP)
                _draw_cell(sheet, cell, kept[cell.run], x, y, tall, comparable)
        y += tall + _caption_height(row, kept, comparable)
    if block.curves:
        width = len(block.rows[0].cells) * (_SIDE + _GAP) - _GAP
        _draw_curves(sheet, block, kept, (left, y + 0.05, width))


def _draw_cell(
    sheet: _Sheet, cell: Cell, kept: Kept | str, x: float, y: float, tall: float, comparable: bool
) -> None:
    wide, high = _size(kept) if not isinstance(kept, str) else (_SIDE, tall)
    axes = sheet.axes(x + (_SIDE - wide) / 2, y + (tall - high) / 2, wide, high)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=_BLUE if cell.marked else _FRAME, linewidth=1.4 if cell.marked else 0.5)
    if isinstance(kept, str):
        reason = "\n".join(textwrap.wrap(kept, 34))
        axes.text(
            0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", fontsize=_TINY,
            color=_GREY, parse_math=False,
        )  # fmt: skip
    else:
        draw_panel(axes, cell, kept)
    for k, line in enumerate(_caption(cell, kept, comparable)):
        sheet.write(
            x + _SIDE / 2, y + tall + 0.035 + _CAPTION * k, _shortened(line), _TINY, ha="center",
            color=_GREY,
        )  # fmt: skip


def _draw_curves(
    sheet: _Sheet, block: Block, kept: Mapping[Run, Kept | str], at: tuple[float, float, float]
) -> None:
    """Evaluation loss against steps: the winner's line, other seeds' thin."""
    left, top, width = at
    axes = sheet.axes(left + 0.3, top, width - 0.3, _PLOT - 0.38)
    for (label, run), color in zip(block.curves, _CURVES, strict=False):
        found = kept[run]
        if isinstance(found, str):
            continue
        steps, losses = found.curve
        axes.plot(steps, losses[:, 0], color=color, linewidth=1.2, label=label)
        axes.plot(steps, losses[:, 1:], color=color, linewidth=0.5, alpha=0.45)
    axes.tick_params(labelsize=_TINY, width=0.5, length=2, pad=2)
    axes.set_xlabel("step", fontsize=_SMALL, labelpad=1)
    axes.set_ylabel("loss", fontsize=_SMALL, labelpad=2)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.5)
    axes.legend(fontsize=_SMALL, frameon=False, loc="upper right")


def _block_height(block: Block, kept: Mapping[Run, Kept | str], comparable: bool) -> float:
    height = 0.0
    titles: tuple[str, ...] = ()
    for row in block.rows:
        if _new_titles(row, titles):
            height += _TITLES + (_ABOVE if titles else 0.0)
            titles = row.titles
        height += _row_height(row, kept) + _caption_height(row, kept, comparable)
    return height + (_PLOT if block.curves else 0.0)


def _new_titles(row: Row, before: tuple[str, ...]) -> bool:
    return any(row.titles) and row.titles != before


def _row_height(row: Row, kept: Mapping[Run, Kept | str]) -> float:
    """As high as the highest of its photos, whose longer side is a panel's."""
    sizes = [
        _size(found)[1]
        for cell in row.cells
        if cell is not None and not isinstance(found := kept[cell.run], str)
    ]
    return max(sizes, default=_SIDE)


def _caption(cell: Cell, kept: Kept | str, comparable: bool) -> list[str]:
    if isinstance(kept, str):
        return ["not made"]
    return [line for line in caption(cell, kept, comparable) if line]


def _caption_height(row: Row, kept: Mapping[Run, Kept | str], comparable: bool) -> float:
    lines = [_caption(cell, kept[cell.run], comparable) for cell in row.cells if cell is not None]
    return 0.09 + _CAPTION * max(map(len, lines))


def _size(kept: Kept) -> tuple[float, float]:
    """Width and height of a panel of a photo's proportions, inches."""
    frame = kept.frame
    longer = max(frame.width, frame.height)
    return _SIDE * frame.width / longer, _SIDE * frame.height / longer


def _shortened(line: str, longest: int = 46) -> str:
    return line if len(line) <= longest else f"{line[: longest - 16]}...{line[-13:]}"
