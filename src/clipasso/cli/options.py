"""Options that several commands share, grouped by the paper's sections.

Those that are fields of `Settings` are made from what is told there (`with_settings`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from clipasso.errors import ClipassoError
from clipasso.settings import PANELS, PRESETS, Settings, about
from clipasso.settings.knob import bare, choices, option_name

__all__ = [
    "AllSeeds",
    "AsJson",
    "Checkpoint",
    "CheckpointEvery",
    "Debug",
    "Device",
    "Encoder",
    "Fit",
    "Force",
    "Freeze",
    "Init",
    "Mask",
    "MaskWeights",
    "Output",
    "OutputOrStdout",
    "Preset",
    "Preview",
    "Quiet",
    "Record",
    "Resume",
    "SaliencyEncoder",
    "SaliencyWeights",
    "SketchFile",
    "SkipExisting",
    "TimeLimit",
    "Together",
    "Weights",
    "Workers",
    "with_settings",
]  # fmt: skip

C = TypeVar("C", bound=Callable[..., Any])

_FILES = "Files"
_LOSS, _STEPS, _START = PANELS["loss"], PANELS["steps"], PANELS["start"]
_BACKGROUND = PANELS["background"]
_ORDER = (None, _FILES, *PANELS.values())  # of the help's panels


def _whole(panel: str, help_: str, metavar: str = "N") -> Any:
    return Annotated[int | None, typer.Option(help=help_, metavar=metavar, rich_help_panel=panel)]


def _word(panel: str, help_: str, metavar: str) -> Any:
    return Annotated[str | None, typer.Option(help=help_, metavar=metavar, rich_help_panel=panel)]


def _file(panel: str, help_: str) -> Any:
    return Annotated[Path | None, typer.Option(help=help_, metavar="FILE", rich_help_panel=panel)]


def _flag(help_: str, *names: str) -> Any:
    return Annotated[bool, typer.Option(*names, help=help_, rich_help_panel=_FILES)]


SketchFile = Annotated[
    Path,
    typer.Argument(metavar="SKETCH.svg", help="A sketch, ours or not; - for standard input."),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", help="Folder for the results; made if missing.", metavar="DIR",
        rich_help_panel=_FILES,
    ),
]  # fmt: skip
OutputOrStdout = Annotated[
    Path,
    typer.Option(
        "-o", "--output", metavar="DIR|FILE.svg", rich_help_panel=_FILES,
        help="Folder for the results, made if missing, or the SVG of the only photo; - for "
        "standard output.",
    ),
]  # fmt: skip
AllSeeds = _flag("Write the other seeds' sketches too.", "--all-seeds")
Debug = _flag("Write mask, candidates and scores, saliency, first points and strokes.", "--debug")
Force = _flag("Overwrite existing results.", "--force")
SkipExisting = _flag("Pass over photos whose SVG exists already.", "--skip-existing")
Preview = _file(
    _FILES,
    "An SVG file that shows the sketch while it is made: the first strokes at once, then the best "
    "seed's every half second, in the end the result. It follows the photo in work.",
)
Record = _file(
    _FILES,
    "An SVG, HTML, GIF, WebP or MP4 file that shows how the sketch came about: the strokes on "
    "their way (figure 7). Of several photos, one each: NAME in its name is the photo's.",
)
Checkpoint = _file(
    _FILES,
    "A file that keeps the state of one sketch while it is made, for --resume; removed once the "
    "result is written.",
)
CheckpointEvery = _whole(_FILES, "Steps from one checkpoint to the next (50).")
Resume = _file(
    _FILES,
    "A checkpoint to go on from, with all other options as they were: the result is that of an "
    "uninterrupted run.",
)
Quiet = _flag("Print nothing but errors and warnings.", "--quiet", "-q")
AsJson = _flag("Print each result's report as one line of JSON.", "--json")

Encoder = _word(
    _LOSS,
    "auto, efficientnet-lite0, RN101, RN50, ViT-B-32, ViT-B-16 or any of open_clip's models with "
    "its tag, as ViT-B-16:laion2b_s34b_b88k; auto is RN101 where its weights are here or a GPU is, "
    "else efficientnet-lite0; see `clipasso encoders` (auto).",
    "NAME[:TAG]",
)
Weights = _file(_LOSS, "A local checkpoint for the encoder.")
Together = _whole(
    _STEPS,
    "Photos optimised in one batch: the same sketches, sooner on a GPU (8 on CUDA, else 1).",
)
TimeLimit = Annotated[
    str | None,
    typer.Option(
        "--time",
        help="End in time, as 10s, 90, 2m or 1m30s, counted from the command's start and for all "
        "photos together: seeds and steps are chosen to fit. --seeds stays if it is given, and "
        "--iterations is the most.",
        metavar="TIME", rich_help_panel=_STEPS,
    ),
]  # fmt: skip


def _known_workers(value: str) -> str:
    if value != "auto" and not (value.isdecimal() and int(value)):
        raise ClipassoError(f"--workers {value}: give auto, or a number from 1")
    return value


Workers = Annotated[
    str,
    typer.Option(
        help="Processes that make several sketches at once, each with its share of the cores: auto "
        "is one a core, as far as memory allows, and 1 on a GPU or where it is not worth it.",
        metavar="auto|N", callback=_known_workers, rich_help_panel=_STEPS,
    ),
]  # fmt: skip
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps.", metavar="NAME", rich_help_panel=_STEPS)
]

Init = _word(
    _START,
    "vit+xdog (saliency x edges), vit (saliency alone), random, or an SVG sketch to start from; "
    "its strokes are kept, dropped or added to until there are --strokes (vit+xdog).",
    "NAME|SKETCH.svg",
)
Freeze = Annotated[
    str,
    typer.Option(
        help="Strokes of --init SKETCH.svg that stay as they are: all, or numbers as in 1-4,7.",
        metavar="WHICH", rich_help_panel=_START,
    ),
]  # fmt: skip
SaliencyEncoder = _word(
    _START,
    "The encoder whose saliency is taken; dino is one too (ViT-B-32 for CLIP, else the encoder).",
    "NAME[:TAG]",
)
SaliencyWeights = _file(_START, "A local checkpoint for that one.")
Mask = Annotated[
    str,
    typer.Option(
        help="Remove the background: auto (transparency if there is any; nothing of a line "
        "drawing; where the border is uniform nothing, or if it is dark what stands out from it; "
        "U2-Net if its weights are here; else the small U2-Net that is built in, or GrabCut where "
        "that finds much more), alpha, u2net, u2netp, grabcut, none, or a picture that is white "
        "where the object is (- from standard input).",
        metavar="NAME|FILE", rich_help_panel=_BACKGROUND,
    ),
]  # fmt: skip
MaskWeights = _file(_BACKGROUND, "A local U2-Net in ONNX format.")


def _known_fit(value: str) -> str:
    from clipasso.photo.canvas import check_fit

    return check_fit(value)


Fit = Annotated[
    str,
    typer.Option(
        help="Photos that are not square: pad (with white), crop or stretch.", metavar="NAME",
        callback=_known_fit, rich_help_panel=_BACKGROUND,
    ),
]  # fmt: skip


Preset = Annotated[
    str,
    typer.Option(
        help="default; fine, twice the steps; paper, with every value of the paper; draft, quick "
        "and rough.",
        metavar="NAME", rich_help_panel=_STEPS,
    ),
]  # fmt: skip


def with_settings(*names: str, draw: bool = False) -> Callable[[C], C]:
    """Give a command an option for each setting that has a place on the command line.

    The command takes them as `**settings`: by name, None where an option was not given.

    Args:
        names: of `Settings`' fields; all by default.
        draw: only those that `clipasso draw` has, with its defaults.
    """

    def decorate(command: C) -> C:
        own = inspect.signature(command, eval_str=True)
        rest = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        made = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name, draw)
            )
            for name, (_, told) in about().items()
            if told.panel and (name in names or not names) and (told.draw or not draw)
        ]
        ordered = sorted([*rest, *made], key=_panel)  # stable: a command's own come first
        arguments = [p.replace(kind=p.KEYWORD_ONLY) for p in ordered]

        @functools.wraps(command)
        def wrapped(*given: Any, **options: Any) -> Any:
            return command(*given, **options)

        wrapped.__signature__ = own.replace(parameters=arguments)  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return decorate


def _panel(parameter: inspect.Parameter) -> int:
    """Where its panel stands in the help; what has none, arguments among them, comes first."""
    told = [m for m in getattr(parameter.annotation, "__metadata__", ()) if hasattr(m, "help")]
    panel = getattr(told[0], "rich_help_panel", None) if told else None
    return _ORDER.index(panel) if panel in _ORDER else 0


def _option(name: str, draw: bool) -> Any:
    """A setting's option, from what `Settings` tells of it."""
    kind, told = about()[name]
    words = choices(kind)
    plain = str if words else bare(kind)
    metavar = "|".join(words) or _METAVARS.get(plain)
    if told.words and not draw:
        plain, metavar = str, "|".join([str(metavar), *told.words])
    option = typer.Option(
        *([f"--{option_name(name)}"] if plain is bool else []),
        help=f"{told.help.removesuffix('.')}{_defaults(name, draw)}.",
        metavar=metavar,
        rich_help_panel=PANELS[told.panel],
    )
    return Annotated[plain | None, option]


_METAVARS: dict[type, str] = {int: "N", float: "X", str: "TEXT"}


def _defaults(name: str, draw: bool) -> str:
    """The default and, where it is another, the paper's value, as the help ends with them."""
    preset = PRESETS["clipdraw" if draw else "default"]
    default = preset.get(name, getattr(Settings, name))
    if default is None or default == "" or default is False:
        return ""
    paper = default if draw else PRESETS["paper"].get(name, default)
    values = _shown(default) if paper == default else f"{_shown(default)}; paper: {_shown(paper)}"
    return f" ({values})"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
