"""In which order things happen: transitions between actions, and typical users' stories."""

from __future__ import annotations

import numpy as np

from core.artifacts import DoubleArray, Labels, LongArray, Sequences, Story
from core.segments._base import Groups, SegmentOptions, blocks, event_codes
from core.wording import duration

EVENTS_TOLD = 12
"""A story is a user's last events, at most as many."""


def transition_counts(sequences: Sequences, groups: Groups) -> LongArray:
    """How often one action came right after another, per segment, shape (G, A, A).

    The next event counts also where it comes days later. Events whose action is missing are
    neither a start nor an end.
    """
    n_actions, n_groups = len(sequences.vocabulary.actions), len(groups.ids)
    counts = np.zeros((n_groups, n_actions, n_actions), dtype=np.int64)
    for block in blocks(sequences):
        action = event_codes(sequences.action, block) - 1
        step = ~block.first[1:] & (action[:-1] >= 0) & (action[1:] >= 0)
        group = groups.row[block.users][block.user[1:][step]]
        cell = (group * n_actions + action[:-1][step]) * n_actions + action[1:][step]
        counts += np.bincount(cell, minlength=counts.size).reshape(counts.shape)
    return counts


def shares_of_next(counts: LongArray) -> DoubleArray:
    """Share of each next action after each action; a row of zeros where nothing followed."""
    totals = counts.sum(axis=-1, keepdims=True)
    shares: DoubleArray = counts / np.maximum(totals, 1)
    return shares


def stories(
    sequences: Sequences, labels: Labels, members: LongArray, options: SegmentOptions
) -> tuple[Story, ...]:
    """The last events of the users that are surest in their segment, ties by user.

    ``members`` are the segment's users, rising, as places in ``user_ids``.
    """
    surest = members[np.argsort(-labels.confidence[members], kind="stable")[: options.n_stories]]
    pause = 60.0 * options.session_minutes
    return tuple(
        Story(user_id=str(sequences.user_ids[user]), steps=steps_of(sequences, int(user), pause))
        for user in surest
    )


def steps_of(sequences: Sequences, user: int, pause: float) -> tuple[str, ...]:
    """One user's last events; the same thing done again and again is told once."""
    end = int(sequences.offsets[user + 1])
    begin = max(int(sequences.offsets[user]), end - EVENTS_TOLD)
    told: list[tuple[str, str, int]] = []
    for event in range(begin, end):
        step, gap = _step(sequences, event), float(sequences.gap[event])
        after = f"({duration(gap)} later) " if event > begin and gap > pause else ""
        if told and told[-1][1] == step and not after:
            told[-1] = (told[-1][0], step, told[-1][2] + 1)
        else:
            told.append((after, step, 1))
    return tuple(
        f"{after}{step}{f' × {times}' if times > 1 else ''}" for after, step, times in told
    )


def _step(sequences: Sequences, event: int) -> str:
    words = sequences.vocabulary
    action, category = int(sequences.action[event]), int(sequences.category[event])
    parts = [words.actions[action - 1]] if action else []
    parts += [words.categories[category - 1]] if category else []
    return " · ".join(parts) or "event"
