"""`clipasso encoders`."""

from __future__ import annotations


def command() -> None:
    """List the encoders: which there are, their size, and whether their weights are here."""
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
        "--encoder RN101 --weights FILE\nOther training sets of the CLIP towers: "
        "NAME:TAG with open_clip's tag, as in ViT-B-32:laion2b_s34b_b79k",
        highlight=False,
    )
