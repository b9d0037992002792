"""Counting by blocks: how large they are, and that nothing depends on it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from core.representations import REPRESENTATIONS, counts, fused
from core.representations._base import Work
from core.representations.bag import BAG
from core.representations.counts import centre_of, user_blocks
from core.representations.event2vec import EVENT2VEC, Event2VecOptions
from core.representations.idec import _soft
from tests.worlds import bare_sequences, vocabulary_of


def log(n_users=60, n_actions=5, n_categories=4):
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 12, n_users)
    n = int(lengths.sum())
    return bare_sequences(
        [f"{u:05d}" for u in range(n_users)],
        np.concatenate([[0], np.cumsum(lengths)]),
        action=rng.integers(0, n_actions + 1, n).astype(np.int32),
        category=rng.integers(0, n_categories + 1, n).astype(np.int32),
        session=rng.integers(0, 2, n).astype(np.int32),
        vocabulary=vocabulary_of(
            actions=tuple(f"a{i}" for i in range(n_actions)),
            categories=tuple(f"c{i}" for i in range(n_categories)),
        ),
    )


@pytest.mark.parametrize(("width", "most"), [(1, 65_536), (32, 65_536), (1024, 2048), (10**8, 1)])
def test_the_wider_what_is_counted_the_fewer_users_at_once(width, most):
    n_users = 65_540 if most > 1 else 3
    nobody_acts = bare_sequences([""] * n_users, np.zeros(n_users + 1, np.int64))
    sizes = [users.stop - users.start for users, _, _ in user_blocks(nobody_acts, width)]
    assert sum(sizes) == n_users and max(sizes) == most


@pytest.mark.parametrize("name", ["bag", "bigram", "ngram", "markov", "event2vec", "tfidf"])
def test_the_points_are_the_same_whatever_is_counted_at_once(name, monkeypatch):
    entry, sequences = REPRESENTATIONS[name], log()
    whole = entry.fit(sequences, entry.Options(), Work()).values
    monkeypatch.setattr(counts, "_CELLS_PER_BLOCK", 1)
    assert_allclose(entry.fit(sequences, entry.Options(), Work()).values, whole, atol=1e-5)


def test_the_mean_of_a_column_is_over_those_counted_alone():
    values = np.arange(20_000, dtype=np.float32).reshape(10_000, 2)
    counted = np.arange(0, 10_000, 3)
    assert_allclose(centre_of(values, counted), values[counted].mean(axis=0, dtype=np.float64))
    assert centre_of(values, counted[:0]).tolist() == [0, 0]


def test_only_actions_by_categories_that_were_met_have_a_vector():
    sequences = log(n_actions=300, n_categories=2000)
    fitted = EVENT2VEC.fit(sequences, Event2VecOptions(width=4), Work())
    assert len(fitted.state["vectors"]) <= 1 + sequences.n_events
    met = {(int(a), int(c)) for a, c in zip(sequences.action, sequences.category, strict=True)}
    unmet = next((a, c) for a in range(1, 9) for c in range(1, 9) if (a, c) not in met)
    new = bare_sequences(
        ["ann", "bob"],
        [0, 1, 3],
        action=np.array([unmet[0], unmet[0], sequences.action[0]], np.int32),
        category=np.array([unmet[1], unmet[1], sequences.category[0]], np.int32),
        vocabulary=sequences.vocabulary,
    )
    found = EVENT2VEC.transform(fitted.state, new) + fitted.state["centre"]
    alone = replace(
        new.of_users(np.array([1])),
        action=new.action[[2]],
        category=new.category[[2]],
        offsets=np.array([0, 1]),
    )
    known = EVENT2VEC.transform(fitted.state, alone) + fitted.state["centre"]
    assert_allclose(found[0], 0, atol=1e-6)  # nothing is known of it,
    assert_allclose(found[1], known[0] / 2, atol=1e-6)  # but that it happened


def test_of_fused_parts_few_users_at_a_time_are_as_wide_as_all_parts_together(monkeypatch):
    sequences = log(300)
    options = fused.FusedOptions(lasting=False, width=4)
    whole = fused.fit(sequences, options, Work())
    seen = []

    def transform(state, some):
        seen.append(some.n_users)
        return BAG.transform(state, some)

    monkeypatch.setattr(fused, "_AT_ONCE", 70)
    monkeypatch.setitem(fused.PARTS, "bag", (replace(BAG, transform=transform), {}))
    again = fused.transform(whole.state, sequences)
    assert seen == [70, 70, 70, 70, 20]
    assert_allclose(again, whole.values, atol=1e-5)


def test_soft_assignments_hold_no_difference_of_every_user_to_every_centre():
    states, centres = torch.randn(500, 32, requires_grad=True), torch.randn(7, 32)
    kept = []

    def keep(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        soft = _soft(states, centres)
    assert max(kept) <= states.numel()
    apart = ((states[:, None] - centres) ** 2).sum(dim=2)
    by_hand = (1 / (1 + apart)) / (1 / (1 + apart)).sum(dim=1, keepdim=True)
    torch.testing.assert_close(soft, by_hand)
