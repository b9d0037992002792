"""Labels of any origin made better by models of behaviour, and kept only where that is seen.

Every label becomes a model of what its users do next; the models and the users' labels take turns
(EM, then the network of `core.sequence_models.refining`). What comes of it stands only where the
validation users are foretold surely better by the new labels than by the old ones, both measured
alike: by models that are fitted to the labels of other users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.artifacts import (
    NOISE,
    TEST,
    BehaviourModels,
    FloatArray,
    LongArray,
    Sequences,
    SideArray,
    State,
)
from core.errors import TooLittleData
from core.sequence_models.held_out import SURELY
from core.sequence_models.labels import bits_of_labels
from core.sequence_models.models import is_refined, members_of, some_users
from core.wording import counted, percent

if TYPE_CHECKING:
    from core.sequence_models.neural import Plan
    from core.sequence_models.refining import Refined

VERSION = 1
UNLABELLED = -2
"""Code of a user of whom no label is known."""
FEWEST = 10
"""Users that a label must have to be modelled; those of smaller ones count as without a label."""


@dataclass(frozen=True, kw_only=True)
class HowToRefine:
    """How the network is trained; nothing of it changes what is kept and why."""

    plan: Plan
    most_users: int
    """With more users, it is trained on a random sample of so many."""
    device: str
    threads: int


@dataclass(frozen=True, kw_only=True)
class Relabelled:
    """What refining made of labels. K labels were modelled, in the order of their codes."""

    codes: LongArray  # (K,) the code that each model began from
    members: FloatArray  # (U, K) of everyone, (U, K + 1) where some are nobody's
    state: State
    """What placing new users needs."""
    kept: bool
    before: float
    """Bits per event by which validation users are foretold by the labels as they came."""
    after: float
    gain: float
    error: float
    """Standard error of the gain, users compared with themselves."""
    n_labelled: int
    """Users that had a label, or were nobody's."""
    n_moved: int
    """How many of them have (or would have) another label now, all of small labels among them."""
    n_small: int
    """Labels that were too small to be modelled."""
    n_users_small: int
    room: str
    """What is to be said where the GPU had no room for a batch of the usual size."""

    def told(self) -> str:
        """What became of the labels, in sentences."""
        users = counted(self.n_labelled, "user", "users")
        share = percent(self.n_moved / max(1, self.n_labelled))
        figures = (
            f"{self.gain:+.3f} ± {self.error:.3f} bits per event ({self.before:.3f} before, "
            f"{self.after:.3f} after, nearer to 0 is better)"
        )
        if self.kept:
            text = (
                "Refined by models of behaviour, and kept: users that were left out are foretold "
                f"surely better, by {figures}. {self.n_moved:,} of {users} changed segment "
                f"({share})."
            )
        else:
            text = (
                "Refining by models of behaviour was reverted, the segments are as they were: "
                f"users that were left out are not foretold surely better, {figures}. "
                f"{self.n_moved:,} of {users} would have changed segment ({share})."
            )
        if self.n_small:
            small = counted(self.n_small, "segment", "segments")
            text += (
                f" {small} of fewer than {FEWEST} users ({self.n_users_small:,} in all) could not "
                f"be modelled: all of these users {'went' if self.kept else 'would go'} elsewhere."
            )
        return f"{text} {self.room}".strip()


def relabel(  # noqa: PLR0913
    models: BehaviourModels,
    sequences: Sequences,
    values: npt.NDArray[np.integer[Any]],
    how: HowToRefine,
    seed: int,
    tell: Callable[[int], None] = lambda epoch: None,
) -> Relabelled:
    """Refine the labels ``values`` (U,): codes from 0, NOISE for nobody's, UNLABELLED.

    ``models`` say how events are read and how much of the past counts. Only labels of users to fit
    teach, only validation users judge; test users have no say. Users that are nobody's follow a
    background, as others may after it; where there are none, everyone follows a label. On a CPU
    the same seed and threads give the same result. Raises TooLittleData where fewer than two
    labels can be modelled.
    """
    codes, known = _modelled(values, np.asarray(sequences.split))
    some_aside = bool((values[known] == NOISE).any())
    _check(models, len(codes), some_aside)
    old = np.where(values[known] == NOISE, NOISE, np.searchsorted(codes, values[known]))
    labelled = sequences.of_users(known)
    found = _refined(replace(models, sets_aside=some_aside), labelled, old, how, seed, tell)
    members = members_by(found.state, sequences, len(codes))
    new = hard(members, len(codes))[known]
    foretold = bits_of_labels(models, labelled, [old, new], seed)
    behind, errors = foretold.behind(1)
    bits = foretold.per_event()
    small = np.setdiff1d(np.flatnonzero(values >= 0), known)
    return Relabelled(
        codes=codes,
        members=members,
        state=found.state,
        kept=bool(behind[0] > SURELY * errors[0]) and bool((new != NOISE).any()),
        before=float(bits[0]),
        after=float(bits[1]),
        gain=float(behind[0]),
        error=float(errors[0]),
        n_labelled=len(known) + len(small),
        n_moved=int((old != new).sum()) + len(small),
        n_small=len(np.unique(values[small])),
        n_users_small=len(small),
        room=found.room,
    )


def members_by(state: State, sequences: Sequences, k: int) -> FloatArray:
    """Membership of every user, by the network where one was kept, else by the chains."""
    if not is_refined(state):
        return members_of(state, sequences, k)
    from core.sequence_models.refining import refined_members

    return refined_members(state, sequences, k)


def hard(members: FloatArray, k: int) -> LongArray:
    """The likeliest of ``k`` models, (U,); NOISE where the background is likelier than all."""
    best = members.argmax(axis=1)
    return np.where(best < k, best, NOISE)


def _modelled(
    values: npt.NDArray[np.integer[Any]], split: SideArray
) -> tuple[LongArray, LongArray]:
    """Codes that enough users have, test users not counted; and the users of these, or nobody's."""
    counted_in = values[split != TEST] if (split != TEST).any() else values
    sizes = np.bincount(counted_in[counted_in >= 0], minlength=1)
    codes = np.flatnonzero(sizes >= FEWEST)
    return codes, np.flatnonzero(np.isin(values, [*codes, NOISE]))


def _check(models: BehaviourModels, n_codes: int, some_aside: bool) -> None:
    """Raise TooLittleData where nothing could come of refining."""
    if n_codes + some_aside < 2 or not n_codes:
        raise TooLittleData(
            f"There is nothing to refine: {counted(n_codes, 'label has', 'labels have')} at least "
            f"{FEWEST} users of the log that are not test users. Refining needs two or more."
        )
    from core.sequence_models.neural import can_read

    if not can_read(models.state):
        raise TooLittleData(
            "There is nothing to refine by: all events of the log are alike, in what is done, on "
            "what, when and at which price."
        )


def _refined(  # noqa: PLR0913
    models: BehaviourModels,
    labelled: Sequences,
    old: LongArray,
    how: HowToRefine,
    seed: int,
    tell: Callable[[int], None],
) -> Refined:
    from core.sequence_models.refining import refine

    start = np.eye(int(old.max()) + 1 + models.sets_aside)[old]  # NOISE is the last row
    return refine(
        models,
        labelled,
        start,
        how.plan,
        some_users(labelled, how.most_users, seed),
        seed,
        device=how.device,
        threads=how.threads,
        tell=tell,
    )
