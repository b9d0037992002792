"""What is offered where a step does not fit."""

import pytest

from core.forecast.cheaper import cheaper_settings
from core.run_options import RunOptions


def offered(step, epochs=None, **stages):
    return list(cheaper_settings(step, RunOptions.from_dict(stages), epochs))


def test_an_encoder_is_first_trained_for_fewer_epochs_then_reads_less_then_is_made_narrower():
    found = offered("embeddings", 8, represent={"method": "lstm"})
    params = [options.represent_params for says, options in found if "representation" not in says]
    assert [(p.epochs, p.window, p.hidden) for p in params] == [
        (4, 128, 64),
        (2, 128, 64),
        (2, 64, 64),
        (2, 32, 64),
        (2, 32, 32),
        (2, 32, 16),
    ]
    assert [says for says, _ in found][1] == "train for 2 epochs"
    assert [says for says, _ in found][4].startswith("train for 2 epochs, stretches of at most 32")
    assert [options.represent.method for _, options in found[-2:]] == ["markov_mixture", "bag"]


def test_a_single_epoch_is_not_made_fewer():
    found = offered("embeddings", 1, represent={"method": "gru", "epochs": 1})
    assert found[0][1].represent_params.window == 64
    assert found[0][1].represent_params.epochs == 1


def test_the_tool_first_leaves_out_what_must_be_trained():
    (first, *_) = offered("embeddings")
    assert "without training" in first[0]
    assert "lstm" not in first[1].represent_params.candidates
    assert "fused" in first[1].represent_params.candidates
    assert first[1].represent.method == "auto"


def test_the_number_of_segments_is_kept_when_a_simpler_algorithm_is_offered():
    found = offered("labels", cluster={"n_clusters": 7})
    assert [o.cluster.method for _, o in found] == ["markov_mixture", "kmeans"]
    assert all(o.cluster.n_clusters == 7 for _, o in found)


@pytest.mark.parametrize("step", ["models", "embeddings", "k_curve", "labels", "projection"])
@pytest.mark.parametrize("method", ["auto", "lstm", "bag", "fused"])
def test_every_offer_is_settings_that_hold_and_that_differ(step, method):
    now = RunOptions.from_dict({"represent": {"method": method}})
    found = [options for _, options in cheaper_settings(step, now, 5)]
    assert all(RunOptions.from_dict(options.to_dict()) == options for options in found)
    assert now not in found and len({str(options) for options in found}) == len(found)


def test_nothing_is_cheaper_than_the_cheapest():
    assert offered("projection", project={"method": "pca"}) == []
