"""What flows from stage to stage: frozen, never mutated, each with the fingerprint of its making.

Letters in shapes: E events kept, U users, K segments, D embedding width, A actions, I items, Q
search queries, F and G the widths of what is known of an item and of a query.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
SideArray = npt.NDArray[np.int8]
LongArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]
"""Text per user; object dtype, so that no id is cut to a common width."""
State = Mapping[str, npt.NDArray[Any]]
"""Learned numbers by name: weights, centres, scales. Never pickled."""

EVENT_COLUMNS = (
    "user",
    "time",
    "action",
    "item",
    "category",
    "duration",
    "price",
    "quantity",
    "session",
    "platform",
    "query",
    "label",
)
"""The columns of `Events` that hold what happened."""

ROLES = (
    "user",
    "time",
    "action",
    "item",
    "category",
    "duration",
    "price",
    "quantity",
    "value",
    "session",
    "platform",
    "query",
    "label",
)
"""What a column of a log can be. Only user and time must be there.

``price`` is of one piece, ``value`` the money of the whole event; ``query`` is what was searched.
"""

NOISE = -1
"""Label of a user that belongs to no segment."""

NO_VECTORS: FloatArray = np.zeros((1, 0), dtype=np.float32)
"""The vectors of items or queries of which nothing is known."""

FIT, VALIDATE, TEST = 0, 1, 2
"""The side of a user: fitted on, watched while choosing, or opened once at the end."""


def fingerprint(parent: str, stage: str, version: int, options: Mapping[str, Any]) -> str:
    """Identity of an artifact: SHA-256 of what it was made from and how (64 hex digits)."""
    made_by = json.dumps([parent, stage, version, options], sort_keys=True, default=str)
    return hashlib.sha256(made_by.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One kind of thing wrong with a file, with the physical lines (from 1) where it stands."""

    code: str
    message: str
    severity: Literal["warning", "refused"]
    column: str | None = None
    lines: tuple[int, ...] = ()
    """The first few lines only; ``count`` has them all."""
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a text file is written."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """One of the files a log was read from, and the rows of the log that came from it."""

    name: str
    lines_before: int
    """What is taken from ``__line__`` to get the physical line in this file."""


@dataclass(frozen=True, kw_only=True)
class RawLog:
    """One or several files that passed the strict gate; every cell is still text.

    ``path`` is Parquet: one text column per name in ``columns`` (blank cells are NULL) and
    ``__line__``, the physical line on which the row starts. Lines go on counting from file to
    file; ``parts`` says which line is which.
    """

    path: Path
    set_aside: Path
    """Parquet of the rows the gate set aside: ``__line__``, ``reason`` and ``text`` as it stood."""
    name: str
    parts: tuple[FilePart, ...]
    columns: tuple[str, ...]
    n_rows: int
    dialect: Dialect
    problems: tuple[Problem, ...]
    fingerprint: str

    @property
    def source_column(self) -> str | None:
        """The column that reading several files added, by which they can be told apart."""
        return self.columns[-1] if len(self.parts) > 1 else None


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """Which column plays which role; None where the log has none."""

    user: str | None = None
    time: str | None = None
    action: str | None = None
    item: str | None = None
    category: str | None = None
    duration: str | None = None
    price: str | None = None
    quantity: str | None = None
    value: str | None = None
    session: str | None = None
    platform: str | None = None
    query: str | None = None
    label: str | None = None

    def columns(self) -> dict[str, str]:
        """Role to column, of the roles that have one."""
        found = {role: getattr(self, role) for role in ROLES}
        return {role: column for role, column in found.items() if column is not None}


@dataclass(frozen=True, kw_only=True)
class Events:
    """A typed log. ``path`` is Parquet with a column per role, whether mapped or all NULL.

    user, action, item, category, session, platform, query, label: text; time: timestamp without
    zone (UTC); duration (seconds), price, quantity: double; line: as in the `RawLog` (bigint);
    ``price`` is the money of the whole event: the value column where there is one, else price times
    the size of the quantity, else the price; there is no column ``value``;
    unreadable: comma-separated roles whose cell held something that could not be read;
    row_hash: 64 bits (ubigint) of the row as it stood in the file, the columns without a role
    included and the label left out, by which exact duplicates are told. It may be missing.
    """

    path: Path
    present: tuple[str, ...]
    """The roles that were mapped to a column."""
    n_events: int
    n_users: int
    problems: tuple[Problem, ...]
    fingerprint: str
    read_as: Mapping[str, Any] = field(default_factory=dict)
    """By which options of the stage ``map`` the next log is read alike, as plain values.

    "auto" only where this log settled nothing; what holds for one log alone is left out.
    """


@dataclass(frozen=True, kw_only=True)
class UserRows:
    """A user, and how many of the user's rows are meant."""

    user: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Items:
    """What a shop sells, one row per item.

    ``path`` is Parquet, ordered by item: item, title, category, brand, price, all of them text as
    it stood in the file (NULL where blank or where the table has no such column).
    """

    path: Path
    name: str
    columns: Mapping[str, str]
    """Column of the file by what it was taken as (item, title, category, brand, price)."""
    n_items: int
    problems: tuple[Problem, ...]
    fingerprint: str

    @property
    def present(self) -> tuple[str, ...]:
        """What the table tells of its items."""
        return tuple(self.columns)


