"""From photo to sketch: photo -> saliency -> initial strokes -> optimisation -> best sketch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipasso.errors import ClipassoError
from clipasso.optimise.loop import Progress
from clipasso.photo.canvas import Fit, Photo, load_photo
from clipasso.photo.masks import Mask, make_mask
from clipasso.photo.picture_frame import without_frame
from clipasso.pipeline.checkpoint import Checkpoints
from clipasso.pipeline.finish import finish
from clipasso.pipeline.models import Models, load_models
from clipasso.pipeline.order import looks
from clipasso.pipeline.preview import Preview, first_preview, shown_looks
from clipasso.pipeline.ready import Ready, make_ready
from clipasso.pipeline.result import Result
from clipasso.pipeline.timed import make_limit
from clipasso.pipeline.together import optimised
from clipasso.settings import Settings, make_settings
from clipasso.start.from_sketch import read_init
from clipasso.vector.sketch import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from clipasso.encoders.base import Encoder
    from clipasso.optimise.limit import Limit

__all__ = ["sketch", "sketch_photo", "sketch_photos"]


def sketch(
    source: str | os.PathLike[str] | bytes | Image | NDArray[Any],
    *,
    preset: str = "default",
    encoder: str | Encoder | None = None,
    weights: str | Path | None = None,
    saliency_encoder: str | Encoder | None = None,
    saliency_weights: str | Path | None = None,
    init: str | os.PathLike[str] | Sketch | None = None,
    freeze: str = "",
    fit: Fit = "pad",
    mask: str | Path = "auto",
    mask_weights: str | Path | None = None,
    device: str = "auto",
    time_limit: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Result:
    """Turn a photo into a sketch.

    Args:
        source: a photo's path or bytes, a PIL image, or an array (`load_photo` says which).
        preset: `default`, `fine`, `paper` or `draft`.
        encoder: a name for `load_encoder`, or an encoder that is loaded already.
        weights: a local checkpoint for a named encoder.
        saliency_encoder: places the first strokes; None is the paper's choice for the encoder.
        saliency_weights: a local checkpoint for a named one.
        init: `vit+xdog`, `vit` or `random` (section D.1), or a sketch to start from, or its SVG
            file: its strokes are kept, dropped or added to until there are `strokes` (as many as
            it has by default).
        freeze: which of them stay as they are: `all`, or numbers from 1 as in `1-4,7`.
        fit: how a photo that is not square meets the square canvas: `pad`, `crop` or `stretch`.
        mask: how the background is removed: `auto`, `alpha`, `u2net`, `u2netp`, `grabcut`,
            `none` or a picture of the object's mask; see `make_mask`.
        mask_weights: a local U2-Net.
        device: `auto`, `cpu`, `cuda` or `mps`.
        time_limit: seconds from the call to the result; seeds and steps are chosen to fit, but for
            `seeds` where they are given here, and `iterations`, which are the most where they are.
            `Result.time_plan` says what was chosen. Too short a time gives the first strokes after
            one step, late.
        on_progress: called at every evaluation.
        on_preview: called with the first strokes as soon as they are laid, with the best seed's
            every half second from then on, and with the result's.
        stop: set it, from another thread or a signal handler, to end early with the best so far.
        checkpoint: a file to keep the state of the run in, written whole every few steps and when
            it is stopped; it stays for the caller to remove. Not with `time_limit`.
        checkpoint_every: steps from one to the next, 50 by default.
        resume: a checkpoint to go on from, with everything else as it was: the result is that of
            an uninterrupted run, on a CPU to the byte. It may be the same file.
        settings: fields of `Settings`: `strokes=16`, `seeds=3`, `width=3.0`, `seed=0` ...;
            `strokes="auto"` is as many as the photo needs for `fidelity`, `draft`, `normal`, `fine`
            or a number from 0 to 1.

    Raises:
        ClipassoError: a photo, setting, encoder or device that cannot be used.

    Example:
        >>> result = clipasso.sketch("cat.jpg", strokes=16)
        >>> result.sketch.save("cat.svg")
    """
    began = time.monotonic()
    checkpoints = Checkpoints.of(checkpoint, checkpoint_every, resume)
    given, implied, notes = read_init(init)
    chosen = {name: value for name, value in settings.items() if value is not None}
    made, preferred = make_settings(preset, **{**implied, **chosen})
    limit = None if time_limit is None else make_limit(time_limit, made, chosen, since=began)
    photo = without_frame(load_photo(source, size=made.canvas, fit=fit), made.frame)
    loading = time.monotonic()
    models = load_models(
        made, encoder or preferred, weights, saliency_encoder, saliency_weights, device
    )
    found = make_mask(photo, str(mask), fit, None if mask_weights is None else Path(mask_weights))
    return sketch_photo(
        photo, models, made, mask=found, init=given, freeze=freeze, notes=notes,
        on_progress=on_progress, on_preview=on_preview, stop=stop,
        seconds={"load": time.monotonic() - loading}, limit=limit, checkpoints=checkpoints,
    )  # fmt: skip


def sketch_photo(
    photo: Photo,
    models: Models,
    settings: Settings,
    *,
    mask: Mask | None = None,
    init: Sketch | None = None,
    freeze: str = "",
    notes: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
    seconds: dict[str, float] | None = None,
    limit: Limit | None = None,
    checkpoints: Checkpoints | None = None,
) -> Result:
    """`sketch` with everything loaded: what a batch of photos shares stays with the caller.

    Args:
        photo: on a canvas of `settings.canvas` pixels, its frame left out by `without_frame` if
            it is to be; the result's may be zoomed to its object.
        models: on the device to work on.
        mask: what `make_mask` found; None keeps the whole photo.
        init, freeze: as in `sketch`; with an `init`, widths are learned only if `width_rate` says
            so, whatever is the encoder's own.
        notes: lines a person should see that are known already, as of what was read.
        seconds: time spent already, by stage.
        limit: a time limit (`pipeline.timed.make_limit`), which chooses seeds and steps.
        checkpoints: where the run's state is kept and what it goes on from; not with a limit.

    Raises:
        ClipassoError: settings that do not go together.
    """
    (result,) = sketch_photos(
        [photo], models, settings, masks=[mask], init=init, freeze=freeze, notes=notes,
        on_progress=on_progress, on_preview=on_preview, stop=stop, seconds=seconds, limit=limit,
        checkpoints=checkpoints,
    )  # fmt: skip
    if isinstance(result, ClipassoError):
        raise result
    return result


def sketch_photos(
    photos: Sequence[Photo],
    models: Models,
    settings: Settings,
    *,
    masks: Sequence[Mask | None] | None = None,
    init: Sketch | None = None,
    freeze: str = "",
    notes: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
    on_preview: Callable[[Preview], None] | None = None,
    stop: threading.Event | None = None,
    seconds: dict[str, float] | None = None,
    limit: Limit | None = None,
    checkpoints: Checkpoints | None = None,
) -> list[Result | ClipassoError]:
    """Sketch several photos in one batch, each as `sketch_photo` would alone.

    It is for GPUs, where one large batch costs less than many small ones (not yet run on one); a
    CPU takes as long as for one photo after the other, and more memory. Where memory is short for
    all of them, they are halved until it suffices.

    Args:
        photos: each on a canvas of `settings.canvas` pixels.
        masks: one for each photo, as in `sketch_photo`; None keeps all of them whole.
        on_progress: called at every evaluation for each photo still in work; `Progress.photo` says
            which of `photos` it is.
        on_preview: called with strokes of each photo, as in `sketch`; `Preview.photo` says whose.
        stop: once set, every photo ends with its best so far.
        models, settings, init, freeze, notes, seconds, limit: as in `sketch_photo`.
        checkpoints: as in `sketch_photo`, for one photo.

    Returns:
        For each photo its result, or the error for which it has none; the others do not suffer.

    Raises:
        ClipassoError: checkpoints of another run, or where there can be none.
    """
    settings = _with_their_pen(init, settings)
    drawn = None if checkpoints is None else checkpoints.begin(photos, models, settings, limit)
    if settings.fidelity is not None and len(photos) > 1:  # each has its own number of strokes
        return _one_by_one(
            photos, models, settings, masks=masks, init=init, freeze=freeze, notes=notes,
            on_progress=on_progress, on_preview=on_preview, stop=stop, seconds=seconds, limit=limit,
        )  # fmt: skip
    made: list[Ready | ClipassoError] = []
    for photo, mask in zip(photos, masks or [None] * len(photos), strict=True):
        try:
            ready = make_ready(
                photo, mask, models, settings, init, freeze, seconds or {}, stop, limit, drawn
            )
            one = replace(ready.prepared, notes=(*ready.prepared.notes, *notes))
            made.append(ready._replace(prepared=one))
        except ClipassoError as error:
            made.append(error)
            continue
        if on_preview is not None and (preview := first_preview(one, len(made) - 1)):
            on_preview(preview)
    good = [n for n, ready in enumerate(made) if isinstance(ready, Ready)]

    def told(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(replace(progress, photo=good[progress.photo]))

    began = time.monotonic()
    prepared = [ready.prepared for ready in made if isinstance(ready, Ready)]
    on_look = None if on_preview is None else shown_looks(prepared, good, on_preview)
    after = 0 if settings.order == "none" else sum(looks(p.settings.strokes) for p in prepared)
    keeping, earlier = None, 0.0
    if checkpoints is not None and good:
        close_ups = next(ready.close_ups for ready in made if isinstance(ready, Ready))
        keeping = checkpoints.keeping(photos[0], models, settings, close_ups)
        earlier = 0.0 if keeping.begin is None else keeping.begin.seconds
    outcomes = iter(
        optimised(
            prepared, settings, told, stop, on_look=on_look, limit=limit, keeping=keeping,
            after=after,
        )
    )  # fmt: skip
    spent, more = time.monotonic() - began + earlier, checkpoints.notes if checkpoints else ()

    def late() -> bool:
        return (stop is not None and stop.is_set()) or (limit is not None and limit.left() <= 0)

    results: list[Result | ClipassoError] = []
    for begun in made:
        if isinstance(begun, ClipassoError):
            results.append(begun)
        elif isinstance(out := next(outcomes), ClipassoError):
            results.append(out)
        else:
            out = replace(out, notes=(*out.notes, *more))
            results.append(finish(begun, models, out, spent, len(good), late))
    if on_preview is not None:
        for n, result in enumerate(results):
            if isinstance(result, Result):
                steps = result.outcome.steps
                on_preview(Preview(result.sketch, steps, steps, n, finished=True))
    return results


def _with_their_pen(init: Sketch | None, settings: Settings) -> Settings:
    """Given lines keep their widths, and new ones have one, unless a rate says otherwise."""
    if init is None or settings.width_rate is not None:
        return settings
    return replace(settings, width_rate=0.0)


def _one_by_one(
    photos: Sequence[Photo],
    models: Models,
    settings: Settings,
    *,
    masks: Sequence[Mask | None] | None,
    on_progress: Callable[[Progress], None] | None,
    on_preview: Callable[[Preview], None] | None,
    limit: Limit | None,
    **given: Any,
) -> list[Result | ClipassoError]:
    """`sketch_photos` of one photo after the other, which share the time if it is limited."""
    results: list[Result | ClipassoError] = []
    for n, (photo, mask) in enumerate(zip(photos, masks or [None] * len(photos), strict=True)):

        def progress(told: Progress, n: int = n) -> None:
            if on_progress is not None:
                on_progress(replace(told, photo=n))

        def preview(told: Preview, n: int = n) -> None:
            assert on_preview is not None
            on_preview(replace(told, photo=n))

        own = limit
        if limit is not None:
            own = replace(limit, until=limit.clock() + limit.left() / (len(photos) - n))
        results += sketch_photos(
            [photo], models, settings, masks=[mask], on_progress=progress,
            on_preview=None if on_preview is None else preview, limit=own, **given,
        )  # fmt: skip
    return results
