"""What every representation in the catalogue must keep to."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import FIT, VALIDATE, Embeddings, Progress, Sequences
from core.errors import OptionRefused
from core.options import option_info, option_types
from core.representations import REPRESENTATIONS, represent, transform
from core.representations._base import Work
from tests.worlds import bare_sequences, vocabulary_of

EVERY = pytest.mark.parametrize("method", REPRESENTATIONS)
N_USERS = 60


def log(seed: int = 0, **changes: object) -> Sequences:
    """Users with 0 to 30 events of everything a log can have, some of it missing."""
    rng = np.random.default_rng(seed)
    lengths = np.arange(N_USERS) % 31
    n = int(lengths.sum())
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    gap = rng.choice([0.0, 5.0, 60.0, 86_400.0], n)
    gap[offsets[:-1][lengths > 0]] = 0
    return replace(
        bare_sequences(
            [f"u{i:03d}" for i in range(N_USERS)],
            offsets,
            action=rng.integers(0, 4, n).astype(np.int32),
            category=rng.integers(0, 6, n).astype(np.int32),
            item=rng.integers(0, 9, n).astype(np.int32),
            platform=rng.integers(0, 3, n).astype(np.int32),
            time=(1_767_571_200 + np.cumsum(gap)).astype(np.int64),
            gap=gap.astype(np.float32),
            duration=np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(3, 1, n)).astype("f4"),
            price=np.where(rng.random(n) < 0.3, np.nan, rng.lognormal(3, 1, n)).astype("f4"),
            first_time=np.full(N_USERS, 1_767_571_200, dtype=np.int64),
            split=np.where(np.arange(N_USERS) % 7 == 0, VALIDATE, FIT).astype(np.int8),
            vocabulary=vocabulary_of(
                actions=("buy", "cart", "view"),
                categories=tuple("abcde"),
                items=tuple("12345678"),
                platforms=("app", "web"),
            ),
            present=("user", "time", "action", "category", "item", "platform"),
        ),
        **changes,
    )


def quick(method: str) -> object:
    """The method's options, trained briefly where it is trained."""
    options = REPRESENTATIONS[method].Options
    brief = {"epochs": 2, "hidden": 8, "threads": 1}
    return options(**{k: v for k, v in brief.items() if k in option_types(options)})


def points(method: str, sequences: Sequences, seed: int = 0) -> Embeddings:
    return represent(sequences, method, quick(method), Work(seed=seed))


def shuffled(sequences: Sequences, order: np.ndarray) -> Sequences:
    """The same users in another order, their events with them."""
    parts = [np.arange(*sequences.offsets[u : u + 2]) for u in order]
    events = np.concatenate(parts)
    per_event = ("action", "category", "item", "platform", "time", "gap", "duration", "price")
    return replace(
        sequences,
        user_ids=sequences.user_ids[order],
        offsets=np.concatenate([[0], np.cumsum([len(p) for p in parts])]),
        length=sequences.length[order],
        split=sequences.split[order],
        **{name: getattr(sequences, name)[events] for name in per_event},
    )


@EVERY
def test_every_user_gets_one_finite_point(method):
    sequences = log()
    found = points(method, sequences)
    assert found.user_ids.tolist() == sequences.user_ids.tolist()
    assert found.values.dtype == np.float32
    assert found.values.shape[0] == N_USERS
    assert np.isfinite(found.values).all()
    assert len(np.unique(found.values[2:].round(5), axis=0)) > N_USERS // 2


@EVERY
def test_the_same_seed_gives_the_same_bytes(method):
    assert points(method, log()).values.tobytes() == points(method, log()).values.tobytes()


@EVERY
def test_the_sequences_are_not_changed(method):
    sequences, untouched = log(), log()
    points(method, sequences)
    for field in fields(Sequences):
        np.testing.assert_array_equal(
            getattr(sequences, field.name), getattr(untouched, field.name)
        )


@EVERY
def test_read_only_arrays_will_do(method):
    sequences = log()
    for name in ("offsets", "action", "category", "platform", "time", "gap", "price"):
        getattr(sequences, name).setflags(write=False)
    found = points(method, sequences)
    np.testing.assert_array_equal(found.values, points(method, log()).values)


@EVERY
def test_points_go_with_their_users_when_users_are_shuffled(method):
    sequences = log()
    found = points(method, sequences)
    order = np.random.default_rng(1).permutation(N_USERS)
    again = transform(method, found.state, shuffled(sequences, order))
    assert_allclose(again, found.values[order], atol=1e-5)


