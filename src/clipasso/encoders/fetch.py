"""Fetch weights from the model hub: what was interrupted goes on, and what came is checked.

The hub's own client begins anew after an interrupt. Here what has come stays beside where the hub's
cache will have it, and once its checksum is right the client finds a whole file in its cache.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from clipasso._locks import held
from clipasso.encoders.in_time import in_time
from clipasso.encoders.names import TIMM, hub_files
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from huggingface_hub.file_download import HfFileMetadata

__all__ = ["ASK_SECONDS", "Remote", "damaged", "fetch", "find_remote"]

ASK_SECONDS = 10.0
"""How long the hub may take to say what it has, where somebody asked for a download."""

_SHA256 = 64  # hexadecimal digits
_ELSEWHERE = "HF_HOME names another folder for weights"


@dataclass(frozen=True)
class Remote:
    """A file of weights on the hub.

    Attributes:
        title: the encoder's name and tag, for people.
        repository, file: where it is.
        size: bytes.
        sha256: its checksum, in hexadecimal digits.
    """

    title: str
    repository: str
    file: str
    size: int
    sha256: str

    @property
    def part(self) -> Path:
        """Where it lies until it is whole."""
        return self._blobs / f"{self.sha256}.incomplete"

    @property
    def blob(self) -> Path:
        """Where the hub's cache keeps it."""
        return self._blobs / self.sha256

    @property
    def here(self) -> int:
        """Bytes of it that are here from an earlier attempt."""
        try:
            size = self.part.stat().st_size
        except OSError:
            return 0
        return size if size <= self.size else 0

    @property
    def _blobs(self) -> Path:
        return _cache() / self._folder / "blobs"

    @property
    def _folder(self) -> str:
        from huggingface_hub.file_download import repo_folder_name

        return repo_folder_name(repo_id=self.repository, repo_type="model")

    @property
    def lock(self) -> Path:
        """The hub client's own lock on it."""
        return _cache() / ".locks" / self._folder / f"{self.sha256}.lock"


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def find_remote(architecture: str, tag: str, seconds: float | None = None) -> Remote:
    """Ask the hub what it has of these weights.

    Args:
        architecture, tag: as `split_name` returns them.
        seconds: how long to wait; `ASK_SECONDS` by default.

    Raises:
        ClipassoError: the hub does not answer, does not have them, or says no checksum.
    """
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.utils import EntryNotFoundError  # type: ignore[attr-defined]

    title = f"{TIMM}:{tag}" if architecture == TIMM else f"{architecture}:{tag}"
    if constants.HF_HUB_OFFLINE:
        raise ClipassoError(f"{title}: HF_HUB_OFFLINE is set, so the model hub is not asked")
    patience = ASK_SECONDS if seconds is None else seconds
    for repository, file in hub_files(architecture, tag):
        url = hf_hub_url(repository, file)
        try:
            found = in_time(partial(_ask, url), patience)
        except EntryNotFoundError:
            continue
        except Exception as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            said = "does not answer" if status is None else "does not give it"
            raise ClipassoError(
                f"{title}: the model hub {said} ({_line(error)}); a checkpoint can be given with "
                "--weights FILE"
            ) from None
        if found.size is None or len(found.etag or "") != _SHA256:
            raise ClipassoError(f"{title}: the model hub does not say its size and checksum")
        return Remote(title, repository, file, found.size, cast(str, found.etag))
    raise ClipassoError(
        f"{title}: the model hub does not have it; a checkpoint can be given with --weights FILE"
    )


def _ask(url: str, patience: float) -> HfFileMetadata:
    from huggingface_hub import get_hf_file_metadata

    return get_hf_file_metadata(url, timeout=patience)


