"""Where weights are: in the local caches, on the model hub, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from clipasso._caches import home
from clipasso.encoders.in_time import in_time
from clipasso.encoders.names import hub_files

__all__ = ["ANSWER_SECONDS", "cached_weights", "download_weights", "hub_answers", "url_answers"]

ANSWER_SECONDS = 3.0
"""How long the hub may take to answer before it counts as out of reach."""


def cached_weights(architecture: str, tag: str) -> Path | None:
    """Weights that are on this machine already; no network is touched.

    Looks into the hub's cache and into the folder where OpenAI's own loader keeps its files.
    """
    from huggingface_hub import try_to_load_from_cache

    for repository, name in hub_files(architecture, tag):
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    at_home = home()
    if tag != "openai" or at_home is None:
        return None
    own = Path(at_home, ".cache", "clip", f"{architecture}.pt")
    return own if os.path.isfile(own) else None  # pathlib's raises where a home may not be entered


def hub_answers(architecture: str, tag: str, seconds: float | None = None) -> bool:
    """Whether the hub has these weights and says so in time.

    Args:
        seconds: how long to wait; `ANSWER_SECONDS` by default.
    """

    def ask(patience: float) -> bool:
        from huggingface_hub import HfApi
        from huggingface_hub.constants import HF_HUB_OFFLINE

        files = hub_files(architecture, tag)
        if HF_HUB_OFFLINE or not files:
            return False
        HfApi().model_info(files[0][0], timeout=patience)
        return True

    return _in_time(ask, seconds)


def url_answers(url: str, seconds: float | None = None) -> bool:
    """Whether a file's server has it and says so in time."""

    def ask(patience: float) -> bool:
        from urllib.request import Request, urlopen

        with urlopen(Request(url, method="HEAD"), timeout=patience) as reply:
            return bool(reply.status == 200)

    return _in_time(ask, seconds)


def _in_time(ask: Callable[[float], bool], seconds: float | None) -> bool:
    """Whether a question is answered with yes in time; any failure is a no."""
    try:
        return in_time(ask, ANSWER_SECONDS if seconds is None else seconds)
    except Exception:  # whatever goes wrong, the weights cannot be had
        return False


def download_weights(architecture: str, tag: str) -> Path:
    """Fetch weights into the hub's cache, with the hub client's own progress bar.

    Raises:
        ClipassoError: they could not be fetched.
    """
    from clipasso.encoders.fetch import fetch, find_remote

    return fetch(find_remote(architecture, tag))
