"""Figures of what the tool chose: representations side by side, and how many segments."""

import pytest

from core.artifacts import KCurve, Rung
from core.charts import k_choice, representations
from core.charts.theme import COLOURS

NAN = float("nan")
LABELS = {"bag": "Counts", "bigram": "Pairs <b>x</b>", "lstm": "Encoder", "time": "When"}


def rung(method, *segments, problem=""):
    points = tuple((float(place), 0.5, segment) for place, segment in enumerate(segments))
    return Rung(
        method=method,
        bits=-3.0,
        behind=0.0,
        error=0.0,
        agreement=1.0,
        seconds=1.0,
        width=2,
        points=points,
        problem=problem,
    )


def curve(bits, confidence=0.98):
    ks = tuple(range(1, len(bits) + 1))
    return KCurve(
        ks=ks,
        inertia=tuple(9.0 / k for k in ks),
        silhouette=(NAN, *[0.5] * (len(ks) - 1)),
        bits=tuple(bits),
        confidence=confidence,
        knee=None,
        suggested=3,
        reason="",
        fingerprint="a" * 64,
    )


def reading(figure):
    return figure.layout.title.subtitle.text.replace("<br>", " ")


def test_every_representation_that_was_tried_has_a_map_under_its_name():
    tried = (rung("bag", 0, 0, 1), rung("bigram", 1, 0, 0), rung("lstm", problem="No GPU."))
    drawn = representations.small_maps(tried, LABELS, "bigram")
    assert [note.text for note in drawn.layout.annotations] == [
        "Counts",
        "<b>Pairs &lt;b&gt;x&lt;/b&gt;</b> (taken)",
    ]
    assert [list(layer.x) for layer in drawn.data] == [[0, 1, 2], [0, 1, 2]]
    assert {layer.xaxis for layer in drawn.data} == {"x", "x2"}
    assert drawn.layout.meta["alt"].endswith("2 representations: Counts, Pairs <b>x</b>.")
    assert len(drawn.layout.title.text) <= 48


def test_segments_of_the_same_users_have_the_same_colour_in_every_map():
    tried = (rung("bag", 0, 0, 1, 1), rung("bigram", 1, 1, 0, 2))
    taken, other = representations.small_maps(tried, LABELS, "bag").data
    assert list(taken.marker.color) == [COLOURS[0], COLOURS[0], COLOURS[1], COLOURS[1]]
    # What was 1 there holds the users of segment 0 here; 0 shares users with 1; 2 is left over.
    assert list(other.marker.color) == [COLOURS[0], COLOURS[0], COLOURS[1], COLOURS[2]]


def test_maps_of_other_users_keep_apart_from_the_colours_of_the_one_taken():
    tried = (rung("bag", 0, 1), rung("bigram", 0, 1, 1))
    drawn = representations.small_maps(tried, LABELS, "bag").data[1]
    assert list(drawn.marker.color) == [COLOURS[2], COLOURS[3], COLOURS[3]]


def test_more_than_four_maps_stand_in_rows_as_even_as_can_be():
    names = {f"r{place}": f"Way {place}" for place in range(5)}
    tried = tuple(rung(name, 0, 1) for name in names)
    drawn = representations.small_maps(tried, names, "r0")
    one_row = representations.small_maps(tried[:4], names, "r0")
    across = {round(getattr(drawn.layout, f"xaxis{n or ''}").domain[0], 3) for n in (0, 2, 3)}
    assert len(across) == 3
    assert drawn.layout.xaxis4.domain[0] == 0
    assert drawn.layout.height > one_row.layout.height


def test_bits_are_drawn_for_the_numbers_of_segments_that_have_any():
    drawn = k_choice.foretold(curve((-4.0, -3.5, -3.2, NAN)), 2)
    (line,) = drawn.data
    assert (line.x, line.y) == ((1, 2, 3), (-4.0, -3.5, -3.2))
    words = [note.text.strip() for note in drawn.layout.annotations]
    assert words == ["3 suggested", "2 chosen"]
    assert "98 of 100 resamplings of the users suggest 3." in reading(drawn)
    assert "higher (nearer to 0) is better" in reading(drawn)
    assert "Suggested: 3" in drawn.layout.meta["alt"]


def test_without_models_nothing_is_foretold():
    assert k_choice.foretold(curve((NAN, NAN, NAN), None)) is None


@pytest.mark.parametrize("confidence", [None, 0.42])
def test_confidence_is_told_only_where_there_is_one(confidence):
    told = reading(k_choice.foretold(curve((-4.0, -3.5), confidence)))
    assert ("resamplings" in told) is (confidence is not None)
    assert "nan" not in told
