"""Every figure: what it draws, that it explains itself, and that no data string is markup."""

from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.artifacts import NOISE
from core.charts import evaluation, events, k_choice, loss_trace, projection, segments, training
from core.charts.theme import COLOURS, LESS, NOISE_COLOUR
from tests.core import artifacts_by_hand as made

MARKUP = "<b>x</b>"
CALM = "&lt;b&gt;x&lt;/b&gt;"


@dataclass(frozen=True)
class Count:
    name: str
    events: int
    users: int


def timeline(*actions: str):
    series = tuple(SimpleNamespace(action=action, counts=(3, 0, 5)) for action in actions)
    starts = tuple(datetime(2026, 1, day) for day in (1, 2, 3))
    return SimpleNamespace(unit="day", starts=starts, series=series)


def bins(*users: int):
    return tuple(
        SimpleNamespace(low=2**i, high=2 ** (i + 1) - 1, users=n) for i, n in enumerate(users)
    )


def kinds():
    """Pauses by kind, as they are counted of a log."""
    names = (("same time", 1.0), ("under 1 h", 3600.0), ("longer", None))
    return tuple(
        SimpleNamespace(name=name, up_to=limit, events=n) for n, (name, limit) in enumerate(names)
    )


def pause_bins(*pauses: int):
    return tuple(
        SimpleNamespace(low=600.0 * 2**i, high=1200.0 * 2**i, pauses=n)
        for i, n in enumerate(pauses)
    )


def stages():
    names = ("looked", "bought")
    return tuple(
        SimpleNamespace(name=name, actions=(MARKUP,), users=30 - 20 * i, also=9)
        for i, name in enumerate(names)
    )


def table(**columns):
    n = len(made.user_ids())
    segment = np.asarray(made.labels().values)
    return pd.DataFrame(
        {"user": made.user_ids(), "segment": segment, "story": ["view"] * n, **columns}
    )


def hostile_segment():
    lift = replace(made.lifts()[0], name=MARKUP)
    fact = replace(made.facts()[0], subject=MARKUP)
    return made.segment(0, name=MARKUP, facts=(fact,), categories=(lift,), items=(lift,))


