"""Segments as sequence models: the chains of behaviour, corrected by a network that is shared.

Kept only where validation users, to whom nothing was fitted, are foretold surely better; otherwise
the segments are those of the chains, and that is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.artifacts import NOISE, DoubleArray, Progress, State
from core.clustering import kmeans, markov_mixture
from core.clustering._base import Assigned, Behaviour, Clusterer, Fitted
from core.device import DeviceName, pick
from core.errors import OptionRefused
from core.options import Options, option
from core.sequence_models.mixture import with_background
from core.sequence_models.models import members_of, mixture_of, some_users
from core.sequence_models.relabelling import members_by

if TYPE_CHECKING:
    from core.sequence_models.neural import Plan
    from core.sequence_models.refining import Refined

_STAGE = "labels"
_WORDS = {"chains": "the chains of behaviour", "points": "K-means on the points"}
_ALL_ASIDE = "By the network every user follows no segment, so the chains were kept."


@dataclass(frozen=True, kw_only=True)
class LatentClassOptions(Options):
    """How the chains are corrected."""

    starts: tuple[str, ...] = option(
        ("chains",),
        "Starts",
        "Where training begins: chains (the best chains of behaviour), points (K-means on the "
        "points); with several the one that foretells users left out best is kept",
        expert=True,
    )
    net_hidden: int = option(
        32, "Width of the network", "Wider sees more and takes longer", low=4, high=256, expert=True
    )
    net_window: int = option(
        3,
        "Events looked back",
        "What lasts longer than this in a user is left to the segment",
        low=1,
        high=8,
        unit="events",
        expert=True,
    )
    net_epochs: int = option(
        8, "Epochs", "How often every user is read at most", low=1, high=200, expert=True
    )
    net_patience: int = option(
        1,
        "Stop early after",
        "Epochs without better foretold users after which training ends",
        low=1,
        high=100,
        unit="epochs",
        expert=True,
    )
    net_learning_rate: float = option(
        4e-3, "Learning rate", "Size of a training step", low=1e-5, high=0.1, expert=True
    )
    net_users: int = option(
        3_000,
        "Users to train on",
        "With more users, the network is trained on a random sample of so many; everyone is placed",
        low=100,
        unit="users",
        expert=True,
    )
    net_device: DeviceName = option(
        "auto", "Device", "Where to train; auto takes a GPU where there is one", expert=True
    )
    net_threads: int = option(
        1,
        "Processor threads",
        "Most threads used; part of what makes a run repeatable",
        low=1,
        high=64,
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.starts if name not in _WORDS]
        if unknown or not self.starts:
            raise OptionRefused(
                f"starts is {','.join(self.starts) or 'empty'}. Allowed: one or more of "
                f"{', '.join(_WORDS)}."
            )


def fit(behaviour: Behaviour, options: LatentClassOptions, n_clusters: int, seed: int) -> Fitted:
    """Every user in the segment whose model explains its events best, by Bayes' rule.

    Users that follow no model are NOISE where the models set such users aside.
    """
    plain = markov_mixture.fit(behaviour, markov_mixture.MarkovMixtureOptions(), n_clusters, seed)
    if n_clusters == 1 or not _can_read(behaviour):
        return plain
    behaviour = _as_far_aside(behaviour, plain)
    starts = {name: _start(name, behaviour, plain, n_clusters, seed) for name in options.starts}
    found = {
        name: _refined(name, start, behaviour, options, seed) for name, start in starts.items()
    }
    name = max(found, key=lambda one: (found[one].kept, found[one].bits))
    best = found[name]
    if not best.kept:
        return replace(plain, note=_reverted(best))
    fitted = _by_network(best, behaviour)
    if (fitted.values == NOISE).all():  # segments there must be
        return replace(plain, note=_ALL_ASIDE)
    return replace(fitted, note=_kept(best, name))


def assign(state: State, behaviour: Behaviour) -> Assigned:
    """Segment and confidence (the probability by Bayes' rule) of new users, (U,) each."""
    members = members_by(state, behaviour.sequences, int(state["k"][0]))
    return markov_mixture.segments_of(members, state)


def _can_read(behaviour: Behaviour) -> bool:
    """Whether an event tells anything that the network reads."""
    from core.sequence_models.neural import can_read

    assert behaviour.models is not None
    return can_read(behaviour.models.state)


def plan_of(options: LatentClassOptions) -> Plan:
    """How the network is built and trained under some options; loads PyTorch when called."""
    from core.sequence_models.neural import Plan

    return Plan(
        hidden=options.net_hidden,
        window=options.net_window,
        epochs=options.net_epochs,
        patience=options.net_patience,
        learning_rate=options.net_learning_rate,
    )


def _as_far_aside(behaviour: Behaviour, plain: Fitted) -> Behaviour:
    """The same, setting users aside only where the chains in the end did."""
    assert behaviour.models is not None
    aside = mixture_of(plain.state, int(plain.state["k"][0])).has_background
    return replace(behaviour, models=replace(behaviour.models, sets_aside=aside))


def _by_network(found: Refined, behaviour: Behaviour) -> Fitted:
    from core.sequence_models.refining import refined_members

    members = refined_members(found.state, behaviour.sequences, found.k)
    return markov_mixture.ordered(members, found.k, found.state)


def _refined(
    name: str, start: DoubleArray, behaviour: Behaviour, options: LatentClassOptions, seed: int
) -> Refined:
    from core.sequence_models.refining import refine

    assert behaviour.models is not None

    def tell(epoch: int) -> None:
        text = f"Correcting {_WORDS[name]}: epoch {epoch} of at most {options.net_epochs}"
        share = epoch / max(1, options.net_epochs)
        behaviour.report(Progress(stage=_STAGE, done=share, text=text))

    return refine(
        behaviour.models,
        behaviour.sequences,
        start,
        plan_of(options),
        some_users(behaviour.sequences, options.net_users, seed),
        seed,
        device=pick(options.net_device).name,
        threads=options.net_threads,
        tell=tell,
    )


def _start(
    name: str, behaviour: Behaviour, plain: Fitted, n_clusters: int, seed: int
) -> DoubleArray:
    """First memberships of every user, (U, K), with a background (U, K + 1)."""
    if name == "chains":
        k = int(plain.state["k"][0])
        return members_of(plain.state, behaviour.sequences, k).astype(np.float64)
    assert behaviour.models is not None and behaviour.points is not None
    labels = kmeans.fit(behaviour.points, kmeans.KMeansOptions(), n_clusters, seed).values
    members = np.eye(n_clusters)[labels]
    return with_background(members) if behaviour.models.sets_aside else members


def _kept(found: Refined, start: str) -> str:
    told = (
        f"The network corrected {_WORDS[start]}: users that were left out are foretold by "
        f"{found.gain:.3f} ± {found.error:.3f} bits per event better than by chains alone, "
        "when the network itself foretells them."
    )
    return f"{told} {found.room}".strip()


def _reverted(found: Refined) -> str:
    told = (
        "The network did not foretell users that were left out surely better than the chains "
        f"alone ({found.gain:+.3f} ± {found.error:.3f} bits per event), so the chains were kept."
    )
    return f"{told} {found.room}".strip()


LATENT_CLASS = Clusterer(
    name="latent_class",
    label="Sequence models",
    summary=(
        "Describes every segment by a small model of what comes next, read from the last few "
        "events by a network that all segments share, and puts each user where its events are "
        "least surprising."
    ),
    strengths=(
        "Sees what chains see and what takes several events together to tell; kept only where it "
        "foretells users it has not seen surely better."
    ),
    weaknesses="Takes some seconds to minutes of training, and its rules cannot be read.",
    cost=(
        "Grows in line with events and segments. With more users than cluster.net_users the "
        "network is trained on a random sample; everyone is placed."
    ),
    needs_n_clusters=True,
    learned=True,
    reads="behaviour",
    Options=LatentClassOptions,
    fit=fit,
    assign=assign,
)
