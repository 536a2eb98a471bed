"""Where CLIP's weights are: in the local caches, on the model hub, or nowhere."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from clipasso.encoders import CLIP_TOWERS
from clipasso.errors import ClipassoError

__all__ = ["ANSWER_SECONDS", "cached_weights", "download_weights", "hub_answers"]

ANSWER_SECONDS = 3.0
"""How long the hub may take to answer before it counts as out of reach."""


def _hub_files(architecture: str, tag: str) -> list[tuple[str, str]]:
    """(repository, file) pairs on the hub, the preferred first."""
    if tag == "openai":
        repository, filename = CLIP_TOWERS[architecture].repository, ""
    else:
        import open_clip

        config: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
        repository, filename = os.path.split(config.get("hf_hub", ""))
    if not repository:
        return []
    names = (
        [filename] if filename else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    )
    return [(repository, name) for name in names]


def cached_weights(architecture: str, tag: str) -> Path | None:
    """Weights that are on this machine already; no network is touched.

    Looks into the hub's cache and into the folder where OpenAI's own loader keeps its files.
    """
    from huggingface_hub import try_to_load_from_cache

    for repository, name in _hub_files(architecture, tag):
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    own = Path.home() / ".cache" / "clip" / f"{architecture}.pt"
    return own if tag == "openai" and own.is_file() else None


def hub_answers(architecture: str, tag: str, seconds: float | None = None) -> bool:
    """Whether the hub has these weights and says so in time.

    A thread does the asking: name resolution alone can hang for longer than any socket timeout.

    Args:
        seconds: how long to wait; `ANSWER_SECONDS` by default.
    """
    patience = ANSWER_SECONDS if seconds is None else seconds
    answered: list[bool] = []

    def ask() -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.constants import HF_HUB_OFFLINE

        files = _hub_files(architecture, tag)
        if HF_HUB_OFFLINE or not files:
            return
        try:
            HfApi().model_info(files[0][0], timeout=patience)
        except Exception:  # whatever went wrong, the weights cannot be had
            return
        answered.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return bool(answered)


def download_weights(architecture: str, tag: str) -> Path:
    """Fetch weights into the hub's cache, with the hub client's own progress bar.

    Raises:
        ClipassoError: none of the files could be fetched.
    """
    from huggingface_hub import hf_hub_download

    reason = "it is not listed there"
    for repository, name in _hub_files(architecture, tag):
        try:
            return Path(hf_hub_download(repository, name))
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise ClipassoError(
        f"{architecture}:{tag}: the model hub did not deliver it ({reason}); "
        "give a checkpoint with --weights FILE"
    )
