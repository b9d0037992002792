"""How the encoder learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.artifacts import EpochReport
from core.charts.theme import COLOURS, WIDE, figure

_OBJECTIVES = {
    "total": "All objectives",
    "next_event": "Next event",
    "contrastive": "Telling users apart",
    "action": "Next action",
    "category": "Next category",
    "gap": "Time to the next event",
    "duration": "Next duration",
    "price": "Next price",
    "item": "Next item",
    "autoencoder": "Rebuilding what was done",
    "teacher": "What the teacher says",
}
"""Names of objectives on screen; another one shows its own name."""
_COLUMNS = 3
_ROW_HEIGHT = 170
_ROOM = 0.42
"""Room to the right of the lines for their names, as a share of the epochs."""
_NAMES = ("learned from", "held out")
_LINES = (
    {"color": COLOURS[0], "dash": "solid", "width": 2.2},
    {"color": COLOURS[5], "dash": "dot", "width": 2.2},
)
"""Of users it learns from, and of held-out users: apart in both themes, and by their dashes."""

Points = tuple[list[int], list[float]]


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """Where one objective is drawn."""

    number: int  # from 0
    n_rows: int

    @property
    def axes(self) -> tuple[str, str]:
        number = "" if self.number == 0 else str(self.number + 1)
        return f"x{number}", f"y{number}"

    def domain(self) -> tuple[list[float], list[float]]:
        """Place of the panel, as shares of the width and the height."""
        row, column = divmod(self.number, _COLUMNS)
        left, top = column / _COLUMNS, 1 - row / self.n_rows
        right = left + (1 - 0.14) / _COLUMNS
        return [left, right], [top - (1 - 0.31) / self.n_rows, top - 0.1 / self.n_rows]


def loss_curves(history: Sequence[EpochReport]) -> go.Figure:
    """Loss per objective over the epochs, a panel each: users it learns from and held-out ones."""
    names = sorted({n for epoch in history for n in epoch.losses}, key=_order)
    n_rows = max(1, -(-len(names) // _COLUMNS))
    made = figure(
        "What is still unexplained after each pass",
        "Lower is better; every panel has its own scale, in nats. Where the line of held-out users "
        "rises while the other falls, it learns by heart.",
        _spoken(history),
        height=110 + _ROW_HEIGHT * n_rows,
        wrap=WIDE,
    )
    made.update_layout(showlegend=False)
    made.update_xaxes(title_text="Epoch")
    for number, name in enumerate(names):
        _add_panel(made, history, name, _Panel(number=number, n_rows=n_rows))
    return made


def _add_panel(made: go.Figure, history: Sequence[EpochReport], name: str, panel: _Panel) -> None:
    _add_axes(made, panel, last=history[-1].epoch)
    (left, _), (_, top) = panel.domain()
    made.add_annotation(
        text=f"<b>{_words(name)}</b>",
        x=left,
        y=top,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 13},
    )
    lines = [_points(history, name, held_out=held_out) for held_out in (False, True)]
    drawn = [number for number, (epochs, _) in enumerate(lines) if epochs]
    upper = max(drawn, key=lambda number: lines[number][1][-1])
    for number in drawn:
        _add_line(made, lines[number], (name, number), panel)
        apart = 0 if len(drawn) == 1 else 8 if number == upper else -8
        _add_name(made, lines[number], number, (panel, apart))


def _add_axes(made: go.Figure, panel: _Panel, *, last: int) -> None:
    x, y = panel.axes
    across, up = panel.domain()
    shared = made.layout.xaxis.to_plotly_json(), made.layout.yaxis.to_plotly_json()
    made.update_layout(
        {
            f"xaxis{x[1:]}": {
                **shared[0],
                "domain": across,
                "anchor": y,
                "range": [0, last * (1 + _ROOM) + 0.5],
                "dtick": 1 if last < 8 else None,
                "nticks": 5,
                "title": {"text": "Epoch", "font": {"size": 12}, "standoff": 2},
            },
            f"yaxis{y[1:]}": {**shared[1], "domain": up, "anchor": x, "nticks": 5},
        }
    )


def _add_line(made: go.Figure, points: Points, named: tuple[str, int], panel: _Panel) -> None:
    (epochs, values), (name, number), (x, y) = points, named, panel.axes
    made.add_trace(
        go.Scatter(
            x=epochs,
            y=values,
            xaxis=x,
            yaxis=y,
            name=f"{_words(name)}, {_NAMES[number]}",
            mode="lines+markers" if len(epochs) < 30 else "lines",
            line=_LINES[number],
            marker={"size": 4},
            hovertemplate="epoch %{x}: %{y:.3f}",
        )
    )


def _add_name(made: go.Figure, points: Points, number: int, place: tuple[_Panel, int]) -> None:
    """Write whose line it is at its end."""
    (epochs, values), (panel, apart) = points, place
    x, y = panel.axes
    made.add_annotation(
        text=_NAMES[number],
        x=epochs[-1],
        y=values[-1],
        xref=x,
        yref=y,
        xanchor="left",
        xshift=6,
        yshift=apart,
        showarrow=False,
        font={"size": 11},  # in the colour of the theme: small text in blue is faint on dark
    )


def _points(history: Sequence[EpochReport], name: str, *, held_out: bool) -> Points:
    found = [(epoch.epoch, _losses(epoch, held_out=held_out).get(name)) for epoch in history]
    known = [(epoch, value) for epoch, value in found if value is not None]
    return [epoch for epoch, _ in known], [value for _, value in known]


def _losses(epoch: EpochReport, *, held_out: bool) -> Mapping[str, float]:
    return epoch.validation_losses if held_out else epoch.losses


def _words(name: str) -> str:
    return _OBJECTIVES.get(name, name.replace("_", " ").capitalize())


def _order(name: str) -> tuple[int, str]:
    known = list(_OBJECTIVES)
    return (known.index(name) if name in known else len(known), name)


def _spoken(history: Sequence[EpochReport]) -> str:
    totals = [e.validation_losses.get("total", e.losses.get("total")) for e in history]
    seen = [value for value in totals if value is not None]
    if not seen:
        return "Line charts of training losses; nothing has been recorded yet."
    return (
        f"Line charts of training losses over {len(history)} epochs, one per objective: the total "
        f"goes from {seen[0]:.3f} to {seen[-1]:.3f}, its lowest is {min(seen):.3f}."
    )
