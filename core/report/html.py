"""The report for people: one HTML file with every chart, that asks nothing of any network."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from core.report.contents import contents
from core.report.view import Chart, ReportView

__all__ = ["ReportView", "report_html"]

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SCRIPT_SIGNS = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
"""What could end a script element, or a line of one, written as JSON escapes."""


def report_html(view: ReportView) -> str:
    """The whole report: verdict first, then segments, trust, and how it was made.

    Holds no user ids. Counts of fewer people than ``report.min_cell`` (5) are shown only as less
    than it, and of segments as small nothing but the name is told.
    """
    return _environment().get_template("report.html.j2").render(contents(view, chart_of))


def chart_of(name: str, figure: go.Figure) -> Chart:
    """A figure as JSON that can stand in a script element whatever its texts are."""
    plain = figure.to_dict()
    plain["layout"].pop("template", None)  # the page has its own, for light, dark and paper
    text = json.dumps({k: plain[k] for k in ("data", "layout")}, cls=PlotlyJSONEncoder)
    return Chart(
        id=f"chart-{name}",
        alt=str(plain["layout"]["meta"]["alt"]),
        height=int(plain["layout"]["height"]),
        json=Markup(text.translate(_SCRIPT_SIGNS)),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["plotly_js"] = Markup(get_plotlyjs())
    return environment
