# ruff: noqa: E501  # lines are as long as programs write them
"""One drawing, a ring of 120 x 120 px beside a bar, as other programs write it."""

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

SVG = 'xmlns="http://www.w3.org/2000/svg"'
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
DTD = '"-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"'

_RING = "M10 40a30 30 0 1 0 60 0a30 30 0 1 0-60 0z"  # the stroke's middle
_OUTER = "M4 40a36 36 0 1 0 72 0a36 36 0 1 0-72 0z"
_INNER = "M16 40a24 24 0 1 0 48 0a24 24 0 1 0-48 0z"
_BAR = "M90 20h12v80h-12z"


def as_drawn(side=224):
    """What all of them show: darkness `[side, side]`, 0..1."""
    picture = Image.new("L", (1200, 1200), 0)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((40, 40, 760, 760), fill=255)
    draw.ellipse((160, 160, 640, 640), fill=0)
    draw.rectangle((900, 200, 1019, 999), fill=255)
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX), np.float32) / 255


def embedded(kind="png"):
    """The drawing as the `data:` link of a picture, transparent where nothing is drawn."""
    dark = (as_drawn(240) * 255).astype(np.uint8)
    picture = Image.merge("LA", [Image.new("L", (240, 240), 0), Image.fromarray(dark)])
    held = io.BytesIO()
    picture.save(held, format=kind)
    return f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode()}"


