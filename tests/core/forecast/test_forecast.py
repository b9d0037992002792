"""Forecasts of a real journey on the worked example, and of steps by a clock that is not time."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from core.clustering import CLUSTERERS
from core.forecast import HEAVY, forecast, heavy_before, in_words
from core.forecast.clusterings import Ground, labels_cost
from core.forecast.encoding import encoder_cost
from core.forecast.measuring import Gauge
from core.forecast.modelling import stand_in
from core.forecast.representing import Representing
from core.pipeline import Journey
from core.representations import REPRESENTATIONS
from core.representations._base import Fitted
from core.representations.encoder_options import EncoderOptions
from core.run_options import RunOptions
from core.sequence_models.models import members_of
from core.store import Store
from tests.journeys import TINY, events_of, quick
from tests.worlds import DAWN, tiny_sequences

GB = 2.0**30


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The worked example, cleaned and made into sequences."""
    folder = tmp_path_factory.mktemp("forecast")
    journey = Journey(Store(folder / "store"), events_of(TINY, folder / "log"), quick())
    journey.sequences()
    return journey


def under(journey, options):
    return Journey(journey.store, journey.events, options)


@pytest.fixture(scope="module")
def regular():
    """Sixty users of ten events each."""
    words = ("view", "cart", "buy")
    return tiny_sequences(
        {
            f"u{u:02d}": [
                (words[(u + e) % 3], f"c{u % 2}", None, DAWN + 60 * e, None) for e in range(10)
            ]
            for u in range(60)
        }
    )


def every_look_is_a_second():
    """A gauge for which whatever is timed takes one second, however long it takes."""
    return Gauge(count().__next__)


def test_the_heavy_steps_of_a_run_are_forecast_in_order_and_what_is_made_is_not(tiny, tmp_path):
    journey = Journey(Store(tmp_path), tiny.events, tiny.options)
    assert heavy_before(journey, "projection", "evaluation") == HEAVY  # auto clusters by models
    journey.embeddings()
    found = forecast(journey, gauge=every_look_is_a_second())
    assert [one.step for one in found.steps] == ["models", "k_curve", "labels", "projection"]
    assert all(0 < one.low_seconds < one.high_seconds for one in found.steps)
    assert found.of("labels").cheaper is None and found.of("embeddings") is None


def test_steps_that_a_setting_does_not_need_are_not_forecast(tiny, tmp_path):
    hdbscan = quick(cluster={"method": "hdbscan"})
    journey = Journey(Store(tmp_path), tiny.events, hdbscan)
    assert heavy_before(journey, "projection", "evaluation") == (
        "embeddings",
        "labels",
        "projection",
    )


def test_a_step_without_memory_enough_does_not_fit(tiny):
    gauge, options = every_look_is_a_second(), quick(represent={"method": "fused"})
    journey = under(tiny, options)
    poor = forecast(journey, ("embeddings",), gauge=gauge, available=lambda: 0.0)
    assert not poor.of("embeddings").fits and not poor.of("embeddings").has_room
    rich = forecast(journey, ("embeddings",), gauge=gauge, available=lambda: 64 * GB)
    assert rich.of("embeddings").fits and rich.available_mb == 64 * 1024
    unknown = forecast(journey, ("embeddings",), gauge=gauge, available=lambda: None)
    assert unknown.of("embeddings").fits and unknown.available_mb is None


def test_of_cheaper_settings_the_first_that_fits_is_offered(tiny):
    options = RunOptions.from_dict({"represent": {"method": "lstm", "epochs": 64, "patience": 0}})
    gauge = every_look_is_a_second()

    def of(limit_seconds):
        journey = under(tiny, options)
        return forecast(journey, ("embeddings",), limit_seconds=limit_seconds, gauge=gauge).of(
            "embeddings"
        )

    whole = of(1e9)
    assert whole.fits and whole.cheaper is None
    middle = (whole.low_seconds * whole.high_seconds) ** 0.5
    half, quarter = of(0.7 * middle).cheaper, of(0.4 * middle).cheaper
    assert half.options["represent"]["epochs"] == 32 and half.fits
    assert quarter.options["represent"]["epochs"] == 16 and quarter.fits
    assert quarter.high_seconds < half.high_seconds < whole.high_seconds


def test_where_nothing_fits_the_cheapest_is_offered_and_that_is_said(tiny):
    options = RunOptions.from_dict({"represent": {"method": "lstm", "epochs": 64, "patience": 0}})
    found = forecast(
        under(tiny, options), ("embeddings",), limit_seconds=1e-9, gauge=every_look_is_a_second()
    )
    cheaper = found.of("embeddings").cheaper
    assert not cheaper.fits
    assert cheaper.high_seconds < found.of("embeddings").high_seconds / 4


def test_training_takes_as_many_steps_as_the_plan_has(regular):
    def of(**options):
        given = EncoderOptions(device="cpu", patience=0, batch_users=4, **options)
        return encoder_cost(regular, given, "lstm", every_look_is_a_second()).middle

    # 60 users in steps of 4, a second each; nobody is watched.
    assert of(epochs=7) - of(epochs=4) == pytest.approx(3 * 15, rel=0.01)


