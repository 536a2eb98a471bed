"""The paper's own figures, to stand beside ours."""

from __future__ import annotations

__all__ = ["COLUMNS", "PAPER"]

COLUMNS = (
    "human sketches", "Kampelmühler and Pinz", "Li et al.",
    "4 strokes", "8 strokes", "16 strokes", "32 strokes",
)  # fmt: skip
"""Of tables 2 and 3; the last four are the paper's own method."""

PAPER = (
    ("table 2", "people, class (1 of 5 or none)",
     ("", "65 ± 2 %", "96.9 ± 0.7 %", "36 ± 3 %", "87 ± 2 %", "97.9 ± 0.8 %", "99.3 ± 0.5 %")),
    ("table 2", "people, photo (1 of 5)",
     ("", "65 ± 2 %", "99.1 ± 0.4 %", "72 ± 3 %", "95 ± 1 %", "96 ± 1 %", "97 ± 1 %")),
    ("table 3", "ResNet34 trained on sketches, class, top-1",
     ("98 %", "67 %", "61 %", "", "", "54 %", "")),
    ("table 3", "ResNet34 trained on sketches, class, top-3",
     ("99 %", "82 %", "78 %", "", "", "75 %", "")),
    ("table 3", "CLIP ViT-B/32, class, top-1",
     ("75 %", "49 %", "60 %", "", "", "78 %", "91 %")),
    ("table 3", "CLIP ViT-B/32, class, top-3",
     ("93 %", "65 %", "77 %", "", "", "93 %", "")),
)  # fmt: skip
"""(table, row, values by column); the values that could be read with certainty."""
