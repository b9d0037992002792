"""Every metric of the two catalogues keeps the same promises."""

import numpy as np
import pytest

from core.evaluation import EXTERNAL_METRICS, INTERNAL_METRICS
from core.evaluation._base import gathered
from core.evaluation.contingency import contingency

INTERNAL = pytest.mark.parametrize("metric", INTERNAL_METRICS.values(), ids=INTERNAL_METRICS)
EXTERNAL = pytest.mark.parametrize("metric", EXTERNAL_METRICS.values(), ids=EXTERNAL_METRICS)
BOTH = pytest.mark.parametrize(
    "metric",
    [*INTERNAL_METRICS.values(), *EXTERNAL_METRICS.values()],
    ids=[*INTERNAL_METRICS, *EXTERNAL_METRICS],
)


def groups(spread):
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1, 2], [50, 40, 30]).astype(np.int32)
    return 10.0 * np.eye(3)[of] + rng.normal(scale=spread, size=(120, 3)), of


def inside(points, of):
    return gathered(points, of, 200, 0)


@BOTH
def test_everything_the_analyst_reads_is_there(metric):
    assert metric.label and metric.source
    assert metric.meaning.endswith(".")
    assert metric.better in ("higher", "lower")
    assert metric.range.split()[-1] in ("up", "number") or float(metric.range.split()[-1])


@INTERNAL
def test_tight_groups_are_better_than_wide_ones_in_the_stated_direction(metric):
    tight, _ = metric.function(inside(*groups(0.5)))
    wide, _ = metric.function(inside(*groups(4.0)))
    assert (tight > wide) is (metric.better == "higher")


@INTERNAL
def test_internal_values_are_in_their_range_and_do_not_depend_on_order(metric):
    points, of = groups(2.0)
    value, _ = metric.function(inside(points, of))
    order = np.random.default_rng(1).permutation(120)
    again, _ = metric.function(inside(points[order], np.array([2, 0, 1], np.int32)[of[order]]))
    assert again == pytest.approx(value, rel=1e-9)
    assert metric.low is None or value >= metric.low
    assert metric.high is None or value <= metric.high


@INTERNAL
def test_one_segment_is_a_number_or_says_why_not(metric):
    value, note = metric.function(inside(np.eye(4), np.zeros(4, np.int32)))
    assert value is not None or note.startswith("Undefined")


@EXTERNAL
def test_perfect_agreement_is_one_whatever_segments_are_called(metric):
    _, of = groups(1.0)
    value, _ = metric.function(contingency(of, np.array([7, 1, 3])[of]))
    assert value == pytest.approx(1.0)


@EXTERNAL
def test_shuffled_segments_agree_less_and_stay_in_the_range(metric):
    _, of = groups(1.0)
    shuffled = np.random.default_rng(2).permutation(of)
    value, _ = metric.function(contingency(of, shuffled))
    assert value < 0.6
    assert metric.low is None or metric.low <= value <= metric.high
    if metric.name in ("ari", "ami"):
        assert abs(value) < 0.05


@EXTERNAL
def test_external_values_do_not_depend_on_order(metric):
    _, of = groups(1.0)
    segments, order = (of + np.arange(120) % 2) % 3, np.random.default_rng(3).permutation(120)
    first, _ = metric.function(contingency(of, segments))
    again, _ = metric.function(contingency(of[order], segments[order]))
    assert again == pytest.approx(first, rel=1e-12)
