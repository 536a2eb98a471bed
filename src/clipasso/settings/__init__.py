"""How a sketch is made: every setting, what is told of it, and presets."""

from clipasso.settings.knob import PANELS, About
from clipasso.settings.presets import INITIALISATIONS, PRESETS, make_settings
from clipasso.settings.settings import (
    Borders,
    Crop,
    Distance,
    Edges,
    Faces,
    Ink,
    LossName,
    PictureFrame,
    Precision,
    Saliency,
    Schedule,
    Settings,
    Start,
    Zoom,
    about,
)

__all__ = [
    "INITIALISATIONS", "PANELS", "PRESETS", "About", "Borders", "Crop", "Distance", "Edges",
    "Faces", "Ink", "LossName", "PictureFrame", "Precision", "Saliency", "Schedule", "Settings",
    "Start", "Zoom", "about", "make_settings",
]  # fmt: skip
