"""Small artifacts written by hand, as the stages would make them; for charts and reports."""

from __future__ import annotations

import numpy as np

from core.artifacts import (
    NOISE,
    Action,
    CleaningReport,
    CleaningStep,
    ConfusionTable,
    Embeddings,
    EpochReport,
    Evaluation,
    ExternalEvaluation,
    Fact,
    Gate,
    KCurve,
    Labels,
    Lift,
    Metric,
    Projection,
    Recommendation,
    Recommendations,
    Segment,
    Segments,
    Story,
)
from core.report.view import ReportView

ACTIONS = ("view", "search", "click", "favourite", "cart", "purchase", "review", "return")
NAMES = {0: "Evening comparers", 1: "Quick errand runners", 2: "Deal hunters", NOISE: "No segment"}
SIZES = {0: 620, 1: 410, 2: 150, NOISE: 20}
HOSTILE = "</script><script>alert(1)</script>"


def history(n_epochs: int = 8) -> tuple[EpochReport, ...]:
    return tuple(
        EpochReport(
            epoch=epoch,
            n_epochs=n_epochs,
            losses={
                "total": 4 / epoch + 2,
                "next_event": 3 / epoch + 1.4,
                "contrastive": 1 / epoch,
            },
            validation_losses={"total": 3.5 / epoch + 2.4, "next_event": 2.5 / epoch + 1.8},
            events_per_second=41_000.0,
            seconds=6.5 * epoch,
        )
        for epoch in range(1, n_epochs + 1)
    )


def k_curve(knee: int | None = 4) -> KCurve:
    ks = tuple(range(2, 11))
    return KCurve(
        ks=ks,
        inertia=tuple(900.0 / k + 40.0 * (k < 4) for k in ks),
        silhouette=(0.21, 0.27, 0.31, 0.29, 0.26, 0.22, 0.21, 0.2, 0.19),
        bits=(-6.41, -6.33, -6.29, -6.3, -6.31, -6.31, -6.32, -6.33, -6.33),
        confidence=0.87,
        knee=knee,
        suggested=4,
        reason="The silhouette is highest at 4, and the loss bends there.",
        fingerprint="a" * 64,
    )


def labels() -> Labels:
    rng = np.random.default_rng(0)
    values = np.repeat(list(SIZES), list(SIZES.values())).astype(np.int32)
    confidence = rng.uniform(0.4, 1, len(values)).astype(np.float32)
    confidence[values == NOISE] = 0
    return Labels(
        user_ids=user_ids(),
        values=values,
        confidence=confidence,
        n_clusters=3,
        method="kmeans",
        loss_trace=((90.0, 70.0, 61.0, 60.5), (95.0, 66.0, 58.2, 57.9, 57.9), (99.0, 80.0, 71.0)),
        best_restart=1,
        state={},
        note="Fitted on a sample of 1,000 users.",
        fingerprint="b" * 64,
    )


def user_ids() -> np.ndarray:
    return np.array([f"secret-{i:05d}" for i in range(sum(SIZES.values()))], dtype=object)


def projection() -> Projection:
    rng = np.random.default_rng(1)
    centres = {0: (0, 0), 1: (4, 1), 2: (1, 5), NOISE: (2, 2)}
    points = np.concatenate(
        [rng.normal(centres[s], 0.8 if s != NOISE else 3, (n, 2)) for s, n in SIZES.items()]
    )
    return Projection(
        user_ids=user_ids(),
        points=points.astype(np.float32),
        method="umap",
        n_fitted=1200,
        note="Only neighbourhoods mean something on this map.",
        fingerprint="c" * 64,
    )


def embeddings() -> Embeddings:
    rng = np.random.default_rng(2)
    return Embeddings(
        user_ids=user_ids(),
        values=rng.normal(size=(sum(SIZES.values()), 4)).astype(np.float32),
        method="lstm",
        learned=True,
        device="cpu (no GPU found)",
        state={},
        history=history(),
        fingerprint="d" * 64,
    )


def confusion() -> ConfusionTable:
    return ConfusionTable(
        labels=("collector", "gift giver", "<b>loyal</b>"),
        segments=(0, 1, 2, NOISE),
        counts=((540, 20, 3, 9), (60, 380, 0, 8), (20, 10, 147, 3)),
    )


