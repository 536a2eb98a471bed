"""Write files whole or not at all."""

import os
import tempfile
from pathlib import Path

from clipasso.errors import ClipassoError

__all__ = ["prepare_folder", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write under a temporary name in the same folder, then move into place.

    An interrupted or failed write leaves what was there before, and no temporary file.

    Raises:
        ClipassoError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))  # through a link, not over it
    content = data.encode() if isinstance(data, str) else data
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes private files; a result is as public as any other file of its owner.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise ClipassoError(
            f"{path}: cannot be written ({error.strerror or error}); choose another output folder"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def prepare_folder(folder: str | os.PathLike[str]) -> Path:
    """Make an output folder, with its parents, and see that files can be written there.

    Raises:
        ClipassoError: it cannot be made or not be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ClipassoError(
            f"{folder}: cannot be written to ({error.strerror or error}); "
            "choose another output folder with -o"
        ) from None
    return folder
