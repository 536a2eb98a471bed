"""What pages send, taken in within limits: files of a visitor's own, and small bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request

from clipasso.cli.studio import wishes
from clipasso.errors import ClipassoError

__all__ = ["SMALL", "asked", "body", "fresh", "receive"]

SMALL = 4_000_000
"""Bytes, at most, of what is not a photo: an edited sketch, a mask."""


def fresh(folder: Path) -> int:
    """A number that no file in a visitor's folder ends in yet."""
    return 1 + max((int(p.stem.rpartition("-")[2]) for p in folder.iterdir()), default=0)


async def receive(request: Request, path: Path, most: int, name: str) -> None:
    """Write what is uploaded into a file.

    Raises:
        ClipassoError: it is larger than `most` bytes, or breaks off.
    """
    size, too_large = 0, f"{name}: is larger than {most / 1e6:.3g} MB, the most here"
    if int(request.headers.get("content-length") or 0) > most:
        raise ClipassoError(too_large)
    try:
        with path.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise ClipassoError(too_large)
                file.write(part)
    except ClientDisconnect:
        path.unlink(missing_ok=True)
        raise ClipassoError(f"{name}: the upload broke off; send it again") from None
    except ClipassoError:
        path.unlink(missing_ok=True)
        raise


async def body(request: Request, most: int = SMALL) -> bytes:
    """All that is sent. Raises ClipassoError for more than `most` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise ClipassoError(f"what was sent is larger than {most / 1e6:.3g} MB")
        parts.append(part)
    return b"".join(parts)


async def asked(request: Request) -> dict[str, Any]:
    """The JSON object that is sent. Raises ClipassoError for anything else."""
    return wishes.read_object(await body(request))
