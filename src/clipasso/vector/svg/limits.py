"""What a file may hold, so that none takes the machine's time and memory. All is counted first."""

from clipasso.errors import ClipassoError

__all__ = [
    "MAX_ALIKE",
    "MAX_ATTRIBUTES",
    "MAX_BYTES",
    "MAX_COORDINATE",
    "MAX_CSS",
    "MAX_MATCHES",
    "MAX_PARTS",
    "MAX_REACH",
    "MAX_RULES",
    "MAX_VALUE",
    "check_parts",
]

MAX_BYTES = 50_000_000  # of a file, unpacked and with its entities
MAX_PARTS = 100_000  # elements, each as often as it is drawn, and segments
MAX_ALIKE = 400_000  # segments of a sketch, whose strokes all have as many as the longest
MAX_ATTRIBUTES = 1_000_000
MAX_CSS = 1_000_000  # characters of style sheets and involved `style` attributes
MAX_RULES = 10_000  # of style sheets
MAX_VALUE = 10_000  # characters of a property's value
MAX_MATCHES = 1_000_000  # comparisons of selectors with elements
MAX_COORDINATE = 1e9  # px
MAX_REACH = 50_000  # times the canvas's longer side: beyond `MAX_COORDINATE` on the largest PNG


def check_parts(parts: int) -> None:
    """Raise ClipassoError for more than `MAX_PARTS`."""
    if parts > MAX_PARTS:
        raise ClipassoError(f"has more than {MAX_PARTS} parts; simplify the drawing")
