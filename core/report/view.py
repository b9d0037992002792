"""What goes into a report, and what of it may be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from core.artifacts import (
    CleaningReport,
    Embeddings,
    Evaluation,
    KCurve,
    Labels,
    Projection,
    Recommendations,
    Segments,
)
from core.charts.small_cells import published_text


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """All that a report is made of."""

    title: str
    """Name of the data set."""
    created: str
    """ISO 8601, UTC."""
    journey_options: Mapping[str, Any]
    """Settings per stage, as `RunOptions.to_dict` gives them."""
    cleaning: CleaningReport
    k_curve: KCurve | None
    """None for methods that find the number of segments."""
    embeddings: Embeddings
    labels: Labels
    projection: Projection
    evaluation: Evaluation
    segments: Segments
    recommendations: Recommendations
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A figure as the template draws it."""

    id: str
    alt: str
    height: int
    json: Markup


Draw = Callable[[str, go.Figure], Chart]
"""Makes a chart of a name and a figure."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What may be told of sizes."""

    min_cell: int
    sizes: Mapping[int, int | None]
    """None for segments too small to tell anything of."""

    @property
    def hidden(self) -> frozenset[int]:
        """Segments of which only the name is told."""
        return frozenset(segment for segment, size in self.sizes.items() if size is None)

    def size(self, segment: int) -> str:
        """The size of a segment as it may be told."""
        return published_text(self.sizes[segment], self.min_cell)


def whole_percent(share: float) -> str:
    """A share as "34%", never finer: finer ones would tell counts that are not told."""
    return f"{100 * share:.0f}%"
