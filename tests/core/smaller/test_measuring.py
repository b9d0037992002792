"""What is measured of smaller models, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from core import representations
from core.artifacts import FIT, Progress
from core.errors import OptionRefused, TooLittleData
from core.representations import Work
from core.smaller import measuring, recorded, telling
from core.smaller.measuring import ORIGINAL, Comparison, Measured, Original, compare, cosines

WAYS = ("bare", "int8", "shared")


@pytest.fixture
def original(encoder_run):
    return recorded.original_of(encoder_run)


def model(way, **changes):
    made = {
        "way": way,
        "model_bytes": 1000,
        "weights": 250,
        "events_per_second": 100.0,
        "faster_in": 0,
        "cosine_mean": 1.0,
        "cosine_low": 1.0,
        "same_segment": 1.0,
        "ari": 1.0,
        "seconds": 0.0,
    }
    return Measured(**made | changes)


def comparison(*models):
    return Comparison(
        method="lstm",
        models=(model(ORIGINAL), *models),
        n_judged=30,
        n_unlearned=30,
        n_timed_events=900,
        rounds=9,
        device="cpu (no GPU found)",
        seed=0,
        note="",
    )


def test_models_are_compared_by_users_that_taught_nothing(original, its_sequences, tmp_path):
    found, states = compare(original, its_sequences, WAYS, Work(), tmp_path)
    users = np.flatnonzero(its_sequences.split != FIT)
    assert found.n_judged == found.n_unlearned == len(users) > 10
    judged = its_sequences.of_users(users)
    assert found.n_timed_events == judged.n_events
    assert [m.way for m in found.models] == [ORIGINAL, *WAYS]
    points = {
        name: representations.transform("lstm", state, judged) for name, state in states.items()
    }
    for one in found.models:
        assert one.model_bytes == (tmp_path / f"{one.way}.safetensors").stat().st_size
        near = cosines(points[ORIGINAL], points[one.way])
        assert one.cosine_mean == pytest.approx(near.mean())
        assert one.cosine_low == pytest.approx(np.quantile(near, 0.01))
        assert one.events_per_second > 0 and 0 <= one.faster_in <= found.rounds
    first, bare, int8, _ = found.models
    assert (first.same_segment, first.ari, first.faster_in) == (1.0, 1.0, 0)
    assert (bare.cosine_low, bare.same_segment) == (pytest.approx(1.0), 1.0)
    assert first.model_bytes > bare.model_bytes > 2.5 * int8.model_bytes
    assert int8.cosine_low < bare.cosine_low


def test_users_moved_into_another_segment_are_counted(
    original, its_sequences, tmp_path, monkeypatch
):
    def elsewhere(state, sequences, way, work):
        return {**state, "axes": -state["axes"]}  # every point on the other side

    monkeypatch.setattr(measuring, "make", elsewhere)
    found, _ = compare(original, its_sequences, ["bare"], Work(), tmp_path)
    assert found.models[1].cosine_mean == pytest.approx(-1.0)
    assert found.models[1].same_segment < 0.8


def test_without_segments_of_points_no_agreement_is_claimed(original, its_sequences, tmp_path):
    found, _ = compare(replace(original, labels=None), its_sequences, ["bare"], Work(), tmp_path)
    assert [m.same_segment for m in found.models] == [None, None]
    assert "no segments yet" in found.note
    assert "cosine" in telling.verdict(found.models[1], found)
    assert telling.rows(found)[1][6:8] == ("–", "–")
    behaving = replace(original.labels, method="markov_mixture")
    kept, _ = compare(replace(original, labels=behaving), its_sequences, ["bare"], Work(), tmp_path)
    assert kept.models[1].ari is None and "stay the same" in kept.note


def test_progress_rises_from_way_to_way(original, its_sequences, tmp_path):
    told: list[Progress] = []
    compare(original, its_sequences, ["bare", "int8"], Work(report=told.append), tmp_path)
    done = [progress.done for progress in told]
    assert done == sorted(done) and done[0] == 0 and done[-1] == pytest.approx(0.9)
    assert "8-bit numbers" in told[1].text


def test_where_nobody_is_left_to_judge_by_it_is_told(original, its_sequences, tmp_path):
    fitted = replace(its_sequences, split=np.full(its_sequences.n_users, FIT, np.int8))
    with pytest.raises(TooLittleData, match=r"0 users .*sequence\.validate_share"):
        compare(original, fitted, ["bare"], Work(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_representation_without_an_encoder_is_refused(its_sequences, tmp_path):
    with pytest.raises(OptionRefused, match="no encoder"):
        compare(Original(method="rfm", state={}), its_sequences, ["bare"], Work(), tmp_path)


def test_of_many_users_some_are_taken_at_even_distances(monkeypatch):
    monkeypatch.setattr(measuring, "_MOST_JUDGED", 4)
    assert measuring._judged(np.arange(10, 20)).tolist() == [10, 12, 15, 17]


def test_cosines_at_the_centre():
    points = np.array([[0, 0], [0, 0], [1, 0]], np.float32)
    other = np.array([[0, 0], [1, 0], [0, 2]], np.float32)
    assert cosines(points, other).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("speed", "faster_in", "told"),
    [
        (200.0, 9, "2 times as fast"),
        (200.0, 8, "no difference in speed that stands out"),
        (105.0, 9, "no difference in speed that stands out"),
        (50.0, 0, "2 times slower"),
        (50.0, 1, "no difference in speed that stands out"),
    ],
)
def test_speed_is_told_only_where_every_round_says_so(speed, faster_in, told):
    one = model("int8", model_bytes=250, events_per_second=speed, faster_in=faster_in)
    assert telling.verdict(one, comparison(one)) == (
        f"8-bit numbers: a file 4 times smaller, {told}, and 100.0% of the users in the same "
        "segment."
    )


def test_the_table_has_a_line_per_model_under_its_headings():
    lines = telling.table(comparison(model("narrower", same_segment=0.962))).splitlines()
    assert len(lines) == 3 and len({len(line) for line in lines}) == 1
    assert lines[0].startswith("Model") and lines[2].startswith("Half as wide")
    assert "96.2%" in lines[2] and "1.0 kB" in lines[2]


def test_what_was_compared_by_whom_is_said():
    told = telling.basis(replace(comparison(), n_unlearned=400))
    assert "on 30 users of 400 that taught no smaller model" in told
    assert "median of 9 rounds over 900 events on one thread" in told
