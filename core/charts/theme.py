"""What all figures share: colours that stay apart for colour-blind readers, layout, safe text.

Backgrounds are transparent and no font colour is set, so that a figure takes the theme of the
page or report it stands in. Nothing in a figure may depend on colour alone: names stand beside.
"""

from __future__ import annotations

import html
import re
import textwrap
from typing import Any

import plotly.graph_objects as go

from core.artifacts import NOISE

COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#225522",
    "#90C987",
    "#004488",
    "#994455",
)
"""Colours of segments: 1-6 after Okabe and Ito (2008), 7-10 after Tol (2021, SRON/EPS/TN/09-002).

The same stand in ``.streamlit/config.toml``, for both themes. Each is at least 1.9:1 against
white and against the dark background, and at least 12 CIEDE2000 from every other as it is seen
with deuteranopia or protanopia (9.3 with tritanopia; Machado et al., 2009).
"""
NOISE_COLOUR = "#7A828E"
"""Users in no segment; also whatever stands back."""
MORE, LESS = "#0072B2", "#D55E00"
"""More than elsewhere, less than elsewhere."""
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star")
"""Marks of points: after ten segments the colours begin again with the next mark."""
DIVERGING = (
    (0.0, "rgba(213,94,0,0.62)"),
    (0.5, "rgba(128,140,155,0.06)"),
    (1.0, "rgba(0,114,178,0.62)"),
)
"""Less to more. Half transparent, so that text of the theme's colour is readable on every cell."""
SEQUENTIAL = ((0.0, "rgba(0,114,178,0.03)"), (1.0, "rgba(0,114,178,0.62)"))
"""None to much, likewise."""
POINTS_SCALE = ((0.0, "#0B4F8A"), (0.35, "#4F8A96"), (0.7, "#A8A65C"), (1.0, "#E3AE1E"))
"""Low to high for points; lightness rises all along, and both ends show on both backgrounds."""
GRID = "rgba(128,140,155,0.22)"
FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"

_WRAP_READING = 64
WIDE = 104
"""Letters per line of the reading line of a figure that stands alone in its row."""
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def segment_color(segment: int) -> str:
    """The colour of a segment by its number; grey for noise."""
    return NOISE_COLOUR if segment == NOISE else COLOURS[segment % len(COLOURS)]


def segment_symbol(segment: int) -> str:
    """The mark of a segment's points by its number."""
    return SYMBOLS[max(segment, 0) // len(COLOURS) % len(SYMBOLS)]


def safe(text: object, limit: int = 48) -> str:
    """A data string as a figure may show it: Plotly reads markup, links, templates and formulas.

    Invisible characters become spaces, longer texts end in an ellipsis, what has a meaning
    becomes an entity.
    """
    words = " ".join(_UNSEEN.sub(" ", str(text)).split())
    if len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    return html.escape(words, quote=False).replace("%{", "&#37;{").replace("$", "&#36;")


def figure(
    title: str, reading: str, alt: str, height: int = 380, wrap: int = _WRAP_READING
) -> go.Figure:
    """An empty figure: a title that says what it shows, a line that says how to read it.

    The title is one short line: Plotly does not break it. ``alt`` is the sentence for those who
    cannot see it. Data strings in all three are safe ones. The reading line is broken after
    ``wrap`` letters.
    """
    below = "<br>".join(_lines(reading, wrap))
    made = go.Figure()
    made.update_layout(
        title={
            "text": title,
            "subtitle": {"text": below, "font": {"size": 13}},
            "font": {"size": 17, "weight": 600},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 10, "l": 8},
        },
        meta={"alt": html.unescape(alt)},
        font={"family": FONT, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"t": 72 + 18 * below.count("<br>"), "l": 8, "r": 16, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        hoverlabel={"align": "left", "namelength": 40},
        colorway=list(COLOURS),
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": NOISE_COLOUR, "activecolor": MORE},
    )
    quiet = {"gridcolor": GRID, "zerolinecolor": GRID, "automargin": True, "title_standoff": 10}
    made.update_xaxes(**quiet, title_font_size=13)
    made.update_yaxes(**quiet, title_font_size=13, ticklabelstandoff=4)
    return made


def named_positions(made: go.Figure, names: list[str], axis: str = "y") -> None:
    """Write names along an axis at 0, 1, 2 ...: equal names stay apart, none becomes a number."""
    quiet: dict[str, Any] = {
        "tickvals": list(range(len(names))),
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
    }
    if axis == "y":
        made.update_yaxes(**quiet, ticktext=names, range=[len(names) - 0.5, -0.5])
    else:
        folded = ["<br>".join(_lines(name, 11)) for name in names]
        angle = 0 if len(names) <= 8 else -35
        ticks = folded if angle == 0 else names
        made.update_xaxes(**quiet, ticktext=ticks, tickangle=angle, range=[-0.5, len(names) - 0.5])


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