FIGURES = {
    "losses": lambda: training.loss_curves(made.history()),
    "elbow": lambda: k_choice.elbow(made.k_curve(), 4),
    "silhouette by k": lambda: k_choice.silhouette_by_k(made.k_curve(), 5),
    "loss trace": lambda: loss_trace.loss_trace(made.labels()),
    "map": lambda: projection.user_map(made.projection(), table(), "segment"),
    "silhouettes": lambda: evaluation.silhouette_plot(made.evaluation(), {0: MARKUP}),
    "confusion": lambda: evaluation.confusion_table(made.confusion(), {0: MARKUP}),
    "sizes": lambda: segments.sizes(replace(made.segments(), segments=(hostile_segment(),))),
    "profile": lambda: segments.profile_heat_map(
        replace(made.segments(), segments=(hostile_segment(),))
    ),
    "moves": lambda: segments.transition_graph(made.segment(), (MARKUP, *made.ACTIONS[1:])),
    "over time": lambda: events.events_over_time(timeline("view", MARKUP)),
    "per user": lambda: events.events_per_user(bins(3, 9, 1), bins(5, 9, 1)),
    "actions": lambda: events.action_counts((Count(MARKUP, 9, 2),)),
    "categories": lambda: events.category_counts(()),
    "pauses": lambda: events.pauses(kinds(), 1800),
    "no pauses": lambda: events.pauses((), None),
    "visit pauses": lambda: events.visit_pauses(pause_bins(3, 0, 9), 1800),
    "visits": lambda: events.visits_per_user(bins(5, 9, 1)),
    "funnel": lambda: events.funnel(stages(), 40),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_it_shows_how_to_read_it_and_names_its_axes(name):
    layout = FIGURES[name]().layout
    assert len(layout.title.text) <= 48  # Plotly does not break titles
    assert layout.title.subtitle.text.endswith(".")
    assert layout.meta["alt"].endswith(".")
    assert layout.height >= 240
    if name not in ("map", "profile", "moves"):
        assert layout.xaxis.title.text


@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_carries_data_as_markup(name):
    layout = FIGURES[name]().layout
    drawn = FIGURES[name]()
    drawn.layout.meta = None  # spoken, not drawn
    assert MARKUP not in str(drawn.to_dict())
    assert "&lt;" not in layout.meta["alt"]


@pytest.mark.parametrize("name", ["silhouettes", "confusion", "sizes", "moves", "actions"])
def test_names_out_of_the_data_are_shown_as_they_are(name):
    assert CALM in str(FIGURES[name]().to_dict())


def test_every_objective_has_a_panel_with_fitted_users_solid_and_the_others_dotted():
    drawn = training.loss_curves(made.history(3))
    assert [(line.name, line.yaxis) for line in drawn.data] == [
        ("All objectives, learned from", "y"),
        ("All objectives, held out", "y"),
        ("Next event, learned from", "y2"),
        ("Next event, held out", "y2"),
        ("Telling users apart, learned from", "y3"),
    ]
    assert [line.line.dash for line in drawn.data] == ["solid", "dot", "solid", "dot", "solid"]
    assert drawn.data[0].y == (6.0, 4.0, 4 / 3 + 2)
    assert drawn.layout.xaxis2.domain[0] > drawn.layout.xaxis.domain[1]


def test_the_names_of_losses_stand_at_the_ends_of_their_lines_and_apart():
    drawn = training.loss_curves(made.history(3))
    ends = [note for note in drawn.layout.annotations if note.xref != "paper"]
    assert [(note.text, note.xref, note.x) for note in ends[:3]] == [
        ("learned from", "x", 3),
        ("held out", "x", 3),
        ("learned from", "x2", 3),
    ]
    assert (ends[0].y, ends[1].y) == (4 / 3 + 2, 3.5 / 3 + 2.4)
    assert (ends[0].yshift, ends[1].yshift) == (-8, 8)  # the held-out one is higher
    assert ends[-1].yshift == 0  # alone in its panel
    assert not drawn.layout.showlegend


def test_losses_can_be_drawn_before_the_first_epoch():
    assert training.loss_curves(()).data == ()


def test_the_knee_and_the_suggestion_stand_where_they_are():
    drawn = k_choice.elbow(made.k_curve(), 6)
    assert drawn.data[1].x == (4,)
    assert drawn.data[1].y == (900 / 4,)
    assert [
        (line.x0, note.text.strip())
        for line, note in zip(drawn.layout.shapes, drawn.layout.annotations, strict=True)
    ] == [
        (4, "4 suggested"),
        (6, "6 chosen"),
    ]
    assert "The knee is at 4" in drawn.layout.title.subtitle.text.replace("<br>", " ")


def test_without_a_knee_none_is_drawn():
    drawn = k_choice.elbow(made.k_curve(knee=None))
    assert len(drawn.data) == 1
    assert "no clear knee" in drawn.layout.title.subtitle.text.replace("<br>", " ")


def test_one_segment_has_no_silhouette_to_draw():
    curve = replace(made.k_curve(), ks=(1, 2), inertia=(9.0, 4.0), silhouette=(float("nan"), 0.5))
    assert k_choice.silhouette_by_k(curve).data[0].x == (2,)


def test_the_kept_start_is_drawn_last_and_stands_out():
    lines = loss_trace.loss_trace(made.labels()).data
    assert [line.name for line in lines] == ["Start 1", "Start 3", "Start 2 (kept)"]
    assert lines[-1].y == (95.0, 66.0, 58.2, 57.9, 57.9)
    assert lines[-1].line.width > lines[0].line.width


def test_each_point_of_the_map_carries_the_index_of_its_user():
    shown = np.array([0, 5, 700, 1199])
    drawn = projection.user_map(made.projection(), table(), "segment", shown)
    by_name = {layer.name: layer for layer in drawn.data}
    assert list(by_name) == ["No segment", "Segment 0", "Segment 1"]
    assert by_name["Segment 0"].customdata.tolist() == [0, 5]
    assert by_name["No segment"].customdata.tolist() == [1199]
    assert by_name["Segment 0"].x.dtype == np.float32
    assert isinstance(drawn.data[0], go.Scattergl)
    np.testing.assert_array_equal(by_name["Segment 1"].x, made.projection().points[[700], 0])
    assert drawn.layout.dragmode == "lasso"


def test_segments_on_the_map_have_their_names_and_colours():
    names = pd.Categorical.from_codes(np.asarray(made.labels().values), [MARKUP, "B", "C"])
    drawn = projection.user_map(
        made.projection(), table(segment=names), "segment", np.array([0, 1190])
    )
    layers = {layer.name: layer for layer in drawn.data}
    assert layers[CALM].marker.color == COLOURS[0]
    assert layers[CALM].text == (f"<b>secret-00000</b><br>{CALM}<br>view",)
    assert layers["No segment"].marker.color == NOISE_COLOUR


def test_known_labels_on_the_map_rarer_than_the_tenth_share_the_grey():
    words = np.array([f"w{min(i % 50, 11):02d}" for i in range(1200)], dtype=object)
    words[7] = None
    drawn = projection.user_map(made.projection(), table(**{"known label": words}), "known label")
    assert [layer.name for layer in drawn.data[:3]] == ["Not known", "Others", "w11"]
    assert len(drawn.data) == 11
    assert drawn.data[0].customdata.tolist() == [7]


def test_numbers_on_the_map_are_a_scale_that_one_giant_does_not_flatten():
    values = np.arange(1200.0)
    values[0], values[1] = np.nan, 1e9
    drawn = projection.user_map(made.projection(), table(spend=values), "spend")
    assert [layer.name for layer in drawn.data] == ["Not known", "spend"]
    assert drawn.data[1].marker.cmax < 1200


def test_a_hidden_segment_is_not_in_the_silhouette_plot():
    drawn = evaluation.silhouette_plot(made.evaluation(), hidden=frozenset({1}))
    assert [bar.name for bar in drawn.data] == ["Segment 0", "Segment 2"]
    assert [tick.split("  ")[1] for tick in drawn.layout.yaxis.ticktext] == ["0.35", "0.40"]


def test_the_confusion_table_shades_by_share_of_the_label():
    drawn = evaluation.confusion_table(made.confusion())
    assert drawn.data[0].z[0][0] == pytest.approx(540 / 572)
    assert drawn.data[0].customdata[2] == ["20", "10", "147", "3"]


def test_small_cells_of_the_confusion_table_are_hidden_and_cannot_be_worked_out():
    drawn = evaluation.confusion_table(made.confusion(), min_cell=5)
    assert drawn.data[0].customdata[2] == ["20", "10", "145", "<5"]
    assert drawn.data[0].z[2][3] == 0
    assert sum(drawn.data[0].z[2]) == pytest.approx(1)


def test_bars_of_sizes_hide_what_is_small():
    small = replace(made.segments(), segments=(made.segment(0), made.segment(1, size=3)))
    drawn = segments.sizes(small, min_cell=5).data[0]
    assert drawn.x == (620, 0)
    assert drawn.text[1] == "<5"
    assert segments.sizes(small).data[0].text[1].startswith("3 ")


def test_the_profile_shows_the_effect_of_each_segment_and_blank_where_there_is_none():
    drawn = segments.profile_heat_map(
        replace(
            made.segments(), segments=(made.segment(0), made.segment(1, facts=made.facts(-1)[:1]))
        )
    )
    assert drawn.layout.yaxis.ticktext[0] == "search <i>(action)</i>"
    assert drawn.data[0].customdata[0] == ["+1.2", "-1.2"]
    assert drawn.data[0].customdata[1] == ["+0.8", ""]
    assert drawn.data[0].colorscale[0][1].startswith("rgba(213,94,0")  # LESS
    assert LESS == "#D55E00"


def test_segments_without_facts_give_an_empty_profile():
    drawn = segments.profile_heat_map(
        replace(made.segments(), segments=(made.segment(0, facts=()),))
    )
    assert drawn.data[0].z is None or len(drawn.data[0].z) == 0


def test_arrows_go_to_the_most_frequent_next_actions_and_repeats_stand_beside_the_name():
    rows = ((0.5, 0.45, 0.05), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    drawn = segments.transition_graph(made.segment(0, transitions=rows), ("view", "cart", "buy"))
    *arrows, labels, nodes = drawn.data
    assert len(arrows) == 2  # view to cart, cart to buy; 5% is too rare, a repeat is no arrow
    assert labels.text == ("<b>45%</b>", "<b>100%</b>")
    assert [tuple(names[:2]) for names in labels.customdata] == [("view", "cart"), ("cart", "buy")]
    assert nodes.text == ("<b>view</b><br>↻ 50%", "<b>cart</b>", "<b>buy</b>")
    assert arrows[1].line.width > arrows[0].line.width
    start, end = nodes.x[0], nodes.x[1]
    assert abs(arrows[0].x[0] - start) < abs(arrows[0].x[0] - end)


def test_one_action_alone_makes_a_graph_of_one_node():
    drawn = segments.transition_graph(made.segment(0, transitions=((1.0,),)), ("event",))
    assert drawn.data[0].text == ("<b>event</b><br>↻ 100%",)


def test_equal_names_of_categories_keep_their_own_bars():
    long = "a" * 80
    drawn = events.category_counts((Count(long + "1", 9, 2), Count(long + "2", 5, 1)))
    assert drawn.data[0].y == (0, 1)
    assert len(set(drawn.layout.yaxis.ticktext)) == 1


def test_the_end_of_a_visit_stands_between_the_pauses_it_parts():
    (line,) = events.pauses(kinds(), 3600).layout.shapes
    assert line.x0 == 1.5  # behind "same time" and "under 1 h"
    (line,) = events.visit_pauses(pause_bins(3, 9), 1200).layout.shapes
    first, second = events.visit_pauses(pause_bins(3, 9), 1200).data[0].x
    assert first < line.x0 < second


def test_a_funnel_tells_users_and_shares_of_all():
    drawn = events.funnel(stages(), 40).data[0]
    assert list(drawn.x) == [30, 10]
    assert list(drawn.text) == ["30 (75%)", "10 (25%)"]
    assert drawn.customdata[1] == "9 of them came from the stage above"


def test_bins_of_events_per_user_are_named_by_their_range():
    drawn = events.events_per_user(bins(3, 9), bins(5, 9, 1))
    assert drawn.layout.xaxis.ticktext == ("1", "2-3", "4-7")
    assert [bar.name for bar in drawn.data] == ["Before cleaning", "After cleaning"]


def test_a_log_without_times_draws_no_bars():
    empty = SimpleNamespace(unit="day", starts=(), series=())
    assert events.events_over_time(empty).data == ()


def test_noise_is_named_in_the_confusion_table():
    ticks = evaluation.confusion_table(made.confusion()).layout.xaxis.ticktext
    assert ticks[-1] == "No segment"
    assert made.confusion().segments[-1] == NOISE
