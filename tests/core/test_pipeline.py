"""The journey: every step once, found again by what it was made from."""

import numpy as np
import pytest

from core import clustering, representations
from core.artifacts import FIT, TEST, VALIDATE, Beside, KnownLabels
from core.clustering import choose_k, refining
from core.events import clean
from core.pipeline import STEPS, Journey, trained_before
from core.run_options import RunOptions
from core.sequence_models import models, relabelling
from core.store import Store
from tests.journeys import events_of, quick, three_groups, write_log

BELOW = {
    "clean": set(STEPS) - {"filled"},
    "sequence": set(STEPS) - {"filled", "clean"},
    "represent": set(STEPS) - {"filled", "clean", "sequences", "item_features", "models"},
    "cluster": {"k_curve", "labels", "evaluation", "segments", "recommendations"},
    "project": {"projection"},
    "evaluate": {"evaluation"},
    "segment": {"segments", "recommendations"},
    "recommend": {"recommendations"},
    "report": set(),
}
"""By stage, the steps that its settings must reach, and no others."""
FEWER = {"method": "bag", "models_most": 5}
"""The quick representation, with fewer segments to foretell with."""
CHANGES = {
    "clean": {"min_events": 4},
    "sequence": {"last_n": 3},
    "represent": {"method": "bag", "categories": False},
    "cluster": {"k_max": 6},
    "project": {"method": "umap"},
    "evaluate": {"max_share": 0.7},
    "segment": {"max_facts": 2},
    "recommend": {"top_n": 3},
    "report": {"min_cell": 3},
}


@pytest.fixture
def events(tmp_path):
    return events_of(write_log(tmp_path / "log.csv", three_groups()), tmp_path / "raw")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def known(*values):
    ids = [f"l{number:02d}" for number in range(len(values))]
    return KnownLabels(name="kind", user_ids=text(ids), values=text(values))


def text(values):
    return np.array(values, dtype=object)


@pytest.fixture
def made(monkeypatch):
    """Names of the stages that were really at work, in order."""
    seen, within = [], []

    def watch(module, name):
        work = getattr(module, name)

        def working(*args, **kwargs):
            if not within:  # where candidates are tried, only the trial as a whole
                seen.append(name)
            within.append(name)
            try:
                return work(*args, **kwargs)
            finally:
                within.pop()

        monkeypatch.setattr(module, name, working)

    for module, name in (
        (clean, "clean"),
        (models, "learn"),
        (representations, "represent"),
        (choose_k, "k_curve"),
        (clustering, "cluster"),
    ):
        watch(module, name)
    return seen


def test_one_call_makes_every_step_before_it_and_finds_the_planted_groups(events, store):
    journey = Journey(store, events, quick())
    labels = journey.labels()
    assert [step for step in STEPS if journey.ready(step)] == [
        "clean",
        "sequences",
        "models",
        "embeddings",
        "k_curve",
        "labels",
    ]
    segment_of = dict(zip(labels.user_ids, labels.values.tolist(), strict=True))
    groups = {user[0]: segment_of[user] for user in segment_of}
    assert sorted(groups.values()) == [0, 1, 2]
    assert all(segment == groups[user[0]] for user, segment in segment_of.items())


def test_a_second_journey_over_the_same_log_makes_nothing_again(events, store, made):
    first = Journey(store, events, quick())
    first.recommendations()
    assert made == ["clean", "represent", "learn", "k_curve", "cluster"]
    again = Journey(store, events, quick())
    assert again.recommendations() == first.recommendations()
    assert made == ["clean", "represent", "learn", "k_curve", "cluster"]


def test_another_number_of_segments_keeps_the_points(events, store, made):
    Journey(store, events, quick()).labels()
    made.clear()
    four = Journey(store, events, quick(cluster={"n_clusters": 2}))
    assert four.labels().n_clusters == 2
    assert made == ["cluster"]