@dataclass(frozen=True, kw_only=True)
class ItemVectors:
    """Numbers made elsewhere that describe items (from images, texts, other models)."""

    name: str
    item_ids: TextArray  # (I,) no id twice, in the order of the file
    values: FloatArray  # (I, F) finite
    problems: tuple[Problem, ...]
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the analyst brought beside the log; None for what was not."""

    labels: KnownLabels | None = None
    items: Items | None = None
    vectors: ItemVectors | None = None


@dataclass(frozen=True, kw_only=True)
class ItemFeatures:
    """How items and queries became vectors: all that is needed to do the same to a new log."""

    item_vectors: FloatArray  # (I + 1, F) by item code, or (1, 0)
    item_words: TextArray  # (W,) the words of titles that count
    query_words: TextArray  # (V,) the words of queries that count
    state: State
    """Weights of words, axes and scales by which texts and vectors are placed."""
    problems: tuple[Problem, ...]
    """How much of the log is known, and what was left out."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class CleaningStep:
    """What one rule did to the log."""

    rule: str
    reason: str
    """In the analyst's words, e.g. "no user id"."""
    effect: Literal["dropped", "changed", "flagged"]
    rows: int
    users: int
    """Users that lost (or have) at least one such row."""
    lines: tuple[int, ...] = ()
    """The first 20 such rows; of a rule on users, the first row of each of the first 20."""
    examples: tuple[UserRows, ...] = ()
    """The 20 users with the most such rows, falling, ties by id."""


@dataclass(frozen=True, kw_only=True)
class CleaningReport:
    """Every row touched, by reason. events_before - dropped rows = events_after, exactly."""

    steps: tuple[CleaningStep, ...]
    events_before: int
    events_after: int
    users_before: int
    users_after: int


@dataclass(frozen=True, kw_only=True)
class CleaningLimits:
    """What was drawn from a log, by which later logs are cleaned as it was.

    Bounds and fill values; None where there is none. Prices in currency units, durations in
    seconds, quantities in pieces.
    """

    price_low: float | None = None
    price_high: float | None = None
    price_fill: float | None = None
    duration_low: float | None = None
    duration_high: float | None = None
    duration_fill: float | None = None
    quantity_low: float | None = None
    quantity_high: float | None = None
    wholesaler_quantity: float | None = None
    """A user whose median quantity is above this looks like a wholesaler."""
    wholesaler_money: float | None = None
    """So does one whose median money per event is above this."""
    duplicates: Literal["drop", "keep"] | None = None
    """What became of exact duplicates."""


