"""Every algorithm of the catalogue keeps the same promises."""

import numpy as np
import pytest

from core.artifacts import Embeddings
from core.clustering import CLUSTERERS, assign, cluster
from core.errors import OptionRefused
from core.options import option_info, option_types
from core.store import load, save

EVERY = pytest.mark.parametrize("method", CLUSTERERS)


def users(order=None):
    """230 users in groups of 120, 70 and 40 and ten strays, in a known shuffled order."""
    rng = np.random.default_rng(0)
    places = np.array([[0, 0, 0], [12, 0, 0], [0, 12, 5]])
    of = np.repeat([0, 1, 2], [120, 70, 40])
    values = np.vstack([places[of] + rng.normal(size=(230, 3)), rng.uniform(-40, 40, (10, 3))])
    ids = np.array([f"u{i:03d}" for i in range(240)], dtype=object)
    rows = rng.permutation(240) if order is None else order
    return Embeddings(
        user_ids=ids[rows],
        values=values[rows].astype(np.float32),
        method="bag",
        learned=False,
        device="cpu",
        state={},
        history=(),
        fingerprint="f" * 64,
    )


def formed(method, points, seed=0):
    return cluster(points, method, CLUSTERERS[method].Options(), 3, seed)


@EVERY
def test_the_same_seed_gives_the_same_labels(method):
    first, second = formed(method, users(), 5), formed(method, users(), 5)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.confidence, second.confidence)
    assert first.fingerprint == second.fingerprint


@EVERY
def test_labels_run_from_zero_largest_first_and_noise_is_minus_one(method):
    labels = formed(method, users())
    found = np.unique(labels.values)
    assert found[found >= 0].tolist() == list(range(labels.n_clusters))
    assert set(found.tolist()) <= {-1, *range(labels.n_clusters)}
    sizes = np.bincount(labels.values[labels.values >= 0])
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert labels.n_clusters == 3


@EVERY
def test_confidence_is_within_zero_and_one_and_zero_for_noise(method):
    labels = formed(method, users())
    assert labels.confidence.dtype == np.float32
    assert labels.confidence.min() >= 0.0
    assert labels.confidence.max() <= 1.0
    assert (labels.confidence[labels.values == -1] == 0.0).all()


@EVERY
def test_the_input_is_unchanged(method):
    points = users()
    before = points.values.copy()
    points.values.setflags(write=False)
    formed(method, points)
    np.testing.assert_array_equal(points.values, before)


@EVERY
def test_every_user_keeps_its_segment_when_users_come_in_another_order(method):
    plain, shuffled = formed(method, users(np.arange(240))), formed(method, users())
    by_id = dict(zip(plain.user_ids, plain.values, strict=True))
    expected = [by_id[user] for user in shuffled.user_ids]
    assert (np.array(expected) == shuffled.values).mean() > 0.99


@EVERY
def test_assigning_the_fitted_users_gives_their_labels_again(method):
    points = users()
    labels = formed(method, points)
    values, confidence = assign(method, labels.state, points.values)
    assert (values.dtype, confidence.dtype) == (np.int32, np.float32)
    assert (values == labels.values).mean() >= (1.0 if method == "kmeans" else 0.95)
    np.testing.assert_allclose(confidence, labels.confidence, atol=1e-6)


@EVERY
def test_a_single_new_user_is_assigned_as_in_a_crowd(method):
    points = users()
    labels = formed(method, points)
    together, _ = assign(method, labels.state, points.values)
    alone = [int(assign(method, labels.state, points.values[i : i + 1])[0][0]) for i in range(240)]
    assert alone == together.tolist()


@EVERY
def test_labels_survive_the_disk_and_assign_from_there(method, tmp_path):
    points = users()
    labels = formed(method, points)
    save(labels, tmp_path)
    loaded = load(type(labels), tmp_path)
    values, _ = assign(method, loaded.state, points.values)
    assert values.tolist() == assign(method, labels.state, points.values)[0].tolist()
    assert loaded.loss_trace == labels.loss_trace


@EVERY
def test_no_user_at_all_can_be_assigned(method):
    labels = formed(method, users())
    values, confidence = assign(method, labels.state, np.zeros((0, 3), dtype=np.float32))
    assert (len(values), len(confidence)) == (0, 0)


@EVERY
def test_an_unknown_option_is_refused_with_what_is_allowed(method):
    options = CLUSTERERS[method].Options
    name = next(iter(option_types(options)))
    with pytest.raises(OptionRefused) as refused:
        options.from_dict({name + "x": 1}, where="cluster")
    assert f"Unknown option 'cluster.{name}x'" in str(refused.value)
    assert f"Did you mean '{name}'?" in str(refused.value)


@EVERY
def test_every_number_out_of_its_range_is_refused_with_the_range(method):
    options = CLUSTERERS[method].Options
    bounded = [n for n in option_types(options) if option_info(options, n).low is not None]
    assert bounded
    for name in bounded:
        low = option_info(options, name).low
        with pytest.raises(OptionRefused, match=f"cluster.{name} is .* from {low:g}"):
            options.from_dict({name: type(low)(low - 1)}, where="cluster")


@EVERY
def test_everything_the_analyst_reads_is_there(method):
    entry = CLUSTERERS[method]
    assert entry.name == method
    for text in (entry.label, entry.summary, entry.strengths, entry.weaknesses, entry.cost):
        assert text
    assert entry.summary.endswith(".") and entry.cost.endswith(".")


def test_an_unknown_algorithm_is_refused_with_what_is_allowed():
    with pytest.raises(OptionRefused, match=r"Allowed: kmeans, hdbscan\. Did you mean 'kmeans'\?"):
        cluster(users(), "kmean", CLUSTERERS["kmeans"].Options(), 3, 0)
