"""Where caches may live: compiled kernels, fetched weights, matplotlib's list of fonts.

Libraries keep what they want to find again below the home folder. A container, a service or a
read-only installation may have no home that serves: some libraries then stop with a traceback,
others make a folder named `~` where the program happens to stand. `settle` sends each cache that
has no place to a folder of this user's own among the temporary files, by the environment variable
that its library listens to, and leaves alone what works and what somebody has chosen.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from functools import cache

__all__ = ["home", "kernel_folder", "private_folder", "settle"]

_NOWHERE = os.path.join(os.devnull, "clipasso")  # nothing can be kept below it, nothing be found
_VARIABLES = (
    "HF_HOME", "HF_HUB_CACHE", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "REMBG_HOME", "TORCH_HOME",
    "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TRITON_HOME", "U2NET_HOME", "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME", "XDG_DATA_HOME",
)  # fmt: skip


def home() -> str | None:
    """This user's home folder, which need not exist.

    Returns:
        A full path; None where HOME is unset and the user has no entry, or HOME is no full path.
    """
    folder = os.path.expanduser("~")
    return folder if os.path.isabs(folder) else None


def settle() -> None:
    """Send every cache that has no usable place to `private_folder`, or nowhere without one.

    Call it before the libraries are imported: most read their variables only then. Where there is
    a home that can be written to it only clears up variables that are empty or begin with `~`.
    """
    if os.name != "posix":  # Windows gives every user a profile folder
        return
    for variable in filter(os.environ.__contains__, _VARIABLES):
        _clear_up(variable)
    at_home = home() or _NOWHERE
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(at_home, ".cache")
    if not _readable(caches) and not _writable(caches):
        caches = _send("XDG_CACHE_HOME", "")
    _settle_weights(at_home, caches)
    _settle_matplotlib(at_home, caches)
    _settle_torch(at_home, caches)
    _settle_numba(at_home, caches)


def kernel_folder() -> str | None:
    """The folder below which numba keeps the code of kernels, once caches are settled.

    Returns:
        None where it cannot be told or nothing can be kept.
    """
    told = os.environ.get("NUMBA_CACHE_DIR")
    if told:
        return told if _writable(told) else None
    if os.name != "posix":
        return None
    at_home = home() or _NOWHERE
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(at_home, ".cache")
    return next(filter(_writable, _kernel_folders(at_home, caches)), None)


def _settle_weights(at_home: str, caches: str) -> None:
    """Weights may lie where they can be read only: such a folder stays."""
    for variable, folder in (("HF_HOME", "huggingface"), ("TORCH_HOME", "torch")):
        usual = os.path.join(caches, folder)
        if not _told(variable) and not _readable(usual) and not _writable(usual):
            _send(variable, folder)
    if _told("U2NET_HOME", "REMBG_HOME"):
        return
    data = os.environ.get("XDG_DATA_HOME")
    newer = os.path.join(data, "rembg") if data else os.path.join(at_home, ".rembg")
    older = os.path.join(data or at_home, ".u2net")
    if not _readable(newer) and not _readable(older) and not _writable(newer):
        _send("U2NET_HOME", "u2net")


def _settle_matplotlib(at_home: str, caches: str) -> None:
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(at_home, ".config")
    folders = [os.path.join(caches, "matplotlib"), os.path.join(settings, "matplotlib")]
    if not sys.platform.startswith(("linux", "freebsd")):
        folders = [os.path.join(at_home, ".matplotlib")]
    if not _told("MPLCONFIGDIR") and not all(map(_writable, folders)):
        _send("MPLCONFIGDIR", "matplotlib")


def _settle_torch(at_home: str, caches: str) -> None:
    """Triton keeps what it compiled at home, torch's compiler among the temporary files."""
    kernels = os.path.join(at_home, ".triton", "cache")
    if not _told("TRITON_CACHE_DIR", "TRITON_HOME") and not _writable(kernels):
        _send("TRITON_CACHE_DIR", "triton")
    if _temporary() is None and "dill" not in sys.modules:
        # Torch imports it if it is there, and it asks for a temporary folder on import.
        sys.modules["dill"] = None  # type: ignore[assignment]
    if not _told("TORCHINDUCTOR_CACHE_DIR") and _temporary() is None:
        # It makes the folder on import, though it compiles nothing here: any that exists will do.
        folder = os.path.join(caches, "torchinductor")
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder if _writable(folder) else os.sep