@dataclass(frozen=True, kw_only=True)
class CleanEvents:
    """A log after cleaning: the columns of `Events` but label and row_hash.

    Ordered by user, time and line. Labels stay out, so that nothing can be built on them.
    """

    path: Path
    present: tuple[str, ...]
    report: CleaningReport
    limits: CleaningLimits
    """The bounds, fill values and decisions that were used."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words by code, and the pause that ends a visit: all by which later logs are read alike.

    Code 0 is "unknown or missing" in every vocabulary; word i has code i+1.
    """

    actions: tuple[str, ...]
    categories: tuple[str, ...]
    items: tuple[str, ...]
    platforms: tuple[str, ...]
    queries: tuple[str, ...]
    """In lower case, spaces squeezed."""
    session_gap: float
    """Minutes without an event after which the next one begins a new visit."""


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """Every user's events in time order, as flat arrays (compressed sparse rows).

    The events of user u are ``[offsets[u]:offsets[u + 1]]`` of each per-event array.
    """

    user_ids: TextArray  # (U,) sorted
    offsets: LongArray  # (U + 1,)
    action: IntArray  # (E,) code, see Vocabulary
    category: IntArray  # (E,)
    item: IntArray  # (E,)
    platform: IntArray  # (E,)
    query: IntArray  # (E,)
    session: IntArray  # (E,) the user's visit, from 0 over the events kept
    time: LongArray  # (E,) seconds since 1970-01-01 UTC
    gap: FloatArray  # (E,) seconds since the user's event before; 0 at the first
    duration: FloatArray  # (E,) seconds, NaN where missing
    price: FloatArray  # (E,) currency units, NaN where missing
    length: LongArray  # (U,) events of the user before truncation
    in_window: LongArray  # (U,) events of the user in the days looked at, before the cut to last_n
    first_time: LongArray  # (U,) seconds; the user's first event, even where it was cut off
    split: SideArray  # (U,) FIT, VALIDATE or TEST
    users_outside: int
    """Users of the log without an event in the days looked at; they are not among the U."""
    events_outside: int
    """Their events."""
    vocabulary: Vocabulary
    item_vectors: FloatArray  # (I + 1, F) by item code, zeros where nothing is known; or (1, 0)
    query_vectors: FloatArray  # (Q + 1, G) by query code, likewise
    scaling: Mapping[str, str]
    """How gap, duration and price are to be scaled: a name of `core.sequences.scaling`."""
    present: tuple[str, ...]
    fingerprint: str

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_events(self) -> int:
        return len(self.action)

    def of_users(self, users: LongArray) -> Sequences:
        """The same of some users, in that order."""
        lengths = np.diff(self.offsets)[users]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        shift = np.repeat(np.asarray(self.offsets)[users] - offsets[:-1], lengths)
        return self.regrouped(users, np.arange(offsets[-1]) + shift, offsets)

    def regrouped(self, users: LongArray, events: LongArray, offsets: LongArray) -> Sequences:
        """Other groups of the same events: row i is of user ``users[i]`` and has the events
        ``events[offsets[i]:offsets[i + 1]]``.
        """
        changed: dict[str, Any] = {"offsets": offsets}
        changed |= {name: np.asarray(getattr(self, name))[users] for name in _PER_USER}
        changed |= {name: np.asarray(getattr(self, name))[events] for name in _PER_EVENT}
        return replace(self, **changed)

    def user_of_event(self) -> LongArray:
        """Index of the user of every event, shape (E,)."""
        return np.repeat(np.arange(self.n_users), np.diff(self.offsets))


