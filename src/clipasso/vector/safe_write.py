"""Write files whole or not at all, and never over what is being read."""

from __future__ import annotations

import errno
import logging
import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from clipasso.errors import ClipassoError

__all__ = [
    "check_names",
    "exists",
    "keep_apart",
    "prepare_folder",
    "refuse_existing",
    "temporary_files",
    "write_atomically",
]

_log = logging.getLogger(__name__)

_PREFIX = ".clipasso-"  # of temporary names: short, since the file's own may be as long as allowed
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def write_atomically(
    path: str | os.PathLike[str], data: str | bytes, *, replace: bool = True
) -> None:
    """Write under a temporary name in the same folder, then move into place.

    An interrupted or failed write leaves what was there before, and no temporary file. A device,
    pipe or socket is written into.

    Args:
        path: through a link, not over it.
        replace: whether a file that is there is replaced; else it stays and this is an error, even
            if another program has just made it.

    Raises:
        ClipassoError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    content = data.encode() if isinstance(data, str) else data
    temporary = None
    try:
        if _is_no_file(target):
            with target.open("wb", buffering=0) as sink:
                _write_all(sink.fileno(), content)
            return
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=_PREFIX)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes private files; a result is as public as any other file of its owner.
        umask = os.umask(0)
        os.umask(umask)
        with suppress(OSError):  # network and FAT drives know no permissions
            os.chmod(temporary, 0o666 & ~umask)
        if replace or not _linked(temporary, target):
            os.replace(temporary, target)
            temporary = None
        _log.info("%s: %d bytes written", path, len(content))
    except FileExistsError:
        raise ClipassoError(
            f"{path}: exists already, another program has just made it; give --force to overwrite "
            "it, or choose another output folder"
        ) from None
    except OSError as error:
        raise ClipassoError(
            f"{path}: cannot be written ({error.strerror or error}); choose another output folder"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _is_no_file(target: Path) -> bool:
    """Whether it is a device, pipe or socket, which must not be replaced by a file."""
    try:
        mode = target.stat().st_mode
    except OSError:  # not there, or told when it is written
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_all(handle: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]


def _linked(temporary: str, target: Path) -> bool:
    """Give a file its name if that is free; false where the file system knows no links.

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():  # not watertight, but the best such a file system has
            raise FileExistsError from None
        return False
    return True


def temporary_files(folder: Path) -> list[Path]:
    """What a program that was killed while it wrote may have left in a folder; sorted."""
    if not folder.is_dir():
        return []
    found = folder.glob(f"{_PREFIX}*")
    return sorted(path for path in found if path.suffix != ".lock" and path.is_file())


def prepare_folder(folder: str | os.PathLike[str], option: str = "-o") -> Path:
    """Make an output folder, with its parents, and see that files can be written there.

    Args:
        option: that names it.

    Raises:
        ClipassoError: it cannot be made or not be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=_PREFIX):
            pass
    except OSError as error:
        raise ClipassoError(
            f"{folder}: cannot be written to ({error.strerror or error}); "
            f"choose another output folder with {option}"
        ) from None
    return folder


def check_names(paths: Iterable[Path], remedy: str = "rename the photo") -> None:
    """See that files of these names can be made, by making and removing the longest of them.

    Args:
        paths: in a folder that exists; those that are there already are not touched.
        remedy: what people can do about it.

    Raises:
        ClipassoError: the file system does not take a name.
    """
    path = max(paths, key=lambda path: len(os.fsencode(path.name)))
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return
    except OSError as error:
        name = path.name if len(path.name) < 60 else f"{path.name[:40]}...{path.suffix}"
        raise ClipassoError(
            f"{name}: no file of this name can be made in {path.parent} "
            f"({error.strerror or error}); {remedy}"
        ) from None
    path.unlink(missing_ok=True)


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether something is there; a name that no file can have is not."""
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):
        return False


def refuse_existing(path: Path, force: bool) -> None:
    """See that no file is there that would be overwritten unasked; a device or pipe may be.

    Raises:
        ClipassoError: one is.
    """
    if not force and exists(path) and not _is_no_file(path):
        raise ClipassoError(f"{path}: exists already; give --force to overwrite it")


def keep_apart(
    read: Iterable[str | os.PathLike[str] | None],
    written: Iterable[str | os.PathLike[str]],
    option: str = "-o",
) -> None:
    """See that no file that is read is among those that will be written, under any name or link.

    Args:
        read: paths; None and what is not there are passed over.
        option: that names what is written.

    Raises:
        ClipassoError: one is; nothing may overwrite it, not even `--force`.
    """
    inputs = {_identity(path): path for path in read if path is not None}
    inputs.pop(None, None)
    for path in written:
        if (source := inputs.get(_identity(path))) is not None:
            raise ClipassoError(
                f"{path}: would overwrite {source}, which this command reads; choose another "
                f"output with {option}"
            )


def _identity(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
