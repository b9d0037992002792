import json
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import Evaluation
from core.evaluation import EvaluateOptions, evaluate, to_contract
from core.store import load, save


@pytest.fixture
def judge(embeddings_of, labels_of, sequences_of):
    """``judge(points, values, ...)`` evaluates a segmentation given by plain arrays."""

    def make(points, values, known=None, lengths=None, learned=False, k_suggested=None, seed=0):
        lengths = np.full(len(values), 10) if lengths is None else lengths
        labels = labels_of(values)
        return evaluate(
            embeddings_of(points, learned=learned),
            labels,
            sequences_of(lengths),
            known,
            EvaluateOptions(),
            seed,
            k_suggested=labels.n_clusters if k_suggested is None else k_suggested,
        )

    return make


def test_segments_are_not_called_segments_before_they_are_tested(judge, overlapping):
    found = judge(*overlapping)
    assert (found.n_users, found.k, found.k_recommended) == (180, 3, 3)
    assert found.verdict_code is None
    figure = next(m.value for m in found.internal if m.name == "macro_silhouette")
    assert found.verdict == (
        f"3 segments with a silhouette of {figure:.2f} (from -1 to 1); whether they are more than "
        "chance gives has not been tested. All conditions are met."
    )


def test_a_high_silhouette_earns_no_praise(judge, overlapping):
    points, of = overlapping
    found = judge(points + 9 * np.eye(3, 5)[of], of)
    assert next(m.value for m in found.internal if m.name == "macro_silhouette") > 0.7
    assert found.verdict_code is None and "apart" not in found.verdict
    assert "has not been tested. All conditions are met." in found.verdict


def test_the_suggested_number_is_recommended_where_another_was_forced(judge, overlapping):
    points, of = overlapping
    found = judge(points, of, k_suggested=2)
    assert (found.k, found.k_recommended) == (3, 2)
    assert "3 segments (2 are suggested)" in found.verdict
    alone = judge(points, np.zeros(180), k_suggested=2)
    assert (alone.verdict_code, alone.k_recommended) == (None, 2)
    assert (
        "Everyone is in one segment, so there is nothing to compare; 2 are suggested"
        in alone.verdict
    )


def test_users_who_are_alike_are_a_continuum_of_one_segment(judge):
    found = judge(np.ones((80, 3)), np.zeros(80), k_suggested=1)
    assert (found.verdict_code, found.k, found.k_recommended) == ("continuum", 1, 1)
    assert found.verdict.startswith("No segments: all users are alike")


def test_one_segment_that_a_method_found_by_itself_is_no_proof_that_there_are_none(
    embeddings_of, labels_of, sequences_of, overlapping
):
    note = "No group is denser than the rest: everyone is in one segment."
    labels = replace(labels_of(np.zeros(180)), method="hdbscan", note=note)
    found = evaluate(
        *(embeddings_of(overlapping[0]), labels, sequences_of(np.full(180, 10)), None),
        *(EvaluateOptions(), 0),
        k_suggested=1,
    )
    assert (found.verdict_code, found.k, found.k_recommended) == (None, 1, 1)
    assert found.verdict == (
        f"One segment was found; whether there are more has not been tested. {note}"
    )


def test_too_few_users_conclude_nothing(judge, overlapping):
    points, of = overlapping
    found = judge(points[:49], np.unique(of[:49], return_inverse=True)[1])
    assert (found.verdict_code, found.k_recommended) == ("too_little_data", 1)
    assert "49 users, and at least 50 are needed" in found.verdict


def test_heavy_and_light_users_are_called_activity_tiers(judge, overlapping):
    points, of = overlapping
    found = judge(points, of, lengths=np.array([200, 20, 5])[of])
    assert found.verdict_code == "activity_tiers"
    assert found.verdict.startswith("Activity tiers: Segments explain 100% of the differences")
    assert "Whether they are more than chance gives has not been tested." in found.verdict
    assert found.k_recommended == 3


def test_gates_that_fail_are_named_in_the_verdict(judge, overlapping):
    points, of = overlapping
    found = judge(points, np.where(np.arange(180) < 100, -1, of))
    assert "To be mended: 56% of the users are in no segment" in found.verdict


def test_the_silhouette_plot_has_every_segment_falling(judge, overlapping):
    found = judge(*overlapping)
    assert [len(values) for values in found.silhouette_sample] == [90, 60, 30]
    for mean, values in zip(found.per_segment_silhouette, found.silhouette_sample, strict=True):
        assert list(values) == sorted(values, reverse=True)
        assert mean == pytest.approx(np.mean(values))
    alone = judge(np.eye(3)[[0, 0, 1]], [0, 0, 1])
    assert np.isnan(alone.per_segment_silhouette[1])


def test_noise_alone_is_evaluated_without_a_number_made_up(judge, overlapping):
    found = judge(overlapping[0], np.full(180, -1), k_suggested=0)
    assert (found.k, found.k_recommended, found.verdict_code) == (0, 1, None)
    assert found.verdict.startswith("No segment was found; whether there are any")
    assert all(metric.value is None for metric in found.internal)


def test_the_same_seed_gives_the_same_evaluation_and_inputs_are_unchanged(judge, overlapping):
    points, of = overlapping
    before = points.copy()
    assert judge(points, of, seed=4) == judge(points, of, seed=4)
    np.testing.assert_array_equal(points, before)


def test_arrays_of_different_users_are_a_bug_not_a_result(
    embeddings_of, labels_of, sequences_of, overlapping
):
    points, of = overlapping
    with pytest.raises(ValueError, match="not of the same users"):
        evaluate(
            embeddings_of(points[:-1]),
            labels_of(of),
            sequences_of(np.ones(180)),
            None,
            EvaluateOptions(),
            0,
            k_suggested=3,
        )


def test_the_contract_file_has_flat_numbers_and_says_what_was_not_measured(
    judge, overlapping, known_of
):
    points, of = overlapping
    found = judge(points, of, known=known_of(np.array(["a", "b", "c"])[of]))
    plain = json.loads(json.dumps(to_contract(found), allow_nan=False))
    assert plain["k"] == plain["k_recommended"] == 3
    assert plain["n_users"] == 180
    assert plain["internal"]["macro_silhouette"] == pytest.approx(found.internal[0].value)
    assert plain["external"]["ari"] == plain["external"]["purity"] == 1.0
    assert plain["external"]["baseline"]["ari"] == 0.0
    assert plain["external"]["noise_as_singletons"]["nmi"] == 1.0
    assert (plain["external"]["n_labelled"], plain["external"]["n_unmatched"]) == (180, 0)
    assert plain["external"]["confusion"]["counts"] == [[90, 0, 0], [0, 60, 0], [0, 0, 30]]
    assert (plain["null"], plain["stability"], plain["yardstick"]) == (None, None, None)
    assert {gate["name"] for gate in plain["gates"]} >= {"segment_size", "activity"}
    assert plain["metrics"]["davies_bouldin"]["better"] == "lower"


def test_without_labels_external_is_null_and_nan_never_reaches_the_file(judge):
    plain = to_contract(judge(np.ones((80, 3)), np.zeros(80), k_suggested=1))
    assert plain["external"] is None
    assert plain["internal"]["macro_silhouette"] is None
    assert plain["per_segment_silhouette"] == [None]
    json.dumps(plain, allow_nan=False)


def test_an_evaluation_survives_the_disk(judge, overlapping, known_of, tmp_path):
    points, of = overlapping
    found = judge(points, of, known=known_of(np.array(["a", "b", "c"])[of]))
    save(found, tmp_path)
    assert load(Evaluation, tmp_path) == found
