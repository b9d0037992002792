"""Segments beside known labels, with what chance and "everyone in one segment" would give."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.artifacts import (
    NOISE,
    ConfusionTable,
    ExternalEvaluation,
    IntArray,
    KnownLabels,
    Labels,
    LongArray,
    Metric,
    TextArray,
)
from core.evaluation.contingency import Contingency, contingency, noise_apart
from core.evaluation.external import ari, external_metrics
from core.wording import counted

MOST_LABELS_SHOWN = 50
_MOST_CELLS_DEALT = 20_000


def agreement(labels: Labels, known: KnownLabels, seed: int) -> ExternalEvaluation:
    """How far the segments agree with known labels, on the users that have one.

    Each metric twice: noise users dropped, and each noise user as a segment of its own. The
    baseline is "everyone in one segment" on all labelled users.
    """
    found = pd.Index(labels.user_ids).get_indexer(pd.Index(known.user_ids))
    codes, names = pd.factorize(known.values[found >= 0], sort=True)
    segments = np.asarray(labels.values)[found[found >= 0]]
    inside = segments >= 0
    dropped = contingency(codes[inside], segments[inside])
    without_noise = external_metrics(dropped)
    baseline = external_metrics(contingency(codes, np.zeros_like(codes)))
    return ExternalEvaluation(
        label_name=known.name,
        n_labelled=len(segments),
        n_conflicting=known.n_conflicting,
        n_unmatched=int((found < 0).sum()),
        coverage=float(inside.mean()) if len(inside) else 0.0,
        without_noise=without_noise,
        noise_as_singletons=external_metrics(contingency(codes, noise_apart(segments))),
        baseline=baseline,
        confusion=_confusion(names, codes, segments, labels.n_clusters),
        reading=_reading(known, dropped, without_noise, seed),
    )


def chance_ari(table: Contingency, seed: int, deals: int = 199) -> float:
    """The ARI that one in forty random partitions of these sizes exceeds.

    Users are dealt out anew, which needs only the sizes (Patefield, 1981); 0.05 is taken where
    there are so many labels that dealing would take long.
    """
    from scipy.stats import random_table

    if len(table.by_label) * len(table.by_segment) > _MOST_CELLS_DEALT:
        return 0.05
    dealt = random_table(table.by_label, table.by_segment).rvs(
        size=deals, random_state=np.random.default_rng(seed)
    )
    counts = dealt.astype(np.int64)
    together = (counts * (counts - 1) // 2).sum(axis=(1, 2))
    return float(np.quantile([_ari_of(table, float(pairs)) for pairs in together], 0.975))


def _ari_of(table: Contingency, together: float) -> float:
    """ARI of a table with these margins and so many pairs together in both."""
    label = float((table.by_label * (table.by_label - 1) // 2).sum())
    segment = float((table.by_segment * (table.by_segment - 1) // 2).sum())
    expected = label * segment / (table.n_users * (table.n_users - 1) / 2)
    most = (label + segment) / 2 - expected
    return (together - expected) / most if most else 0.0


def _reading(known: KnownLabels, table: Contingency, metrics: tuple[Metric, ...], seed: int) -> str:
    """One plain sentence or two on what the figures say."""
    name, value = known.name, ari(table)[0] if table.n_users > 1 else None
    if table.n_users < 2 and known.n_conflicting and len(known.user_ids) < 2:
        users = counted(known.n_conflicting, "user", "users")
        return (
            f"Nobody is left to compare: {users} with more than one {name} had to be left out. A "
            "label must be the same in all rows of a user."
        )
    if table.n_users < 2:
        return (
            f"No two users in a segment have a {name}. If the labels are of these users, check "
            "that their ids are written the same way."
        )
    if value is None:
        return f"All labelled users have the same {name}, so there is nothing to agree with."
    figure = f"ARI {value:.2f}"
    if len(table.by_segment) < 2:
        return f"There is one segment, so it cannot follow {name} ({figure})."
    chance = chance_ari(table, seed)
    if value <= chance:
        return f"The segments do not follow {name}: agreement is what chance gives ({figure})."
    if value < 0.1:
        return f"The segments hardly follow {name}: a little more than chance gives ({figure})."
    how = (
        "closely follow" if value >= 0.7 else "largely follow" if value >= 0.4 else "partly follow"
    )
    right = next(m.value for m in metrics if m.name == "purity")
    commonest = table.by_label.max() / table.n_users
    return (
        f"The segments {how} {name} ({figure}): taking every segment for its commonest {name} is "
        f"right for {right:.0%} of the users, taking everyone for the commonest for "
        f"{commonest:.0%}."
    )


def _confusion(names: TextArray, codes: LongArray, segments: IntArray, k: int) -> ConfusionTable:
    """Users by label, the commonest first, and segment; rare labels share the last row."""
    order = np.argsort(-np.bincount(codes, minlength=len(names)), kind="stable")
    shown = order if len(order) <= MOST_LABELS_SHOWN else order[: MOST_LABELS_SHOWN - 1]
    row = np.full(len(names), len(shown), dtype=np.int64)
    row[shown] = np.arange(len(shown))
    rows = [str(name) for name in names[shown]]
    if len(shown) < len(order):
        rows.append(f"({len(order) - len(shown):,} rarer labels)")
    columns = [*range(k)] + ([NOISE] if (segments < 0).any() else [])
    column = np.where(segments < 0, k, segments)
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(counts, (row[codes], column), 1)
    return ConfusionTable(
        labels=tuple(rows),
        segments=tuple(columns),
        counts=tuple(tuple(line) for line in counts.tolist()),
    )