FOREIGN = {
    "potrace": f"""<?xml version="1.0" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN" "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd">
<svg version="1.0" {SVG} width="120.000000pt" height="120.000000pt" viewBox="0 0 120.000000 120.000000" preserveAspectRatio="xMidYMid meet">
<metadata>Created by potrace 1.16, written by Peter Selinger 2001-2019</metadata>
<g transform="translate(0.000000,120.000000) scale(0.100000,-0.100000)" fill="#000000" stroke="none">
<path d="M40 800a360 360 0 1 0 720 0a360 360 0 1 0 -720 0z m120 0a240 240 0 1 1 480 0a240 240 0 1 1 -480 0z"/>
<path d="M900 1000 l120 0 0 -800 -120 0 0 800z"/></g></svg>""",
    "vtracer": f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Generator: visioncortex VTracer 0.6.4 -->
<svg version="1.1" {SVG} width="120" height="120">
<path d="M0 0 C39.6 0 79.2 0 120 0 C120 39.6 120 79.2 120 120 C80.4 120 40.8 120 0 120 C0 80.4 0 40.8 0 0 Z " fill="#FEFEFE" transform="translate(0,0)"/>
<path d="{_OUTER.replace('M4 40', 'M0 0')}" fill="#010101" transform="translate(4,40)"/>
<path d="{_INNER.replace('M16 40', 'M0 0')}" fill="#FEFEFE" transform="translate(16,40)"/>
<path d="M0 0 C4 0 8 0 12 0 C12 26 12 53 12 80 C8 80 4 80 0 80 C0 53 0 26 0 0 Z " fill="#000000" transform="translate(90,20)"/>
</svg>""",
    "inkscape": f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->
<svg width="120mm" height="120mm" viewBox="0 0 120 120" version="1.1" id="svg5" sodipodi:docname="ring.svg"
 xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" {SVG}>
<sodipodi:namedview id="namedview7" pagecolor="#505050" inkscape:document-units="mm"/>
<defs id="defs2"><linearGradient id="g1"><stop offset="0" style="stop-color:#000"/></linearGradient></defs>
<g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1">
<circle style="fill:none;stroke:#000000;stroke-width:12;stroke-dasharray:none" id="path55" cx="40" cy="40" r="30"/>
<rect style="fill:url(#g1);fill-opacity:1;stroke:none" id="r1" width="12" height="80" x="90" y="20"/></g></svg>""",
    "matplotlib": f"""<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC {DTD}>
<svg {XLINK} width="120pt" height="120pt" viewBox="0 0 120 120" {SVG} version="1.1">
<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata>
<defs><style type="text/css">*{{stroke-linejoin: round; stroke-linecap: butt}}</style></defs>
<g id="figure_1"><g id="patch_1"><path d="M 0 120 L 120 120 L 120 0 L 0 0 z" style="fill: #ffffff"/></g>
<g id="axes_1"><g id="line2d_1"><path d="{_RING}" clip-path="url(#p1)" style="fill: none; stroke: #000000; stroke-width: 12"/></g>
<g id="ticks"><defs><path id="m1" d="M 0 0 L 0 80" style="stroke: #000000; stroke-width: 12"/></defs>
<g><use xlink:href="#m1" x="96" y="20" style="stroke: #000000; stroke-width: 12"/></g></g></g></g>
<defs><clipPath id="p1"><rect x="0" y="0" width="120" height="120"/></clipPath></defs></svg>""",
    "illustrator": f"""<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 16.0.0, SVG Export Plug-In . SVG Version: 6.00 Build 0) -->
<!DOCTYPE svg PUBLIC {DTD} [
	<!ENTITY ns_svg "http://www.w3.org/2000/svg">
	<!ENTITY ns_ai "http://ns.adobe.com/AdobeIllustrator/10.0/">
]>
<svg version="1.1" id="Layer_1" xmlns="&ns_svg;" xmlns:i="&ns_ai;" x="0px" y="0px" width="120px" height="120px" viewBox="0 0 120 120" enable-background="new 0 0 120 120" xml:space="preserve">
<style type="text/css">.st0{{fill:none;stroke:#000000;stroke-width:12;stroke-miterlimit:10;}}</style>
<g id="Ring"><path class="st0" d="{_RING}"/><rect x="90" y="20" width="12" height="80"/></g></svg>""",
    "figma": f"""<svg width="120" height="120" viewBox="0 0 120 120" fill="none" {SVG}>
<rect width="120" height="120" fill="white"/><g clip-path="url(#clip0_1_2)"><mask id="m" fill="white"><path d="{_BAR}"/></mask>
<circle cx="40" cy="40" r="30" stroke="black" stroke-width="12"/><rect x="80" y="0" width="40" height="120" fill="black" mask="url(#m)"/></g>
<defs><clipPath id="clip0_1_2"><rect width="120" height="120" fill="white"/></clipPath></defs></svg>""",
    "LIVE": f"""<?xml version="1.0" ?>
<svg {SVG} version="1.1" width="120" height="120"><defs/><g>
<path d="{_OUTER}" fill="rgb(0, 0, 0)" opacity="1.0"/><path d="{_INNER}" fill="rgb(255, 255, 255)" opacity="1.0"/>
<path d="{_BAR}" fill="rgb(0, 0, 0)" opacity="1.0"/></g></svg>""",
    "clipasso, official": f"""<?xml version="1.0" ?>
<svg {SVG} version="1.1" width="120" height="120"><defs/><g>
<path d="{_RING}" stroke-width="12.0" fill="none" stroke="rgb(0, 0, 0)" stroke-opacity="1.0" stroke-linecap="butt" stroke-linejoin="round"/>
<path d="M 96.0 20.0 C 96.0 50.0 96.0 70.0 96.0 100.0" stroke-width="12.0" fill="none" stroke="rgb(0, 0, 0)" stroke-opacity="1.0" stroke-linecap="butt" stroke-linejoin="round"/>
</g></svg>""",
    "percent": f'<svg {SVG} width="100%" height="100%" viewBox="0 0 120 120"><path fill-rule="evenodd" d="{_OUTER}{_INNER}{_BAR}"/></svg>',
    "no viewBox": f'<svg {SVG} width="4.2333in" height="107.526mm"><g transform="scale(3.38666)"><path fill-rule="evenodd" d="{_OUTER}{_INNER}{_BAR}"/></g></svg>',
    "far too large": f'<svg {SVG} width="9e7" height="9e7" viewBox="0 0 120 120"><path fill-rule="evenodd" d="{_OUTER}{_INNER}{_BAR}"/></svg>',
    "no size at all": f'<svg {SVG}><path fill-rule="evenodd" d="{_OUTER}{_INNER}{_BAR}"/><path d="M120 119v1" stroke="#fff"/></svg>',
    "embedded picture": f'<svg {SVG} {XLINK} viewBox="0 0 120 120"><image width="120" height="120" xlink:href="{embedded()}"/></svg>',
    "css": f'<svg {SVG} viewBox="0 0 120 120"><style>path {{ fill: none; stroke: black; stroke-width: 12 }} #b {{ fill: black; stroke: none }}</style><path d="{_RING}"/><path id="b" d="{_BAR}"/></svg>',
    "UTF-16": f'<?xml version="1.0" encoding="utf-16"?><svg {SVG} viewBox="0 0 120 120"><path fill-rule="evenodd" d="{_OUTER}{_INNER}{_BAR}"/></svg>',
}  # fmt: skip
"""Texts of SVG files by the program, or by what is odd about them."""


def encoded(name):
    """The bytes of such a file."""
    return FOREIGN[name].encode("utf-16" if name == "UTF-16" else "utf-8")
