"""`clipasso studio`: sketching in a browser.

`command` starts it. `studio` is what it does, without HTTP: `visitors` and what each has,
`material` (a photo and its mask), `line` (one sketch at a time), `work` (the sketches), `takeaway`
(files), `wording` (the command lines that make the same), `wishes` and `limits` (what may be
asked). `app` and `uploads` serve it, `guard` keeps other sites out, `events` tells pages what is
new, `serve` starts and ends it, and `page/` is the page.
"""

from clipasso.cli.studio.command import command

__all__ = ["command"]
