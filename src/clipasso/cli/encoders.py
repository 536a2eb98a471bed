"""`clipasso encoders`."""

from __future__ import annotations

from typing import Annotated

import typer

from clipasso.cli.console import tell
from clipasso.errors import ClipassoError


def command(
    everything: Annotated[
        bool, typer.Option("--all", help="List all of open_clip's models with their tags instead.")
    ] = False,
    get: Annotated[
        list[str] | None,
        typer.Option(
            "--get", metavar="NAME[:TAG]",
            help="Fetch an encoder's weights from the model hub, so that they are here when they "
            "are needed; goes on where an interrupted download ended, and checks what came. May be "
            "given several times.",
        ),
    ] = None,
) -> None:  # fmt: skip
    """List the encoders: which there are, their size, and whether their weights are here.

    Examples:

      clipasso encoders

      clipasso encoders --get RN101 --get ViT-B-32
    """
    if get and everything:
        raise ClipassoError("--all and --get: give one of them")
    if get:
        from clipasso.cli.fetching import get as get_weights

        get_weights(get)
        return
    if everything:
        _list_all()
        return
    from rich.console import Console
    from rich.table import Table

    from clipasso.encoders import CLIP_TOWERS, EMBEDDED, PAPER, SALIENCY, has_weights

    table = Table(box=None, pad_edge=False)
    for heading in ("encoder", "trained on", "parameters", "weights", "role"):
        table.add_column(heading)
    roles = {
        EMBEDDED: "the default where CLIP's weights are not here and no GPU is",
        PAPER: "the paper's loss; the default where its weights are here",
        SALIENCY: "the paper's saliency",
    }
    rows = [(EMBEDDED, "ImageNet", 3.4)]
    rows += [(name, "CLIP (OpenAI)", tower.parameters) for name, tower in CLIP_TOWERS.items()]
    for name, trained_on, parameters in rows:
        path = has_weights(name)
        to_fetch = f"not here, about {CLIP_TOWERS[name].megabytes:.0f} MB" if not path else ""
        here = f"here, {path.stat().st_size / 1e6:.0f} MB" if path else to_fetch
        table.add_row(name, trained_on, f"{parameters:.1f} M", here, roles.get(name, ""))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(
        "\nCLIP's weights come from the model hub, with `clipasso encoders --get RN101` or when the"
        "\nencoder is first asked for by name, or from a checkpoint: --encoder RN101 --weights FILE"
        "\nOther CLIP towers: NAME:TAG, as in "
        "ViT-B-16:laion2b_s34b_b88k; `clipasso encoders --all` lists them.\nFor saliency also "
        "dino, or timm:NAME, a vision transformer of timm's.",
        highlight=False,
    )


def _list_all() -> None:
    import open_clip

    for name in open_clip.list_models():
        if tags := open_clip.list_pretrained_tags_by_model(name):
            tell(f"{name}  {' '.join(tags)}")