_PER_EVENT = (
    "action",
    "category",
    "item",
    "platform",
    "query",
    "session",
    "time",
    "gap",
    "duration",
    "price",
)
"""The arrays of `Sequences` that hold one value per event."""
_PER_USER = ("user_ids", "length", "in_window", "first_time", "split")
"""Those that hold one value per user."""


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Who is fitted, who only watched, and where the future begins; made once per log and seed.

    The future is T1, all before it T0. What judges segments is to use T0 of the users on FIT and
    VALIDATE for every choice, and T1 and the users on TEST only to report; a choice that needs a
    future itself takes the time from ``inner_cut`` to ``cut``. The segments that are handed over
    are formed of all users over the whole time.
    """

    user: SideArray  # (U,) FIT, VALIDATE or TEST, as in the sequences
    cut: int | None
    """Seconds since 1970-01-01 UTC: T0 is before it, T1 from it on. None where there is no T1."""
    inner_cut: int | None
    """The same within T0."""
    note: str
    """Why a cut is missing, in a sentence; empty where none is."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class BehaviourModels:
    """Segments as models of what comes next, for every number of them, and the number suggested.

    Bits per event say how well users that were not fitted are foretold; nearer to 0 is better.
    """

    user_ids: TextArray  # (U,)
    members: FloatArray  # (U, K) by the suggested number, (U, K + 1) where users are set aside
    state: State
    """The models, and how events are read for them."""
    ks: tuple[int, ...]  # 1, 2, 3 ...
    bits: tuple[float, ...]
    errors: tuple[float, ...]
    """Standard error of the difference from the best number, users compared with themselves."""
    suggested: int
    confidence: float
    """Share of bootstraps over users in which the same number is suggested, in [0, 1]."""
    sets_aside: bool
    """Whether users that follow no segment are set aside."""
    share_aside: float
    """Users that foretelling would set aside, in [0, 1]; above a half it is not done."""
    memory: str
    """How much of the past the models use, in words."""
    n_fitted: int
    """Users the models come from."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """How training stands after one epoch. Losses are means per event or pair, in nats."""

    epoch: int  # from 1
    n_epochs: int
    losses: Mapping[str, float]
    """By objective, on the users fitted: "total", "next_event", "contrastive" ..."""
    validation_losses: Mapping[str, float]
    events_per_second: float
    seconds: float
    """Since training began."""
    note: str = ""
    """What else the analyst must know of it, such as that it went on from kept work."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A representation that was tried on a sample, and what its segments are worth."""

    method: str
    bits: float
    """Bits per event by which users left out are foretold by its segments (K-means)."""
    behind: float
    """How far that is behind the best, in bits per event; 0 for the best."""
    error: float
    """Standard error of ``behind``."""
    agreement: float
    """Adjusted Rand index of its segments with those of the one that was taken."""
    seconds: float
    width: int
    """Numbers per user."""
    points: tuple[tuple[float, float, int], ...]
    """A small map: place on the two strongest directions, and segment, of some users."""
    problem: str = ""
    """Why it could not be tried, in words; the figures are NaN then."""


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """One point per user, in the space that is clustered."""

    user_ids: TextArray  # (U,) as in the sequences
    values: FloatArray  # (U, D), finite
    method: str
    learned: bool
    device: str
    """Where it was computed and why, e.g. "cpu (no GPU found)"."""
    state: State
    """All that `transform` needs to place new users in the same space."""
    history: tuple[EpochReport, ...]
    """Empty where nothing is trained."""
    findings: tuple[Metric, ...] = ()
    """What was found out about the numbers after they were learned, such as what order carries."""
    tried: tuple[Rung, ...] = ()
    """What was compared where the choice was left to the tool, the best first."""
    why: str = ""
    """Why this one was taken, in a sentence or two; empty where the analyst chose it."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The segment of every user."""

    user_ids: TextArray  # (U,)
    values: IntArray  # (U,) 0 .. K-1, largest segment first; NOISE for none
    confidence: FloatArray  # (U,) in [0, 1]; 0 for noise
    n_clusters: int  # K, without noise
    method: str
    loss_trace: tuple[tuple[float, ...], ...]
    """Loss J after every iteration, one tuple per restart; empty where the method has no J."""
    best_restart: int
    state: State
    """All that `assign` needs to label new points."""
    note: str = ""
    """What the analyst must know of the fit (sampled, nothing found), in a sentence."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class KCurve:
    """What was seen for each number of segments that was tried, and the one suggested."""

    ks: tuple[int, ...]
    inertia: tuple[float, ...]
    """Loss J: sum of squared distances to the own centre. Falls with K by itself."""
    silhouette: tuple[float, ...]
    """Macro-silhouette in [-1, 1]; higher is better; NaN at K = 1."""
    bits: tuple[float, ...]
    """Bits per event by which users not fitted are foretold by models of behaviour, higher is
    better; NaN where no models were compared."""
    confidence: float | None
    """Share of bootstraps over users that suggest the same number; None without models."""
    knee: int | None
    suggested: int
    reason: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A map: for the eye only; nothing is ever measured in it."""

    user_ids: TextArray  # (U,)
    points: FloatArray  # (U, 2)
    method: str
    n_fitted: int
    """Users the map was fitted on; the rest were placed into it."""
    note: str
    """What the reader of the map must know, in a sentence (axes, explained variance ...)."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class KnownLabels:
    """What is known of users from outside. Never used to choose anything."""

    name: str
    user_ids: TextArray  # (L,) the users that have a label
    values: TextArray  # (L,)
    conflicting: tuple[str, ...] = ()
    """Users left out because their rows name more than one label (the first 20)."""
    n_conflicting: int = 0


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure with all that is needed to read it."""

    name: str
    value: float | None
    """None where it is undefined; ``note`` says why."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfusionTable:
    """Users by known label (rows) and segment (columns; NOISE last where there is noise)."""

    labels: tuple[str, ...]
    segments: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ExternalEvaluation:
    """How far the segments agree with what is known of the users."""

    label_name: str
    n_labelled: int
    n_conflicting: int
    coverage: float
    """Share of the labelled users that are in a segment (not noise)."""
    without_noise: tuple[Metric, ...]
    noise_as_singletons: tuple[Metric, ...]
    baseline: tuple[Metric, ...]
    """The same metrics for "everyone in one segment"."""
    confusion: ConfusionTable
    reading: str
    """One plain sentence on what the figures say."""
    n_unmatched: int = 0
    """Users with a label that were not judged: not in the log, or dropped by the cleaning."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A condition segments must meet to be usable; a named result, not an error."""

    name: str
    passed: bool
    value: float
    threshold: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What can be said of a segmentation; measured in the space that was clustered."""

    n_users: int
    k: int
    k_recommended: int
    internal: tuple[Metric, ...]
    per_segment_silhouette: tuple[float, ...]  # (K,) means, NaN for one user
    silhouette_sample: tuple[tuple[float, ...], ...]
    """Per segment, up to 200 users' silhouettes, falling: the silhouette plot."""
    external: ExternalEvaluation | None
    gates: tuple[Gate, ...]
    verdict: str
    verdict_code: Literal["segments", "continuum", "activity_tiers", "too_little_data"] | None
    """None where the tests that would settle it have not been run."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that sets a segment apart from everyone else."""

    kind: Literal["action", "category", "item", "transition", "timing", "value", "activity"]
    subject: str
    """A name out of the data (never trusted as markup), or a fixed word such as "gap"."""
    inside: float
    outside: float
    effect: float
    """Standardised difference inside - outside (Cohen's d of the users' values)."""
    unit: str
    text: str
    """A plain sentence; names out of the data stand in it as they came."""


