"""Chains corrected by a network: which start is taken, and what happens where all are nobody's."""

from dataclasses import replace

import numpy as np
import pytest

from core.clustering import Behaviour, latent_class
from core.clustering.latent_class import LatentClassOptions, fit
from core.evaluation.worlds import draw
from core.forecast.modelling import stand_in
from core.sequence_models import refining
from core.sequence_models.held_out import Foretold
from core.sequence_models.refining import Refined
from tests.worlds import sequences_of

BRIEF = LatentClassOptions(net_epochs=1, net_hidden=4)


@pytest.fixture(scope="module")
def behaviour():
    sequences = sequences_of(draw("mixed", 120, 0))
    points = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    return Behaviour(sequences=sequences, models=stand_in(sequences, 3), points=points)


def refined(kept, bits):
    """``bits`` are those of what is kept; the network is better than the chains by .05."""
    network = bits if kept else bits + 0.05
    of_users = np.array([[network, network - 0.04], [network, network - 0.06]])
    foretold = Foretold(bits=of_users, n_events=np.ones(2, dtype=np.int64))
    return Refined(state={}, k=3, kept=kept, foretold=foretold, epochs=(), room="Halved.")


@pytest.fixture
def placed(monkeypatch):
    """Every call that places everyone by a network; two users of three follow the second model."""
    calls = []

    def place(state, sequences, k):
        calls.append(k)
        members = np.full((sequences.n_users, k + 1), 0.1, dtype=np.float32)
        members[:, 1], members[::3, 2] = 0.6, 0.8
        return members

    monkeypatch.setattr(refining, "refined_members", place)
    return calls


def test_a_network_that_is_kept_goes_before_better_chains_that_are_not(
    behaviour, placed, monkeypatch
):
    found = {"chains": refined(True, -5.0), "points": refined(False, -4.9)}
    monkeypatch.setattr(latent_class, "_refined", lambda name, *rest: found[name])
    made = fit(behaviour, replace(BRIEF, starts=("points", "chains")), 3, 0)
    assert made.note.startswith("The network corrected the chains of behaviour")
    assert made.note.endswith("Halved.")
    assert placed == [3]  # and everyone is read once, to order the segments and to fill them
    assert made.values.tolist() == [1, 0, 0] * 40 and made.state["order"].tolist() == [1, 2]
    found["points"] = refined(True, -4.9)
    assert "K-means" in fit(behaviour, replace(BRIEF, starts=("chains", "points")), 3, 0).note


def hopeless(models):
    """Models with a background that explains everyone better."""
    state = dict(models.state)
    state["mixture.3.logs"] = np.full_like(state["mixture.3.logs"], -50.0)
    state["mixture.3.shares"] = np.array([0.25, 0.25, 0.25, 0.25])
    state["mixture.3.straying"] = np.zeros(1, dtype=np.int64)
    return replace(models, state=state, sets_aside=True)


@pytest.mark.parametrize("start", ["chains", "points"])
def test_where_the_chains_gave_up_the_background_the_network_has_none(
    behaviour, start, monkeypatch
):
    seen, refine = [], refining.refine

    def spy(models, sequences, start, *rest, **how):
        seen.append((models.sets_aside, start.shape))
        found = refine(models, sequences, start, *rest, **how)
        assert found.k == 3
        return found

    monkeypatch.setattr(refining, "refine", spy)
    alone = replace(behaviour, models=hopeless(behaviour.models))
    made = fit(alone, replace(BRIEF, starts=(start,)), 3, 0)
    assert seen == [(False, (120, 3))]
    assert (made.values >= 0).all() and made.state["k"].tolist() == [3]


def test_where_the_network_leaves_everyone_to_nobody_the_chains_are_kept(behaviour, monkeypatch):
    monkeypatch.setattr(latent_class, "_refined", lambda *rest: refined(True, -5.0))
    monkeypatch.setattr(
        refining, "refined_members", lambda state, log, k: np.eye(k + 1)[[k] * log.n_users]
    )
    made = fit(behaviour, BRIEF, 3, 0)
    assert (made.values >= 0).all() and "the chains were kept" in made.note