def evaluation() -> Evaluation:
    rng = np.random.default_rng(3)
    return Evaluation(
        n_users=1200,
        k=3,
        k_recommended=4,
        internal=(
            Metric(name="macro_silhouette", value=0.31),
            Metric(name="micro_silhouette", value=0.28),
            Metric(name="davies_bouldin", value=None, note="Undefined for one segment."),
        ),
        per_segment_silhouette=(0.35, 0.21, 0.4),
        silhouette_sample=tuple(
            tuple(sorted(rng.normal(mean, 0.15, 200).clip(-1, 1).tolist(), reverse=True))
            for mean in (0.35, 0.21, 0.4)
        ),
        external=ExternalEvaluation(
            label_name="persona",
            n_labelled=1190,
            n_conflicting=2,
            coverage=0.98,
            without_noise=(Metric(name="ari", value=0.71), Metric(name="purity", value=0.9)),
            noise_as_singletons=(Metric(name="ari", value=0.69), Metric(name="purity", value=0.9)),
            baseline=(Metric(name="ari", value=0.0), Metric(name="purity", value=0.48)),
            confusion=confusion(),
            n_unmatched=37,
            reading="The segments agree well with persona, far above the baseline.",
        ),
        gates=(
            Gate(
                name="largest_share",
                passed=True,
                value=1200,
                threshold=100,
                text="The largest segment holds 52% of the users.",
            ),
            Gate(
                name="segment_size",
                passed=False,
                value=3,
                threshold=50,
                text="The smallest segment has 3 users; 50 are needed.",
            ),
        ),
        verdict="Three segments; they agree well with what is known of the users.",
        verdict_code=None,
        fingerprint="e" * 64,
    )


def facts(sign: int = 1) -> tuple[Fact, ...]:
    told = (("action", "search", 1.2), ("category", HOSTILE, 0.8), ("timing", "night", -0.6))
    return tuple(
        Fact(
            kind=kind,
            subject=subject,
            inside=0.31,
            outside=0.12,
            effect=sign * effect,
            unit="share",
            text=f"“{subject}” is 31% of their events, 12% elsewhere.",
        )
        for kind, subject, effect in told
    )


def lifts(users: int = 210) -> tuple[Lift, ...]:
    return (
        Lift(name=HOSTILE, users=users, share=0.22, lift=3.1),
        Lift(name="=HYPERLINK(1)", users=3, share=0.05, lift=1.7),
        Lift(name="shoes", users=96, share=0.04, lift=1.2),
    )


def transitions() -> tuple[tuple[float, ...], ...]:
    rng = np.random.default_rng(4)
    rows = rng.dirichlet(np.full(len(ACTIONS), 0.5), size=len(ACTIONS))
    return tuple(tuple(row) for row in rows.tolist())


def segment(number: int = 0, **changes: object) -> Segment:
    total = sum(SIZES.values())
    values: dict[str, object] = {
        "id": number,
        "name": NAMES[number],
        "size": SIZES[number],
        "share": SIZES[number] / total,
        "event_share": 0.4,
        "value_share": 0.25,
        "summary": {"events": 51.2, "active_days": 12.0},
        "facts": facts(1 if number % 2 == 0 else -1),
        "categories": lifts(),
        "items": lifts(),
        "transitions": transitions(),
        "stories": (
            Story(user_id="secret-00001", steps=("view · shoes", "search", "cart · shoes")),
        ),
    }
    return Segment(**(values | changes))  # type: ignore[arg-type]


def segments() -> Segments:
    return Segments(
        segments=tuple(segment(number) for number in NAMES), actions=ACTIONS, fingerprint="f" * 64
    )


def recommendations() -> Recommendations:
    return Recommendations(
        items=tuple(
            Recommendation(
                segment=0,
                rank=rank,
                item=item,
                category="shoes",
                score=1.0 / rank,
                segment_users=users,
                lift=2.4,
                owned_share=0.04,
                reason=f"{users} of them met it.",
            )
            for rank, (item, users) in enumerate(
                ((HOSTILE, 230), ("@SUM(1+9)*cmd|' /C calc'!A0", 3), ("Trail shoe 42", 41)), start=1
            )
        ),
        actions=(
            Action(
                segment=0,
                kind="campaign",
                title="Write to them in the evening",
                text="62% of their visits begin after six.",
                evidence={"evening share": 0.62, "users": 620.0},
            ),
        ),
        fingerprint="1" * 64,
    )


def cleaning() -> CleaningReport:
    return CleaningReport(
        steps=(
            CleaningStep(rule="user", reason="no user id", effect="dropped", rows=7, users=0),
            CleaningStep(
                rule="duplicates", reason="exact repeat", effect="dropped", rows=1010, users=640
            ),
            CleaningStep(
                rule="price", reason="impossible price", effect="changed", rows=3, users=3
            ),
        ),
        events_before=101_103,
        events_after=100_086,
        users_before=1250,
        users_after=1200,
    )


def report_view(**changes: object) -> ReportView:
    values: dict[str, object] = {
        "title": "shop_events.csv",
        "created": "2026-11-23T22:10+00:00",
        "journey_options": {
            "clean": {"duplicates": "drop", "sigma": 4.0},
            "report": {"min_cell": 5},
            "seed": 0,
        },
        "cleaning": cleaning(),
        "k_curve": k_curve(),
        "embeddings": embeddings(),
        "labels": labels(),
        "projection": projection(),
        "evaluation": evaluation(),
        "segments": segments(),
        "recommendations": recommendations(),
        "versions": {"numpy": "2.4.6"},
    }
    return ReportView(**(values | changes))  # type: ignore[arg-type]
