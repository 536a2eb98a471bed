"""The command line that makes the same as a click did."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from clipasso.cli.ladder import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipasso.settings import Settings

__all__ = ["ladder_command", "sketch_command"]


def sketch_command(
    photo: str, settings: Settings, preset: str, encoder: str, mask: str, *, init: str = "",
    freeze: str = "", all_seeds: bool = False,
) -> str:  # fmt: skip
    """`clipasso sketch` with every option that differs from the preset's.

    Args:
        photo, init: names of files.
        mask: a name, or that of a file.
    """
    words = ["clipasso", "sketch", photo]
    words += ["--init", init] if init else []
    words += ["--freeze", freeze] if freeze else []
    words += [*_settings(settings, preset, encoder, always=("strokes",)), *_mask(mask)]
    return shlex.join([*words, "--all-seeds"] if all_seeds else words)


def ladder_command(
    photo: str, levels: Sequence[int], settings: Settings, preset: str, encoder: str, mask: str,
    init: str,
) -> str:  # fmt: skip
    """`clipasso ladder`, likewise."""
    words = ["clipasso", "ladder", photo, "--init", init, "--strokes", ",".join(map(str, levels))]
    own = _settings(settings, preset, encoder, only=SETTINGS)
    return shlex.join([*words, *own, *_mask(mask)])


def _mask(mask: str) -> list[str]:
    return [] if mask == "auto" else ["--mask", mask]


def _settings(
    settings: Settings, preset: str, encoder: str, always: Sequence[str] = (),
    only: Sequence[str] = (),
) -> list[str]:  # fmt: skip
    from clipasso.settings import about, make_settings

    usual, preferred = make_settings(preset)
    words = [] if preset == "default" else ["--preset", preset]
    words += [] if encoder == preferred else ["--encoder", encoder]
    for name, (_, told) in about().items():
        value = getattr(settings, name)
        if not told.panel or (only and name not in only) or value is None:
            continue
        if name in always or value != getattr(usual, name):
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            words += [f"--{name.replace('_', '-')}", shown]
    return words
