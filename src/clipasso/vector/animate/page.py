"""An animation as a web page of its own: the drawing, and a button that plays it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipasso.vector.animate.film import Animation

__all__ = ["to_html"]

_STYLE = """
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; gap: 1rem;
         justify-items: center; background: #f4f4f2; font: 1rem/1.5 system-ui, sans-serif; }
  body > svg { background: #fff; width: min(92vw, 84vh, 60rem); height: auto; max-height: 84vh; }
  button { font: inherit; padding: .4em 1.4em; cursor: pointer; }
"""

# Who presses the button asks for motion, whatever is set for the whole system.
_SCRIPT = """
  const svg = document.querySelector("svg");
  document.getElementById("replay").addEventListener("click", () => {
    for (const rule of svg.querySelector("style").sheet.cssRules)
      if (rule.media) rule.media.mediaText = "all";
    svg.setCurrentTime(0);
    for (const animation of svg.getAnimations({ subtree: true })) {
      animation.cancel();
      animation.play();
    }
  });
"""


def to_html(film: Animation, loop: int) -> str:
    """The page's text: nothing in it comes from elsewhere.

    Args:
        film: what is shown, as `Animation.to_svg` has it.
        loop: how often it is played, 0 for ever.

    Raises:
        ClipassoError: as `Animation.to_svg`.
    """
    svg = film.to_svg(loop)
    title = svg[svg.index("<title>") + len("<title>") : svg.index("</title>")]
    quoted = title.replace('"', "&quot;")  # all else is escaped already
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{quoted}" ', 1)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{svg}"
        f'<button type="button" id="replay">Play again</button>\n<script>{_SCRIPT}</script>\n'
        "</body>\n</html>\n"
    )
