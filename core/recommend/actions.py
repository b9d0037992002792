"""What could be done for each segment, as hypotheses with the numbers that led to them.

Every rule compares a segment with everyone and fires only on a difference that is large, of
practical size and beyond chance for so many users. A difference is no cause: each text says what
to try, on whom, and what to measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from core.artifacts import NOISE, Action, Recommendation, Segment, Segments
from core.recommend._base import Rows
from core.recommend.standing import Standing
from core.wording import counted, figure, percent, quoted

Kind = Literal[
    "product_recommendation", "ad_audience", "campaign", "newcomers", "risk", "customer_care"
]

TIMES_EVERYONE = 1.3
"""A share must be this many times that of everyone."""
_CHANCE = 3.0
"""Standard errors a share must be above that of everyone."""
_ITEM_LIFT, _CATEGORY_LIFT = 1.3, 1.3
_CATEGORY_REACH = 0.2
"""Share of the segment's users that must have met a category."""
_ITEMS_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a standing of users calls for an action, and which."""

    kind: Kind
    standing: str
    least: float
    """Share of the segment that must be concerned."""
    what: str
    """Of whom it is true: "of its users {what}"."""
    title: str
    trial: str
    measure: str
    test: str = "Test it on a random half of the segment and measure, against the other half,"


RULES: tuple[Rule, ...] = (
    Rule(
        kind="campaign",
        standing="abandoned",
        least=0.2,
        what="left an item in the cart",
        title="Remind of what waits in the cart",
        trial="a reminder of the items left in the cart, a day later, brings purchases",
        measure="purchases per user within two weeks",
    ),
    Rule(
        kind="campaign",
        standing="hesitant",
        least=0.2,
        what="looked and never bought",
        title="Offer for a first purchase",
        trial="a small offer on what they looked at last brings a first purchase",
        measure="the share of users that buy within two weeks, and the margin after the offer",
    ),
    Rule(
        kind="campaign",
        standing="lapsed",
        least=0.2,
        what="have been away for longer than three in four of all users",
        title="Win back",
        trial="a message with news from the categories they used to visit brings them back",
        measure="the share of users that return within a month",
    ),
    Rule(
        kind="newcomers",
        standing="new",
        least=0.2,
        what="were first seen in the last quarter of the log's time",
        title="Welcome newcomers",
        trial="a short welcome that shows the best-loved items leads to a second visit",
        measure="the share of users that come again within two weeks",
    ),
    Rule(
        kind="risk",
        standing="returning",
        least=0.1,
        what="returned at least half as often as they bought",
        title="Look into returns",
        trial="better size, fit and product details before the purchase lower returns",
        measure="returns per purchase and purchases per user within two months",
    ),
    Rule(
        kind="risk",
        standing="hurried",
        least=0.03,
        what="have more events a day than 99% of all users",
        title="Check unusual pace",
        trial="some of these accounts are programs or shared by many",
        test="Look through a random hundred of them and of everyone else, and compare",
        measure="the share of accounts that are no single person",
    ),
    Rule(
        kind="customer_care",
        standing="leaving",
        least=0.05,
        what="are among the most valuable quarter and have been away for long",
        title="Keep valuable customers that drift away",
        trial="a personal contact brings valuable users back",
        measure="the share of users that return, and spend per user, within two months",
    ),
    Rule(
        kind="customer_care",
        standing="valuable",
        least=0.3,
        what="are among the most valuable quarter of all users",
        title="Care for the best customers",
        trial="early access or faster service keeps the best customers buying",
        measure="spend per user within two months",
    ),
)
"""In order of precedence: of one kind the first that fires is taken."""


def actions(
    segments: Segments,
    rows: Rows,
    items: Sequence[Recommendation],
    standings: Mapping[str, Standing],
) -> tuple[Action, ...]:
    """Per segment at most one action of each kind; of users in no segment only risks."""
    found: list[Action] = []
    for group, segment in enumerate(segments.segments):
        fired = [_by_rule(rule, segment, group, standings.get(rule.standing)) for rule in RULES]
        if len(rows.ids) > 1:
            fired = [_product(segment, items), _audience(segment), *fired]
        by_kind: dict[str, Action] = {}
        for action in fired:
            if action and (segment.id != NOISE or action.kind == "risk"):
                by_kind.setdefault(action.kind, action)
        found += [by_kind[kind] for kind in get_args(Kind) if kind in by_kind]
    return tuple(found)


def _by_rule(rule: Rule, segment: Segment, group: int, standing: Standing | None) -> Action | None:
    if standing is None:
        return None
    inside, everyone = float(standing.inside[group]), standing.everyone
    known = int(standing.known[group])
    error = (everyone * (1 - everyone) / max(known, 1)) ** 0.5
    least = max(rule.least, TIMES_EVERYONE * everyone, everyone + _CHANCE * error)
    if inside < least or everyone == 0:
        return None
    users = int(standing.concerned[group])
    partly = "" if known == segment.size else " whose whole history is known"
    seen = (
        f"{percent(inside)} of its users{partly} {rule.what} ({counted(users, 'user', 'users')}), "
        f"against {percent(everyone)} of everyone"
    )
    return Action(
        segment=segment.id,
        kind=rule.kind,
        title=rule.title,
        text=f"{seen}. Hypothesis: {rule.trial}. {rule.test} {rule.measure}.",
        evidence={
            f"share that {rule.what}": inside,
            "the same among everyone": everyone,
            "users concerned": float(users),
        },
    )


def _hypothesis(seen: str, trial: str, measure: str) -> str:
    return (
        f"{seen}. Hypothesis: {trial}. Test it on a random half of the segment and measure, "
        f"against the other half, {measure}."
    )


def _product(segment: Segment, items: Sequence[Recommendation]) -> Action | None:
    """Show the segment its own items, where it has a taste of its own."""
    own = [r for r in items if r.segment == segment.id and r.lift >= _ITEM_LIFT][:_ITEMS_NAMED]
    if len(own) < _ITEMS_NAMED:
        return None
    named = ", ".join(f"{quoted(r.item)} ({figure(r.lift)} times the engagement)" for r in own)
    seen = f"Items this segment likes better than everyone does: {named}"
    return Action(
        segment=segment.id,
        kind="product_recommendation",
        title="Recommend the segment's own items",
        text=_hypothesis(
            seen,
            "showing these in place of what is popular with everyone brings more purchases",
            "purchases per user within two weeks",
        ),
        evidence={f"engagement with {quoted(r.item)}, times everyone's": r.lift for r in own}
        | {"users of the segment that met the first": float(own[0].segment_users)},
    )


def _audience(segment: Segment) -> Action | None:
    """Advertise the category the segment stands out in."""
    fit = [
        c
        for c in segment.categories
        if c.lift >= _CATEGORY_LIFT and c.users >= _CATEGORY_REACH * segment.size
    ]
    if not fit:
        return None
    best = fit[0]
    reach = best.users / segment.size
    seen = (
        f"{percent(reach)} of its users met {quoted(best.name)}, and the segment turns to it "
        f"{figure(best.lift)} times as often as everyone ({percent(best.share)} of its events "
        "with a category)"
    )
    return Action(
        segment=segment.id,
        kind="ad_audience",
        title=f"Audience for {quoted(best.name)}",
        text=_hypothesis(
            seen,
            f"advertising {quoted(best.name)} to them costs less per purchase than to everyone",
            "visits and purchases per user shown",
        ),
        evidence={
            f"events in {quoted(best.name)}, times everyone's": best.lift,
            "share of its events with a category": best.share,
            "share of its users that met it": reach,
        },
    )