def test_a_training_that_may_stop_early_has_a_wider_range(regular):
    watched = replace(regular, split=(np.arange(60) % 4 == 0).astype(np.int8))

    def of(patience):
        given = EncoderOptions(device="cpu", epochs=40, batch_users=4, patience=patience)
        found = encoder_cost(watched, given, "lstm", every_look_is_a_second())
        return found.high / found.low

    assert of(10) > 1.6 * of(0)


def test_the_whole_log_counts_and_not_the_sample(regular):
    many = regular.of_users(np.tile(np.arange(60), 20))
    given = EncoderOptions(device="cpu", patience=0, batch_users=4, epochs=3)
    few, all_of_them = (
        encoder_cost(log, given, "lstm", every_look_is_a_second()).middle for log in (regular, many)
    )
    assert all_of_them / few == pytest.approx(20, rel=0.25)


def test_past_the_users_that_are_learned_from_only_placing_is_added(regular, monkeypatch):
    clock = [0.0]

    def fit(sequences, options, work):
        clock[0] += 0.010 * sequences.n_users
        return Fitted(values=np.zeros((sequences.n_users, 2), np.float32), state={}, device="")

    def transform(state, sequences):
        clock[0] += 0.001 * sequences.n_users

    entry = replace(REPRESENTATIONS["bag"], fit=fit, transform=transform, most_users=120)
    monkeypatch.setitem(REPRESENTATIONS, "bag", entry)
    many = regular.of_users(np.tile(np.arange(60), 20))  # 1,200 users
    found = Representing(many, stand_in(regular, 2), Gauge(lambda: clock[0]))
    cost = found.cost("bag", entry.Options())
    assert cost.middle == pytest.approx(0.010 * 120 + 0.001 * (1_200 - 120), rel=0.02)


def test_models_that_nobody_fitted_place_users_as_fitted_ones_do(regular):
    models = stand_in(regular, 4)
    assert models.ks == (1, 2, 3, 4)
    members = members_of(models.state, regular, 3)
    assert members.shape == (60, 3)
    assert members.sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)


def ground_of(sequences, gauge, k=3, ways=(1, 1)):
    """What algorithms are tried on, with models of up to three segments."""
    return Ground(
        sequences=sequences,
        sample=sequences,
        points=np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32),
        models=stand_in(sequences, 3),
        k=k,
        models_users=6_000,
        ways=ways,
        gauge=gauge,
    )


@pytest.mark.parametrize("method", [*CLUSTERERS, "auto"])
def test_every_algorithm_has_a_cost(regular, method):
    options = RunOptions.from_dict({"cluster": {"method": method}}).cluster_params
    cost = labels_cost(ground_of(regular, Gauge()), method, options)
    assert 0 <= cost.low < cost.high


@pytest.mark.parametrize("method", ["markov_mixture", "latent_class"])
def test_segments_beyond_those_that_were_modelled_have_to_be_fitted_first(regular, method):
    options = RunOptions.from_dict({"cluster": {"method": method}}).cluster_params

    def cost(k, ways=(1, 1)):
        return labels_cost(ground_of(regular, every_look_is_a_second(), k, ways), method, options)

    kept, fitted, aside = cost(3), cost(4), cost(4, (1, 2))
    assert fitted.low > kept.low and fitted.high > kept.high
    assert aside.low == pytest.approx(fitted.low) and aside.high > fitted.high


@pytest.mark.parametrize(
    ("method", "least", "most"),
    [("kmeans", True, True), ("markov_mixture", False, False), ("auto", False, True)],
)
def test_refining_segments_of_points_takes_a_network_too(regular, method, least, most):
    options = RunOptions.from_dict({"cluster": {"method": method}}).cluster_params
    plain, refined = (
        labels_cost(ground_of(regular, every_look_is_a_second()), method, options, refine=on)
        for on in (False, True)
    )
    assert (refined.low > plain.low + 1) is least
    assert (refined.high > plain.high + 1) is most


def test_whether_segments_are_refined_reaches_the_forecast(tiny):
    def seconds(refine):
        options = quick(cluster={"method": "kmeans", "n_clusters": 2, "refine": refine})
        journey = under(tiny, options)
        found = forecast(journey, ("labels",), gauge=every_look_is_a_second())
        return found.of("labels").high_seconds

    assert seconds(True) > seconds(False) + 1


def test_a_forecast_is_told_in_the_units_of_its_size():
    assert in_words(2, 4, 396) == "About 2 to 4 s and 400 MB"
    assert in_words(61, 119, 2048) == "About 1 to 2 min and 2 GB"
    assert in_words(7_000, 15_000, 40) == "About 2 to 4 h and 40 MB"
    assert in_words(0.1, 0.3, 100) == "About 1 s and 100 MB"
    assert in_words(20, 200, 100) == "About 20 s to 4 min and 100 MB"
