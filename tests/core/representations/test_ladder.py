"""The choice left to the tool: the representation whose segments foretell unseen users best."""

import math
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts import FIT, TEST, VALIDATE, Progress
from core.errors import OptionRefused, TooLittleData
from core.evaluation import worlds
from core.representations import REPRESENTATIONS, ladder, represent
from core.representations._base import Fitted, Work
from core.representations.ladder import AutoOptions, climb
from core.sequence_models.held_out import Foretold
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from tests.core.sequence_models.logs import acting
from tests.worlds import sequences_of

BRIEF = SequenceModelOptions(models_most=5, background="never")


@pytest.fixture(scope="module")
def order():
    """A world whose segments differ in the order of actions alone, and models of it."""
    world = worlds.draw("first_order", 400, 0)
    sequences = sequences_of(world)
    return world, sequences, Work(models=learn(sequences, BRIEF, 0))


def only(*candidates, **changes):
    return AutoOptions(candidates=candidates, **changes)


def made_of(points):
    """A representation that gives every user the point it is told, whatever it is made of."""

    def fit(sequences, options, work):
        who = [int(user[1:]) for user in sequences.user_ids]
        return Fitted(values=np.asarray(points, dtype=np.float32)[who], state={}, device="cpu")

    return replace(REPRESENTATIONS["bag"], fit=fit)


def failing(sequences, options, work):
    raise TooLittleData("No user has two events.")


def test_where_order_tells_users_apart_what_sees_order_is_taken(order):
    _, sequences, work = order
    found = climb(sequences, REPRESENTATIONS, only("bag", "bigram"), work)
    assert found.method == "bigram" and [rung.method for rung in found.rungs] == ["bigram", "bag"]
    best, other = found.rungs
    assert best.behind == 0 and best.agreement == pytest.approx(1.0)
    assert other.behind == pytest.approx(best.bits - other.bits) and other.behind > other.error > 0
    assert other.agreement < 0.3 and "Pairs of actions" in found.why and "best" in found.why


def test_the_true_segments_are_worth_most_and_what_they_are_worth_is_told(order):
    world, sequences, work = order
    catalogue = {
        "noise": made_of(np.random.default_rng(0).normal(size=(400, 2))),
        "truth": made_of(np.eye(4)[world.truth]),
    }
    found = climb(sequences, catalogue, only("noise", "truth"), work)
    assert found.method == "truth" and f"{found.rungs[0].bits:.3f} bits per event" in found.why
    assert f"{found.rungs[1].bits:.3f}" in found.why


def test_of_candidates_that_are_as_good_the_first_named_is_taken(order):
    world, sequences, work = order
    truth = np.eye(4)[world.truth]
    catalogue = {"one": made_of(truth), "same": made_of(truth * 3)}
    assert climb(sequences, catalogue, only("same", "one"), work).method == "same"
    assert climb(sequences, catalogue, only("one", "same", "one"), work).method == "one"


@pytest.mark.parametrize(
    ("bits", "taken"),
    [
        ((-14.0, -13.01, -13.0), "one"),  # a hundredth of what the best gains: too little to matter
        ((-14.0, -13.1, -13.0), "other"),
        ((-13.0, -13.1, -13.0), "one"),  # neither foretells better than one segment for all
    ],
)
def test_a_sure_difference_that_is_too_little_to_matter_is_no_reason(
    order, monkeypatch, bits, taken
):
    world, sequences, work = order

    def foretold(labels, known, unseen):
        assert not labels[0].any()  # one segment for all
        n_users = len(unseen.n_events)
        return Foretold(
            bits=np.tile(bits, (n_users, 1)) * unseen.n_events[:, None], n_events=unseen.n_events
        )

    monkeypatch.setattr(ladder, "bits_by", foretold)
    truth = made_of(np.eye(4)[world.truth])
    catalogue = {"one": truth, "other": truth}
    assert climb(sequences, catalogue, only("one", "other"), work).method == taken


def test_what_could_not_be_tried_is_named_last_with_the_reason(order):
    _, sequences, work = order
    catalogue = {**REPRESENTATIONS, "lstm": replace(REPRESENTATIONS["lstm"], fit=failing)}
    found = climb(sequences, catalogue, only("lstm", "bag"), work)
    assert [rung.method for rung in found.rungs] == ["bag", "lstm"]
    assert found.rungs[1].problem == "No user has two events." and math.isnan(found.rungs[1].bits)
    assert found.method == "bag" and "nothing else could be compared" in found.why


def test_where_nothing_can_be_made_the_first_reason_is_the_message(order):
    _, sequences, work = order
    catalogue = {"lstm": replace(REPRESENTATIONS["lstm"], fit=failing)}
    with pytest.raises(TooLittleData, match=r"No user has two events\."):
        climb(sequences, catalogue, only("lstm"), work)


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        (("bag", "bigrm"), r"represent\.candidates names 'bigrm'.*Did you mean 'bigram'\?"),
        ((), r"represent\.candidates is empty\. Name one or more of "),
    ],
)
def test_unknown_candidates_are_refused_before_anything_is_made(order, candidates, told):
    _, sequences, _ = order
    with pytest.raises(OptionRefused, match=told):
        represent(sequences, "auto", only(*candidates), Work())


