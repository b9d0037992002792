"""Tables whose cells are shaded and carry text."""

from __future__ import annotations

import plotly.graph_objects as go


def add_cells(
    made: go.Figure, values: list[list[float]], text: list[list[str]], hover: str
) -> None:
    """A heat map whose cells carry text in the colour of the theme (blank where it is "")."""
    made.add_trace(
        go.Heatmap(
            z=values,
            customdata=text,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate=f"{hover}<extra></extra>",
            hoverongaps=False,
        )
    )
    made.add_trace(
        go.Scatter(
            x=[x for row in text for x in range(len(row))],
            y=[y for y, row in enumerate(text) for _ in row],
            text=[cell for row in text for cell in row],
            mode="text",
            hoverinfo="skip",
            showlegend=False,
        )
    )