def _told(*variables: str) -> bool:
    return any(map(os.environ.get, variables))


def _clear_up(variable: str) -> None:
    """Expand a `~`, which not every library does; empty, some take it for the working folder."""
    value = os.path.expanduser(os.environ[variable])
    if not value or value.startswith("~"):  # it asks for a home that is not there
        del os.environ[variable]
    else:
        os.environ[variable] = value


def _settle_numba(at_home: str, caches: str) -> None:
    """numba looks where it is told, then beside the source, then into the user's caches."""
    beside, wide = _kernel_folders(at_home, caches)
    told = os.environ.get("NUMBA_CACHE_DIR", _NOWHERE)
    if _writable(told) or _writable(beside) or (_writable(wide) and _trusted(wide)):
        return
    folder = _send("NUMBA_CACHE_DIR", "numba")
    if "numba" in sys.modules:  # imported before us, it has read its variables already
        sys.modules["numba"].config.CACHE_DIR = folder


def _kernel_folders(at_home: str, caches: str) -> tuple[str, str]:
    wide = os.path.join(caches, "numba")
    if sys.platform == "darwin":
        wide = os.path.join(at_home, "Library", "Caches", "numba")
    return os.path.join(os.path.dirname(__file__), "raster", "__pycache__"), wide


@cache
def private_folder() -> str | None:
    """A temporary folder that nobody but this user can write to, the same in every run.

    Machine code is loaded from it, so a folder of that name that somebody else made or could
    write to is not taken; a fresh one is, which goes when the program ends.

    Returns:
        None where there is no temporary folder.
    """
    parent = _temporary()
    if parent is None:
        return None
    folder = os.path.join(parent, f"clipasso-{os.geteuid()}")
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        status = os.lstat(folder)  # not through a link, which anybody can make
        own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        if own and not status.st_mode & 0o022 and _writable(folder):
            return folder
        import tempfile

        folder = tempfile.mkdtemp(prefix="clipasso-", dir=parent)
    except OSError:
        return None
    import atexit
    import shutil

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _temporary() -> str | None:
    """The folder for temporary files; the working folder, Python's last resort, is none."""
    told = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    folders = (*filter(os.path.isabs, told), "/tmp", "/var/tmp", "/usr/tmp")
    return next((f for f in folders if os.path.isdir(f) and _writable(f)), None)


def _send(variable: str, folder: str) -> str:
    """Send a cache to its folder in the private one."""
    import logging  # not before there is something to say

    place = os.path.join(private_folder() or _NOWHERE, folder).rstrip(os.sep)
    os.environ[variable] = place
    logging.getLogger(__name__).debug("%s=%s: its usual place cannot be used", variable, place)
    return place


def _readable(folder: str) -> bool:
    return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)


def _writable(folder: str) -> bool:
    """Whether files can be kept in a folder, which may have to be made first."""
    place = _nearest(folder)
    return os.path.isdir(place) and os.access(place, os.R_OK | os.W_OK | os.X_OK)


def _trusted(folder: str) -> bool:
    """Whether a folder, or where it would be made, is ours or root's, and not everybody's.

    With HOME=/tmp somebody else may have made `.cache` there.
    """
    status = os.stat(_nearest(folder))
    shared = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    return status.st_uid in (0, os.geteuid()) and not shared


def _nearest(folder: str) -> str:
    """The folder, or the nearest of those above it that is there."""
    while not os.path.lexists(folder) and folder != os.curdir:
        folder = os.path.dirname(folder) or os.curdir
    return folder