def test_of_many_users_a_sample_is_tried_and_everyone_is_placed(order):
    _, sequences, work = order
    heard: list[Progress] = []
    told = replace(work, report=heard.append)
    found = represent(sequences, "auto", only("bag", "bigram", ladder_users=150), told)
    (told,) = {p.text.split(" on ")[1] for p in heard if p.text.startswith("Trying Bag")}
    left_out = int(found.why.split(": of ")[1].split()[0])
    assert found.values.shape[0] == 400 and told == f"{150 - left_out} users" and left_out > 10
    assert all(len(rung.points) <= 150 for rung in found.tried)


def test_an_encoder_is_tried_briefly_and_trained_in_full_where_it_is_taken(order):
    _, sequences, work = order
    few = sequences.of_users(np.arange(60))
    brief = replace(work, models=None, seed=3)
    seen = []

    def fit(sequences, options, work):
        seen.append((options.epochs, work.keep))
        return REPRESENTATIONS["bag"].fit(sequences, REPRESENTATIONS["bag"].Options(), work)

    catalogue = {"lstm": replace(REPRESENTATIONS["lstm"], fit=fit)}
    climb(few, catalogue, only("lstm", ladder_epochs=2), brief)
    assert seen == [(2, None)]


def test_what_auto_makes_is_what_the_method_it_took_makes(order):
    _, sequences, work = order
    auto = represent(sequences, "auto", only("bag", "bigram"), work)
    named = represent(sequences, auto.method, REPRESENTATIONS[auto.method].Options(), work)
    np.testing.assert_array_equal(auto.values, named.values)
    assert auto.fingerprint != named.fingerprint and len(auto.tried) == 2 and auto.why


def test_the_same_seed_chooses_alike_and_each_small_map_is_of_some_users(order):
    _, sequences, work = order
    first, again = (
        climb(sequences, REPRESENTATIONS, only("bag", "bigram"), work) for _ in range(2)
    )
    assert [replace(r, seconds=0) for r in first.rungs] == [
        replace(r, seconds=0) for r in again.rungs
    ]
    for rung in first.rungs:
        assert len(rung.points) == (sequences.split == FIT).sum() and {
            segment for _, _, segment in rung.points
        } <= set(range(5))


def test_who_judges_has_had_no_part_in_what_is_judged(order):
    _, sequences, work = order
    seen = []

    def fit(sequences, options, work):
        seen.append((set(sequences.split.tolist()), work.models))
        return REPRESENTATIONS["bag"].fit(sequences, options, work)

    catalogue = {"bag": replace(REPRESENTATIONS["bag"], fit=fit)}
    found = climb(sequences, catalogue, only("bag"), work)
    ((sides, models),) = seen
    assert sides == {FIT} and models.n_fitted == (sequences.split == FIT).sum()
    watched = int((sequences.split == VALIDATE).sum())
    assert f"of {watched} users that were left out of all this" in found.why


def acting_otherwise(sequences, side):
    """The log with other actions of the users of that side."""
    whose = np.repeat(sequences.split, np.diff(sequences.offsets)) == side
    action = np.where(whose, sequences.action[::-1], sequences.action)
    return replace(sequences, action=action.astype(sequences.action.dtype))


def test_what_test_users_do_changes_nothing(order):
    _, sequences, _ = order
    first, second = (
        climb(log, REPRESENTATIONS, only("markov_mixture"), Work(models=learn(log, BRIEF, 0)))
        for log in (sequences, acting_otherwise(sequences, TEST))
    )
    assert [replace(r, seconds=0) for r in first.rungs] == [
        replace(r, seconds=0) for r in second.rungs
    ]


def test_what_those_do_who_judge_changes_the_judgement_and_no_segment(order):
    _, sequences, work = order
    first, second = (
        climb(log, REPRESENTATIONS, only("markov_mixture"), work).rungs[0]
        for log in (sequences, acting_otherwise(sequences, VALIDATE))
    )
    assert first.points == second.points and first.bits != second.bits


def test_how_briefly_an_encoder_was_trained_is_told(order):
    world, sequences, work = order
    catalogue = {"lstm": replace(made_of(np.eye(4)[world.truth]), learned=True)}
    why = climb(sequences, catalogue, only("lstm", ladder_epochs=3), work).why
    assert why.endswith("Encoders were trained for 3 epochs only to be compared.")


def test_users_who_are_all_alike_can_be_compared_on():
    alike = acting({f"u{i:02d}": "xxyxy" for i in range(40)})
    found = climb(alike, REPRESENTATIONS, only("bag", "markov_mixture"), Work())
    assert found.method == "bag" and {rung.problem for rung in found.rungs} == {""}
    assert all(np.isfinite(rung.bits) for rung in found.rungs)
