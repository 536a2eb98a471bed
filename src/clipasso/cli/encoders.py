"""`clipasso encoders`."""

from __future__ import annotations

from typing import Annotated

import typer

from clipasso.cli.console import tell


def command(
    everything: Annotated[
        bool, typer.Option("--all", help="List all of open_clip's models with their tags instead.")
    ] = False,
) -> None:
    """List the encoders: which there are, their size, and whether their weights are here."""
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
        EMBEDDED: "the default where CLIP's weights cannot be had",
        PAPER: "the paper's loss; the default where its weights are here",
        SALIENCY: "the paper's saliency",
    }
    rows = [(EMBEDDED, "ImageNet", 3.4)]
    rows += [(name, "CLIP (OpenAI)", tower.parameters) for name, tower in CLIP_TOWERS.items()]
    for name, trained_on, parameters in rows:
        path = has_weights(name)
        here = f"here, {path.stat().st_size / 1e6:.0f} MB" if path else "not here"
        table.add_row(name, trained_on, f"{parameters:.1f} M", here, roles.get(name, ""))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(
        "\nCLIP's weights come from the model hub on first use, or from a checkpoint: "
        "--encoder RN101 --weights FILE\nOther CLIP towers: NAME:TAG, as in "
        "ViT-B-16:laion2b_s34b_b88k; `clipasso encoders --all` lists them.\nFor saliency also "
        "dino, or timm:NAME, a vision transformer of timm's.",
        highlight=False,
    )


def _list_all() -> None:
    import open_clip

    for name in open_clip.list_models():
        if tags := open_clip.list_pretrained_tags_by_model(name):
            tell(f"{name}  {' '.join(tags)}")
