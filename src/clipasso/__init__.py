"""CLIPasso: turn a photo into a sketch of a few vector strokes.

    >>> import clipasso
    >>> result = clipasso.sketch("cat.jpg", strokes=16)
    >>> result.sketch.save("cat.svg")

Nothing heavy is imported before it is used: the public names below load on first access.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clipasso._caches import settle as _settle_caches
from clipasso._version import __version__
from clipasso.errors import ClipassoError

if TYPE_CHECKING:
    from clipasso.encoders import load_encoder
    from clipasso.photo.canvas import Photo, load_photo
    from clipasso.pipeline.batch import batch
    from clipasso.pipeline.clipdraw import draw
    from clipasso.pipeline.cluster import Cluster
    from clipasso.pipeline.color import color
    from clipasso.pipeline.ladder import ladder
    from clipasso.pipeline.models import Models, load_models
    from clipasso.pipeline.order import order
    from clipasso.pipeline.result import Result
    from clipasso.pipeline.sketch import sketch, sketch_photo, sketch_photos
    from clipasso.raster import rasterize
    from clipasso.settings import Settings
    from clipasso.vector.animate import animate
    from clipasso.vector.brushes import restyle
    from clipasso.vector.export import export
    from clipasso.vector.plot import Plot, order_for_pen, plot
    from clipasso.vector.sketch import Sketch

__all__ = [
    "ClipassoError",
    "Cluster",
    "Models",
    "Photo",
    "Plot",
    "Result",
    "Settings",
    "Sketch",
    "__version__",
    "animate",
    "batch",
    "color",
    "draw",
    "export",
    "ladder",
    "load_encoder",
    "load_models",
    "load_photo",
    "order",
    "order_for_pen",
    "plot",
    "rasterize",
    "restyle",
    "sketch",
    "sketch_photo",
    "sketch_photos",
]

_HOME = {
    "Cluster": "pipeline.cluster",
    "Models": "pipeline.models",
    "Photo": "photo.canvas",
    "Plot": "vector.plot",
    "Result": "pipeline.result",
    "Settings": "settings",
    "Sketch": "vector.sketch",
    "color": "pipeline.color",
    "animate": "vector.animate",
    "batch": "pipeline.batch",
    "draw": "pipeline.clipdraw",
    "export": "vector.export",
    "ladder": "pipeline.ladder",
    "load_encoder": "encoders",
    "load_models": "pipeline.models",
    "load_photo": "photo.canvas",
    "order": "pipeline.order",
    "order_for_pen": "vector.plot",
    "plot": "vector.plot",
    "rasterize": "raster",
    "restyle": "vector.brushes",
    "sketch": "pipeline.sketch",
    "sketch_photo": "pipeline.sketch",
    "sketch_photos": "pipeline.sketch",
}

_settle_caches()  # before any library that has one is imported


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