def test_an_algorithm_that_finds_the_number_does_not_compare_numbers(events, store, made):
    journey = Journey(store, events, quick(cluster={"method": "hdbscan"}))
    assert journey.evaluation().k == journey.evaluation().k_recommended == 3
    assert not {"k_curve", "learn"} & set(made)
    assert not journey.ready("k_curve") and not journey.ready("models")


@pytest.mark.parametrize("stage", list(BELOW))
def test_a_setting_changes_the_steps_below_it_and_no_others(stage, events, store):
    before = Journey(store, events, quick())
    after = Journey(store, events, quick(**{stage: CHANGES[stage]}))
    changed = {step for step in STEPS if before.fingerprint(step) != after.fingerprint(step)}
    assert changed == BELOW[stage]


def test_another_seed_changes_all_that_is_drawn_by_chance_and_keeps_the_log(events, store):
    before, after = (Journey(store, events, quick(seed=seed)) for seed in (0, 1))
    same = {step for step in STEPS if before.fingerprint(step) == after.fingerprint(step)}
    assert same == {"filled", "clean"}  # the sequences hold the drawn side of every user


def test_how_behaviour_is_modelled_changes_what_is_made_of_the_models_and_no_points(events, store):
    before, after = Journey(store, events, quick()), Journey(store, events, quick(represent=FEWER))
    changed = {step for step in STEPS if before.fingerprint(step) != after.fingerprint(step)}
    assert changed == BELOW["cluster"] | {"models"}


@pytest.mark.parametrize(("method", "needed"), [("kmeans", False), ("markov_mixture", True)])
def test_behaviour_is_modelled_only_where_something_reads_the_models(events, store, method, needed):
    journeys = [
        Journey(store, events, quick(represent=how, cluster={"method": method}))
        for how in ({"method": "bag"}, FEWER)
    ]
    assert len({journey.fingerprint("labels") for journey in journeys}) == 1 + needed
    journeys[0].labels()
    assert journeys[0].ready("models") == needed


def test_what_the_choice_left_to_the_tool_takes_is_what_is_made_by_its_name(events, store):
    auto = Journey(store, events, quick(cluster={"n_clusters": 3}))
    taken = auto.labels().method
    named = Journey(store, events, quick(cluster={"n_clusters": 3, "method": taken}))
    assert named.labels().values.tolist() == auto.labels().values.tolist()
    assert named.fingerprint("labels") != auto.fingerprint("labels")
    assert named.fingerprint("embeddings") == auto.fingerprint("embeddings")


def test_the_representation_taken_is_made_as_by_its_name_and_the_reason_is_kept(events, store):
    left = {"method": "auto", "candidates": ["bigram", "bag"]}
    auto = Journey(store, events, quick(represent=left)).embeddings()
    named = Journey(store, events, quick(represent={"method": auto.method})).embeddings()
    np.testing.assert_array_equal(auto.values, named.values)
    assert {rung.method for rung in auto.tried} == {"bigram", "bag"} and auto.why
    assert named.tried == () and named.why == ""


def test_other_known_labels_are_judged_anew_and_form_the_same_segments(events, store):
    none, some, others = (
        Journey(store, events, quick(), beside=Beside(labels=labels))
        for labels in (None, known("a", "b"), known("a", "c"))
    )
    assert len({journey.fingerprint("evaluation") for journey in (none, some, others)}) == 3
    assert none.fingerprint("labels") == some.fingerprint("labels") == others.fingerprint("labels")


def test_a_step_is_ready_once_it_is_made_and_only_under_its_settings(events, store):
    journey = Journey(store, events, quick())
    assert not any(journey.ready(step) for step in STEPS) and journey.seconds() == {}
    journey.clean()
    assert journey.ready("clean") and not journey.ready("sequences")
    assert not Journey(store, events, quick(clean={"min_events": 4})).ready("clean")


