"""The studio over HTTP: routes, cookies, uploads and the stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from clipasso.cli.console import shown
from clipasso.cli.studio import uploads, wishes
from clipasso.cli.studio.events import Listener
from clipasso.cli.studio.guard import Guard
from clipasso.cli.studio.studio import Studio
from clipasso.cli.studio.takeaway import commands_of, take
from clipasso.cli.studio.visitors import Held, Visitor
from clipasso.cli.studio.wishes import Wish
from clipasso.cli.studio.work import as_values
from clipasso.errors import ClipassoError

__all__ = ["make_app"]

T = TypeVar("T")

PAGE = Path(__file__).parent / "page"

_LOOK = 1.0  # seconds between looks for visitors who have gone


def make_app(studio: Studio, hosts: Collection[str] | None) -> Starlette:
    """The studio as an ASGI application, which closes it in the end.

    Args:
        hosts: names that it may be called by; None for any.
    """
    server = _Server(studio)

    @asynccontextmanager
    async def alive(app: Starlette) -> AsyncIterator[None]:
        looking = asyncio.create_task(server.look_after())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            await run_in_threadpool(studio.close)

    return Starlette(
        routes=[
            Route("/", _index),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/api/about", server.about),
            Route("/api/state", server.state),
            Route("/api/events", server.events),
            Route("/api/leave", server.leave, methods=["POST"]),
            Route("/api/photo", server.put_photo, methods=["PUT"]),
            Route("/api/photo.jpg", server.photo),
            Route("/api/mask.png", server.mask),
            Route("/api/mask", server.put_mask, methods=["PUT"]),
            Route("/api/mask", server.name_mask, methods=["POST"]),
            Route("/api/frame", server.frame, methods=["POST"]),
            Route("/api/jobs", server.begin, methods=["POST"]),
            Route("/api/jobs/{number:int}", server.end, methods=["DELETE"]),
            Route("/api/line", server.strokes_of_line, methods=["POST"]),
            Route("/api/sketches", server.keep, methods=["POST"]),
            Route("/api/sketches/{number:int}", server.sketch),
            Route("/api/sketches/{number:int}/{kind}", server.file),
            Route("/api/sketches/{number:int}/{kind}/command", server.command),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={ClipassoError: _refused, HTTPException: _failed},
        lifespan=alive,
    )


async def _index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": shown(error)}, 400)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


class _Server:
    """The endpoints. What takes time is done in threads, two at a time beside the worker."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._threads: anyio.CapacityLimiter | None = None

    async def look_after(self) -> None:
        """Remove what nobody comes back for, for ever."""
        while True:
            await asyncio.sleep(_LOOK)
            await run_in_threadpool(self._studio.visitors.look_after)

    async def about(self, request: Request) -> Response:
        return JSONResponse(await self._in_thread(self._studio.about))

    async def state(self, request: Request) -> Response:
        """How everything stands; whoever is new gets a cookie."""
        visitor = self._studio.visitors.find(request.cookies.get(_cookie(request)))
        new = visitor is None
        if visitor is None:
            visitor = self._studio.visitors.welcome()
        response = JSONResponse(visitor.as_dict() | {"new": new})
        if new:
            response.set_cookie(
                _cookie(request), visitor.key, httponly=True, samesite="strict", path="/"
            )
        return response

    async def events(self, request: Request) -> Response:
        visitor = self._visitor(request)
        listener = Listener()
        visitor.listen(listener)
        listener.tell("state", visitor.as_dict())

        async def stream() -> AsyncIterator[str]:
            try:
                async for text in listener.stream():
                    yield text
            finally:
                visitor.unlisten(listener)

        return StreamingResponse(
            stream(), media_type="text/event-stream",
            background=BackgroundTask(visitor.unlisten, listener),
        )  # fmt: skip

    async def leave(self, request: Request) -> Response:
        self._visitor(request).leave()
        return Response(status_code=204)

    async def put_photo(self, request: Request) -> Response:
        visitor = self._visitor(request)
        name = shown(request.query_params.get("name", ""))[-120:].replace("/", "_") or "photo"
        path = visitor.folder / f"photo-{uploads.fresh(visitor.folder)}"
        await uploads.receive(request, path, self._studio.limits.upload, name)
        try:
            await self._in_thread(self._studio.take_photo, visitor, path, name)
        except ClipassoError:
            path.unlink(missing_ok=True)
            raise
        return JSONResponse(visitor.as_dict())

    async def photo(self, request: Request) -> Response:
        material = self._visitor(request).material
        if material is None:
            raise HTTPException(404, "there is no photo yet")
        return Response(material.picture, media_type="image/jpeg")

    async def mask(self, request: Request) -> Response:
        material = self._visitor(request).material
        if material is None:
            raise HTTPException(404, "there is no photo yet")
        return Response(await self._in_thread(material.mask_picture), media_type="image/png")

    async def put_mask(self, request: Request) -> Response:
        visitor = self._visitor(request)
        path = visitor.folder / f"mask-{uploads.fresh(visitor.folder)}.png"
        await uploads.receive(request, path, uploads.SMALL, "the painted mask")
        before = visitor.material
        try:
            await self._in_thread(self._studio.set_mask, visitor, str(path))
        except ClipassoError:
            path.unlink(missing_ok=True)
            raise
        if before is not None and before.painted and visitor.job is None:
            Path(before.how).unlink(missing_ok=True)
        return JSONResponse(visitor.as_dict())

    async def name_mask(self, request: Request) -> Response:
        visitor, asked = self._visitor(request), await uploads.asked(request)
        how = wishes.text_of(asked, "how", "auto")
        await self._in_thread(self._studio.set_mask, visitor, how)
        return JSONResponse(visitor.as_dict())

    async def frame(self, request: Request) -> Response:
        visitor, asked = self._visitor(request), await uploads.asked(request)
        how = wishes.text_of(asked, "how", "auto")
        await self._in_thread(self._studio.set_frame, visitor, how)
        return JSONResponse(visitor.as_dict())

    async def begin(self, request: Request) -> Response:
        visitor, asked = self._visitor(request), await uploads.asked(request)
        studio = self._studio
        wish = Wish.of(asked, studio.preset, studio.limits)
        kind = wishes.text_of(asked, "kind", "sketch")
        if kind == "sketch":
            job = await self._in_thread(studio.sketch, visitor, wish)
        elif kind == "settle":
            number, frozen = wishes.number_of(asked, "sketch"), wishes.numbers_of(asked, "frozen")
            job = await self._in_thread(studio.settle, visitor, wish, number, frozen)
        elif kind == "ladder":
            number = wishes.number_of(asked, "sketch")
            levels = wishes.levels_of(asked)
            job = await self._in_thread(studio.ladder, visitor, wish, number, levels)
        else:
            raise ClipassoError(f"kind {kind}: must be sketch, settle or ladder")
        return JSONResponse(job.as_dict(), 202)

    async def end(self, request: Request) -> Response:
        visitor, number = self._visitor(request), request.path_params["number"]
        if visitor.job is None or visitor.job.number != number:
            raise HTTPException(404, "there is no such work any more")
        await run_in_threadpool(self._studio.line.stop, visitor.job)
        return JSONResponse(visitor.job.as_dict())

    async def strokes_of_line(self, request: Request) -> Response:
        from clipasso.vector.freehand import strokes_along

        self._visitor(request)
        asked = await uploads.asked(request)
        line = wishes.line_of(asked)
        degree, segments = wishes.number_of(asked, "degree"), wishes.number_of(asked, "segments")
        if not (1 <= degree <= 3 and 1 <= segments <= 16):
            raise ClipassoError("degree: must be 1 to 3; segments: 1 to 16")
        found = await self._in_thread(lambda: strokes_along(line, degree, segments))
        return JSONResponse({"strokes": found.round(4).tolist()})

    async def keep(self, request: Request) -> Response:
        visitor, body = self._visitor(request), await uploads.body(request)
        held = await self._in_thread(self._studio.keep_edited, visitor, body)
        return JSONResponse(held.as_dict(), 201)

    async def sketch(self, request: Request) -> Response:
        return JSONResponse(as_values(self._held(request).sketch))

    async def file(self, request: Request) -> Response:
        held, kind = self._held(request), request.path_params["kind"]
        taken = await self._in_thread(take, held, kind, dict(request.query_params))
        name = "".join(
            c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in taken.name
        )
        return Response(
            taken.data, media_type=taken.media,
            headers={"content-disposition": f'attachment; filename="{name}"',
                     "content-security-policy": "sandbox; default-src 'none'; "
                     "style-src 'unsafe-inline'; script-src 'none'"},
        )  # fmt: skip

    async def command(self, request: Request) -> Response:
        held, kind = self._held(request), request.path_params["kind"]
        return JSONResponse({"lines": commands_of(held, kind, dict(request.query_params))})

    def _visitor(self, request: Request) -> Visitor:
        """Who asks. Raises HTTPException for a stranger."""
        visitor = self._studio.visitors.find(request.cookies.get(_cookie(request)))
        if visitor is None:
            raise HTTPException(401, "your photo has been put away; load the page again")
        return visitor

    def _held(self, request: Request) -> Held:
        try:
            return self._visitor(request).sketch(request.path_params["number"])
        except ClipassoError as error:
            raise HTTPException(404, str(error)) from None

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(2)
        return await anyio.to_thread.run_sync(lambda: function(*arguments), limiter=self._threads)


def _cookie(request: Request) -> str:
    """Cookies are shared by all ports of a machine, so the port is in its name."""
    return f"clipasso-studio-{request.url.port or 80}"