def fetch(remote: Remote, on_bytes: Callable[[int], None] | None = None) -> Path:
    """Fetch a file into the hub's cache, going on where an earlier attempt ended.

    Args:
        on_bytes: called with the number of bytes that are here; without, the hub client shows a
            progress bar of its own.

    Returns:
        Where the cache has it.

    Raises:
        ClipassoError: the transfer broke off, there is no room or no permission, or the checksum is
            wrong (then nothing of it stays).
    """
    try:
        remote.part.parent.mkdir(parents=True, exist_ok=True)
        remote.lock.parent.mkdir(parents=True, exist_ok=True)
        with held(remote.lock):
            if not remote.blob.exists():
                _transfer(remote, on_bytes)
                if _sha256(remote.part) != remote.sha256:
                    remote.part.unlink()
                    raise ClipassoError(
                        f"{remote.title}: what came has another checksum than the model hub says; "
                        "it is removed, fetch it again"
                    )
                os.replace(remote.part, remote.blob)
    except OSError as error:
        raise _unwritable(remote, error) from None
    from huggingface_hub import hf_hub_download

    try:  # the client enters the file into its cache; there is nothing left to transfer
        return Path(hf_hub_download(remote.repository, remote.file))
    except Exception as error:
        raise ClipassoError(
            f"{remote.title}: fetched, but not entered into the cache ({_line(error)}); try again"
        ) from None


def damaged(path: Path) -> Path | None:
    """The file of the hub's cache behind `path` if it is not what its name says, else None.

    Files that have no checksum for a name, as in other caches, count as sound.
    """
    real = Path(os.path.realpath(path))
    named = len(real.name) == _SHA256 and not real.suffix
    return real if named and _sha256(real) != real.name else None


def _transfer(remote: Remote, on_bytes: Callable[[int], None] | None) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    have = remote.here
    free = shutil.disk_usage(remote.part.parent).free
    if free < remote.size - have:
        raise ClipassoError(
            f"{remote.part.parent}: {remote.title} needs {(remote.size - have) / 1e6:.0f} MB and "
            f"{free / 1e6:.0f} are free; make room, or {_ELSEWHERE}"
        )
    with remote.part.open("ab" if have else "wb") as file, _silent(bars=on_bytes is not None):
        sink = _Sink(file, remote, on_bytes or (lambda count: None))
        try:
            http_get(
                hf_hub_url(remote.repository, remote.file), cast(BinaryIO, sink), resume_size=have,
                headers=build_hf_headers(), expected_size=remote.size,
                displayed_filename=remote.title,
            )  # fmt: skip
        except ClipassoError:
            raise
        except Exception as error:  # the client's are of many kinds, and change with its version
            raise ClipassoError(
                f"{remote.title}: the transfer broke off at {file.tell() / 1e6:.0f} of "
                f"{remote.size / 1e6:.0f} MB ({_line(error)}); the same command goes on from there"
            ) from None


class _Sink:
    """The file that is written to: counts, and tells its own failures from the network's."""

    def __init__(self, file: BinaryIO, remote: Remote, on_bytes: Callable[[int], None]) -> None:
        self._file, self._remote, self._on_bytes = file, remote, on_bytes
        on_bytes(file.tell())

    def write(self, data: bytes) -> int:
        try:
            written = self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._remote, error) from None
        self._on_bytes(self._file.tell())
        return written

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _unwritable(remote: Remote, error: OSError) -> ClipassoError:
    return ClipassoError(
        f"{remote.part.parent}: {remote.title} cannot be written there "
        f"({error.strerror or error}); {_ELSEWHERE}"
    )


@contextmanager
def _silent(bars: bool) -> Iterator[None]:
    """Without the hub client's warnings of each new attempt, and without its progress bars.

    Args:
        bars: switch those off too.
    """
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    def drop(record: logging.LogRecord) -> bool:
        return False

    log = logging.getLogger("huggingface_hub.file_download")
    shown = bars and not are_progress_bars_disabled()
    log.addFilter(drop)
    if shown:
        disable_progress_bars()
    try:
        yield
    finally:
        log.removeFilter(drop)
        if shown:
            enable_progress_bars()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__
