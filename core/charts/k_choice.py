"""What each number of segments gives."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from core.artifacts import KCurve
from core.charts.theme import COLOURS, NOISE_COLOUR, figure

_LINE, _MARK = COLOURS[0], COLOURS[5]


def elbow(curve: KCurve, chosen: int | None = None) -> go.Figure:
    """Loss J per number of segments, with the knee, the suggested and the chosen number marked."""
    knee = f"The knee is at {curve.knee}." if curve.knee is not None else "There is no clear knee."
    made = figure(
        "Where more segments stop paying off",
        "Loss J, the sum of squared distances to the segments' centres, always falls; what counts "
        f"is where it begins to fall slowly. {knee}",
        f"Line chart of loss J from {curve.ks[0]} to {curve.ks[-1]} segments. {knee} "
        f"Suggested: {curve.suggested}.",
        height=360,
    )
    _add_curve(made, curve.ks, curve.inertia, "Loss J")
    if curve.knee in curve.ks:
        knee_loss = curve.inertia[curve.ks.index(curve.knee)]
        made.add_trace(
            go.Scatter(
                x=[curve.knee],
                y=[knee_loss],
                name="Knee",
                mode="markers",
                marker={"symbol": "circle-open", "size": 18, "color": _MARK, "line_width": 3},
                hovertemplate="knee at %{x} segments",
            )
        )
    _mark_choice(made, curve, chosen)
    made.update_yaxes(title_text="Loss J", rangemode="tozero", tickformat=",")
    return made


def silhouette_by_k(curve: KCurve, chosen: int | None = None) -> go.Figure:
    """Macro-silhouette per number of segments, with the suggested and the chosen number marked."""
    seen = [(k, s) for k, s in zip(curve.ks, curve.silhouette, strict=True) if math.isfinite(s)]
    best = max(seen, key=lambda pair: pair[1], default=None)
    tallest = f"The highest is {best[1]:.2f} at {best[0]}." if best else "None could be measured."
    made = figure(
        "How well apart the segments are",
        f"Higher is better: 1 far apart, 0 touching. {tallest}",
        f"Line chart of the silhouette per number of segments. {tallest} "
        f"Suggested: {curve.suggested}.",
        height=360,
    )
    _add_curve(made, [k for k, _ in seen], [s for _, s in seen], "Silhouette")
    _mark_choice(made, curve, chosen, at_top=False)
    made.update_yaxes(title_text="Macro-silhouette")
    return made


def foretold(curve: KCurve, chosen: int | None = None) -> go.Figure | None:
    """Bits per event by which unseen users are foretold, with each number of segments.

    None where no models of behaviour were compared.
    """
    seen = [(k, b) for k, b in zip(curve.ks, curve.bits, strict=True) if math.isfinite(b)]
    if not seen:
        return None
    sure = ""
    if curve.confidence is not None:
        sure = (
            f" {100 * curve.confidence:.0f} of 100 resamplings of the users suggest "
            f"{curve.suggested}."
        )
    made = figure(
        "How well unseen users are foretold",
        "Bits per event of users that were left out; higher (nearer to 0) is better. More "
        f"segments pay only as long as the line rises.{sure}",
        f"Line chart of bits per event from {seen[0][0]} to {seen[-1][0]} segments: "
        f"{seen[0][1]:.3f} to {seen[-1][1]:.3f}. Suggested: {curve.suggested}.{sure}",
        height=360,
    )
    _add_curve(made, [k for k, _ in seen], [b for _, b in seen], "Bits per event", ".3f")
    _mark_choice(made, curve, chosen, at_top=False)
    made.update_yaxes(title_text="Bits per event")
    return made


def _add_curve(
    made: go.Figure, ks: object, values: object, name: str, digits: str = ",.4g"
) -> None:
    made.add_trace(
        go.Scatter(
            x=ks,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": _LINE, "width": 2.5},
            marker={"size": 8},
            hovertemplate=f"%{{x}} segments: %{{y:{digits}}}",
        )
    )
    made.update_xaxes(title_text="Number of segments K", dtick=1)
    made.update_layout(showlegend=False)


def _mark_choice(
    made: go.Figure, curve: KCurve, chosen: int | None, *, at_top: bool = True
) -> None:
    """Upright lines; one with both words where the analyst took what was suggested.

    The words stand where the curve is not: at the foot where it is highest at a good number.
    """
    marks = {curve.suggested: "suggested"}
    if chosen is not None and chosen != curve.suggested and chosen in curve.ks:
        marks[chosen] = "chosen"
    elif chosen == curve.suggested:
        marks[curve.suggested] = "suggested, chosen"
    for place, (k, word) in enumerate(marks.items()):
        made.add_vline(
            x=k,
            line={"dash": "dash", "width": 1.5, "color": NOISE_COLOUR},
            annotation={
                "text": f" {k} {word}",
                "font_size": 12,
                "yanchor": "top" if at_top else "bottom",
                "y": 1 - 0.1 * place if at_top else 0.1 * place,
            },
        )