def test_each_step_tells_the_seconds_it_took_itself_without_those_above(events, store, monkeypatch):
    clock = [0.0]
    quickly = clean.clean

    def slowly(*args):
        clock[0] += 7.0
        return quickly(*args)

    monkeypatch.setattr("core.store.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(clean, "clean", slowly)
    journey = Journey(store, events, quick())
    journey.sequences()
    assert journey.seconds() == {"clean": 7.0, "sequences": 0.0}


def test_the_listener_hears_every_step_as_it_begins_and_nothing_of_what_is_there(events, store):
    heard = []
    Journey(store, events, quick(), listen=lambda progress: heard.append(progress.stage)).labels()
    assert [stage for stage in dict.fromkeys(heard) if stage in STEPS] == [
        "clean",
        "sequences",
        "embeddings",
        "models",
        "k_curve",
        "labels",
    ]
    heard.clear()
    Journey(store, events, quick(), listen=lambda progress: heard.append(progress.stage)).labels()
    assert heard == []


def test_a_step_that_failed_leaves_nothing_and_can_be_made_later(events, store, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(representations, "represent", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Journey(store, events, quick()).embeddings()
    journey = Journey(store, events, quick())
    assert journey.ready("sequences") and not journey.ready("embeddings")
    assert journey.embeddings().values.shape[0] == 60


def test_what_the_cut_to_the_last_events_leaves_out_is_in_the_report(events, store):
    journey = Journey(store, events, quick(sequence={"last_n": 5}))
    told = journey.cleaning_report()
    cut = int((journey.sequences().length - 5).clip(0).sum())
    assert told.steps[:-1] == journey.clean().report.steps
    assert (told.steps[-1].effect, told.steps[-1].rows) == ("flagged", cut) and cut > 0


def test_what_is_told_of_the_sequences_is_kept_and_true(events, store):
    journey = Journey(store, events, quick())
    told, splits = journey.description(), journey.splits()
    assert (told.summary.n_users, told.summary.n_events) == (60, 360)
    assert (told.n_fit, told.n_validate, told.n_test) == tuple(
        int((splits.user == side).sum()) for side in (FIT, VALIDATE, TEST)
    )
    assert told.n_fit > told.n_validate > 0 and told.n_test > 0
    assert splits.user.tolist() == journey.sequences().split.tolist()
    again = Journey(store, events, quick())
    assert again.description() == told and again.cleaning_report() == journey.cleaning_report()


@pytest.mark.parametrize(
    ("step", "represent", "cluster", "trained"),
    [
        ("clean", "lstm", "latent_class", set()),
        ("embeddings", "lstm", "kmeans", {"embeddings"}),
        ("embeddings", "bag", "latent_class", set()),
        ("labels", "bag", "latent_class", {"labels"}),
        ("run", "auto", "auto", {"embeddings", "labels"}),
        ("run", "bag", "kmeans", set()),
        ("inspect", "auto", "auto", set()),
    ],
)
def test_what_is_trained_on_the_way_to_a_step(step, represent, cluster, trained):
    plain = {"represent": {"method": represent}, "cluster": {"method": cluster}}
    assert trained_before(step, RunOptions.from_dict(plain)) == trained


@pytest.mark.parametrize("module", [refining, relabelling])
def test_refined_labels_are_others_when_refining_is(events, store, monkeypatch, module):
    def identities():
        journeys = (Journey(store, events, quick(cluster={"refine": on})) for on in (True, False))
        return [journey.fingerprint("labels") for journey in journeys]

    before = identities()
    monkeypatch.setattr(module, "VERSION", 99)
    after = identities()
    assert after[0] != before[0] and after[1] == before[1]


def test_what_was_trained_is_not_trained_again(store, events):
    journey = Journey(store, events, quick(represent={"method": "lstm", "epochs": 1}))
    assert journey.learns("embeddings") and journey.learns("run")
    journey.embeddings()
    assert not journey.learns("embeddings")