@dataclass(frozen=True, kw_only=True)
class Lift:
    """How much more often a segment meets something than everyone does."""

    name: str
    users: int
    """Users of the segment with at least one such event."""
    share: float
    """Share of the segment's events."""
    lift: float
    """share / share among everyone, smoothed toward 1 where there are few events."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One user's last events, as a person would tell them."""

    user_id: str
    steps: tuple[str, ...]
    """e.g. "view · shoes", oldest first."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One segment, described. ``id`` NOISE stands for the users that are in none."""

    id: int
    name: str
    size: int
    share: float
    event_share: float
    value_share: float | None
    """Share of all purchase value; None where the log has no price."""
    summary: Mapping[str, float | None]
    """Means per user, see `core.segments.profiles.SUMMARY` for names and units."""
    facts: tuple[Fact, ...]
    categories: tuple[Lift, ...]
    items: tuple[Lift, ...]
    transitions: tuple[tuple[float, ...], ...]  # (A, A) row-normalised, actions in `actions`
    stories: tuple[Story, ...]


@dataclass(frozen=True, kw_only=True)
class Segments:
    """All segments of a segmentation, largest first, noise (if any) last."""

    segments: tuple[Segment, ...]
    actions: tuple[str, ...]
    """Row and column names of the transition matrices."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One item offered to one segment."""

    segment: int
    rank: int  # from 1
    item: str
    category: str
    score: float
    segment_users: int
    """Users of the segment that met it."""
    lift: float
    owned_share: float
    """Share of the segment that already bought it."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Action:
    """A hypothesis of what to do for a segment, with the numbers that led to it."""

    segment: int
    kind: Literal[
        "product_recommendation", "ad_audience", "campaign", "newcomers", "risk", "customer_care"
    ]
    title: str
    text: str
    evidence: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Recommendations:
    """What to offer and what to do, per segment."""

    items: tuple[Recommendation, ...]
    actions: tuple[Action, ...]
    note: str = ""
    """What the log lacks for recommendations, in a sentence; empty where nothing does."""
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a long step stands."""

    stage: str
    done: float
    """In [0, 1]."""
    text: str = ""
    epoch: EpochReport | None = None
    note: str = ""
    """What the analyst must know of how it is going, such as that it cannot be saved."""


Report = Callable[[Progress], None]
"""Who listens to a long step."""


def silent(progress: Progress) -> None:
    """The listener of those who do not listen."""