@EVERY
def test_fitted_users_are_placed_where_they_were(method):
    sequences = log()
    found = points(method, sequences)
    np.testing.assert_array_equal(transform(method, found.state, sequences), found.values)


@EVERY
def test_users_are_placed_where_they_were_with_what_is_known_of_their_items(method):
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(9, 5)).astype(np.float32)
    numbers.setflags(write=False)  # as from the store
    sequences = log(item_vectors=numbers, query_vectors=numbers[:1, :3])
    found = points(method, sequences)
    assert np.isfinite(found.values).all()
    np.testing.assert_array_equal(transform(method, found.state, sequences), found.values)


@EVERY
def test_what_is_learned_is_arrays_only(method):
    state = points(method, log()).state
    assert state
    assert all(type(value) is np.ndarray and value.dtype != object for value in state.values())


@EVERY
def test_a_log_with_nothing_but_users_times_and_one_action_will_do(method):
    full = log()
    nothing, unknown = np.full_like(full.price, np.nan), np.zeros_like(full.action)
    bare = replace(
        full,
        action=np.ones_like(full.action),
        category=unknown,
        item=unknown,
        platform=unknown,
        duration=nothing,
        price=nothing,
        vocabulary=vocabulary_of(actions=("event",)),
        present=("user", "time"),
    )
    assert np.isfinite(points(method, bare).values).all()


@EVERY
def test_users_that_behave_the_same_get_the_same_point(method):
    one = log()
    user = slice(*one.offsets[30:32])
    same = {
        name: np.tile(getattr(one, name)[user], 20)
        for name in ("action", "category", "item", "platform", "time", "gap", "duration", "price")
    }
    found = points(
        method,
        replace(
            one,
            user_ids=one.user_ids[:20],
            offsets=np.arange(21) * 30,
            length=np.full(20, 30),
            split=one.split[:20],
            **same,
        ),
    )
    assert_allclose(found.values, np.broadcast_to(found.values[0], found.values.shape), atol=1e-6)


@EVERY
def test_training_is_heard_of_and_counting_has_no_history(method):
    heard: list[Progress] = []
    entry = REPRESENTATIONS[method]
    found = represent(log(), method, quick(method), Work(report=heard.append))
    assert found.learned == entry.learned == bool(found.history)
    assert [p.epoch for p in heard if p.epoch] == list(found.history)
    assert found.device


@EVERY
def test_options_of_another_method_are_refused(method):
    own = REPRESENTATIONS[method].Options
    other = next(e for e in REPRESENTATIONS.values() if e.Options is not own)
    with pytest.raises(OptionRefused, match=f"'{method}' takes .*, not {other.Options.__name__}"):
        represent(log(), method, other.Options(), Work())


@EVERY
def test_bad_options_are_refused_in_words(method):
    options = REPRESENTATIONS[method].Options
    with pytest.raises(OptionRefused, match=r"Unknown option 'represent\.hiden'\. Allowed: "):
        options.from_dict({"hiden": 3}, where="represent")
    for name in option_types(options):
        info = option_info(options, name)
        assert info.label and info.help
        if info.low is not None:
            with pytest.raises(OptionRefused, match=rf"represent\.{name} is .*Allowed: "):
                options.from_dict({name: info.low - 1}, where="represent")


@EVERY
def test_the_catalogue_says_what_an_analyst_must_know(method):
    entry = REPRESENTATIONS[method]
    assert entry.name == method
    for words in (entry.label, entry.summary, entry.strengths, entry.weaknesses):
        assert words
    for sentence in (entry.summary, entry.strengths, entry.weaknesses):
        assert sentence.endswith(".")


@EVERY
def test_settings_and_seed_are_part_of_the_identity(method):
    one = points(method, log())
    assert one.fingerprint == points(method, log()).fingerprint
    others = {
        points(method, log(), seed=1).fingerprint,
        points(method, log(fingerprint="e" * 64)).fingerprint,
        represent(
            log(),
            next(m for m in REPRESENTATIONS if m != method),
            quick(next(m for m in REPRESENTATIONS if m != method)),
        ).fingerprint,
    }
    assert len(others | {one.fingerprint}) == 4


def test_a_near_miss_of_a_name_is_answered_with_the_name():
    with pytest.raises(OptionRefused, match="Did you mean 'bigram'") as refused:
        represent(log(), "bigrams", REPRESENTATIONS["bigram"].Options())
    assert f"Allowed: {', '.join(REPRESENTATIONS)}." in str(refused.value)


def test_the_catalogue_loads_without_pytorch() -> None:
    import subprocess
    import sys

    code = "import sys, core.representations; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
