"""What is learned of a log is learned of the users to fit: others change nothing for them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import FIT, TEST, VALIDATE
from core.representations import REPRESENTATIONS, learning
from core.representations._base import Work
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from tests.worlds import bare_sequences, vocabulary_of

N_USERS, N_ACTIONS, DAY = 300, 6, 86_400
FEW_COLUMNS = {
    "bag": {"max_columns": 3},
    "tfidf": {"max_columns": 3},
    "event2vec": {"max_items": 3},
    "bigram": {"max_actions": 3},
    "ngram": {"max_words": 4, "max_columns": 8, "words": "action_category"},
    "markov": {"max_actions": 3},
}
"""Options by which it matters what is common."""


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(0)
    lengths = rng.integers(6, 14, N_USERS)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    gap = rng.exponential(DAY / 4, n).astype(np.float32)
    gap[offsets[:-1]] = 0
    place = np.arange(n) - np.repeat(offsets[:-1], lengths)
    return bare_sequences(
        [f"{u:03d}" for u in range(N_USERS)],
        offsets,
        action=rng.integers(1, N_ACTIONS + 1, n).astype(np.int32),
        category=rng.integers(1, 5, n).astype(np.int32),
        item=rng.integers(1, 30, n).astype(np.int32),
        session=(place // 3).astype(np.int32),
        gap=gap,
        time=(1_767_571_200 + np.cumsum(gap) % (90 * DAY)).astype(np.int64),
        price=rng.lognormal(2, 1, n).astype(np.float32),
        split=rng.choice([FIT, VALIDATE, TEST], N_USERS, p=[0.6, 0.2, 0.2]).astype(np.int8),
        vocabulary=vocabulary_of(
            actions=tuple("abcdef"),
            categories=tuple("pqrs"),
            items=tuple(f"i{n}" for n in range(29)),
        ),
    )


@pytest.fixture(scope="module")
def others_changed(log):
    """The log with all others doing rare things, dearly and slowly; it ends when it did."""
    others = log.split[log.user_of_event()] != FIT
    changed = {
        "action": np.where(others, N_ACTIONS, log.action).astype(np.int32),
        "category": np.where(others, 4, log.category).astype(np.int32),
        "item": np.where(others, 29, log.item).astype(np.int32),
        "price": np.where(others, 1e4, log.price).astype(np.float32),
        "gap": np.where(others & (log.gap > 0), 9 * DAY, log.gap).astype(np.float32),
    }
    return replace(log, **changed)


@pytest.fixture(scope="module")
def models(log):
    return learn(log, SequenceModelOptions(models_most=3), 0)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_what_others_do_does_not_move_the_users_to_fit(
    name, log, others_changed, models, monkeypatch
):
    entry = REPRESENTATIONS[name]
    changes = FEW_COLUMNS.get(name, {})
    if entry.learned:  # whom an encoder is trained on is another matter, see `split_users`
        monkeypatch.setattr(learning, "_train", lambda *_: ())
        changes = {"hidden": 8, "evenness": 1.0, "min_users_per_word": 50, "teacher_weight": 0.0}
    fit = [
        entry.fit(sequences, entry.Options(**changes), Work(models=models))
        for sequences in (log, others_changed)
    ]
    fitted, moved = log.split == FIT, log.split != FIT
    assert_allclose(fit[1].values[fitted], fit[0].values[fitted], atol=1e-5)
    assert np.abs(fit[1].values[moved] - fit[0].values[moved]).max() > 0.1
