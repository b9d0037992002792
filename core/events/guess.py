"""Guess which column of a log plays which role: from its name, then from what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.artifacts import ROLES, RawLog
from core.events.columns.contents import Contents, look_at
from core.events.columns.role_names import name_strength, words_of
from core.events.gate.several import source_names

LEAST = 0.3
"""A guess below this confidence is not made."""
_ENOUGH = 100
"""Cells from which on it says something that all are the same, or that no two are."""
_PLATFORM_WORDS = (
    "web website www site online desktop pc app apps ios iphone android mobile wap h5 tablet "
    "miniprogram shop shops store stores pos kiosk offline callcenter phone email marketplace "
    "amazon ebay tmall taobao jd pdd wechat douyin"
)
_PLATFORMS = frozenset(_PLATFORM_WORDS.split())
_PLATFORMS_IN_CHINESE = (
    "网页",
    "网站",
    "小程序",
    "门店",
    "线下",
    "安卓",
    "苹果",
    "微信",
    "抖音",
    "天猫",
    "淘宝",
    "京东",
)
"""Words in the names of files that are platforms; months and other pieces of a log have none."""

_MEANING = {
    "user": "who acted",
    "time": "when",
    "action": "what was done",
    "item": "the item",
    "category": "a category",
    "duration": "how long it took",
    "price": "what a piece costs",
    "quantity": "how many pieces",
    "value": "the money of the event",
    "session": "the visit it belongs to",
    "query": "what was searched for",
    "platform": "where it came from",
    "label": "a group known beforehand",
}


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A column that may play a role, how sure that is (0 to 1) and a line that says why."""

    role: str
    column: str
    confidence: float
    why: str


def guess(raw: RawLog) -> tuple[Guess, ...]:
    """Offer a column for every role that one seems to play, in the order of the roles.

    Times and actions are offered also where only the cells say so, which is safe: dates are dates,
    and "view" and "add to cart" are what was done.
    """
    contents = look_at(raw)
    offers = [
        offer
        for role in ROLES
        for column in raw.columns
        if column != raw.source_column
        if (offer := _offer(role, column, contents[column])) is not None
    ]
    offers += _file_names(raw, contents)
    offers.sort(key=lambda offer: -offer.confidence)  # stable: roles and columns keep their order
    taken: dict[str, Guess] = {}
    for offer in offers:
        if offer.role not in taken and offer.column not in {g.column for g in taken.values()}:
            taken[offer.role] = offer
    return tuple(taken[role] for role in ROLES if role in taken)


def _offer(role: str, column: str, contents: Contents) -> Guess | None:
    named = name_strength(role, column)
    if named == 0:
        return _by_cells(role, column, contents)
    fitting, seen = fit(role, contents)
    confidence = round(named * fitting, 2)
    if confidence < LEAST:
        return None
    why = f"its name says {_MEANING[role]}; {seen}"
    return Guess(role=role, column=column, confidence=confidence, why=why)


def _by_cells(role: str, column: str, contents: Contents) -> Guess | None:
    """What the cells say by themselves, where they can be nothing else."""
    if role == "time" and contents.dates >= 0.5:
        why = f"{contents.dates:.0%} of its cells are dates"
        return Guess(role=role, column=column, confidence=round(0.6 * contents.dates, 2), why=why)
    if role == "action" and contents.deeds >= 0.6:
        why = f"{contents.deeds:.0%} of its different values say what was done"
        return Guess(role=role, column=column, confidence=round(0.6 * contents.deeds, 2), why=why)
    return None


def _file_names(raw: RawLog, contents: dict[str, Contents]) -> list[Guess]:
    """Offer the column that tells the files of a log apart; sure only where all name platforms.

    A month taken for a platform would look like behaviour.
    """
    if raw.source_column is None:
        return []
    pieces = not all(_platforms_in(part.name) for part in raw.parts)
    why = "it says which file a row came from"
    if pieces:
        return [
            Guess(
                role="platform",
                column=raw.source_column,
                confidence=LEAST,
                why=f"{why}, but the files look like pieces of one log; choose it if they are "
                "platforms",
            )
        ]
    return [
        Guess(
            role="platform",
            column=raw.source_column,
            confidence=0.8,
            why=f"{why}; choose none if the files are not platforms",
        )
    ]


def platforms_of_file(file: str, known: Sequence[str]) -> tuple[str, ...]:
    """Which of the ``known`` platforms a file may be of, by its name; none or several is unclear.

    The platforms are what the files of an earlier log were called. One that the name is, or whose
    words it holds, goes before one that only names the same platform: of "web jan" and "app jan",
    "web_feb.csv" is "web jan".
    """
    stem = source_names([file])[0]
    words = set(words_of(stem))
    tests: tuple[Callable[[str], bool], ...] = (
        lambda platform: platform == stem,
        lambda platform: bool(words_of(platform)) and words.issuperset(words_of(platform)),
        lambda platform: not _platforms_in(platform).isdisjoint(_platforms_in(stem)),
    )
    for test in tests:
        if found := tuple(platform for platform in dict.fromkeys(known) if test(platform)):
            return found
    return ()


def _platforms_in(file: str) -> set[str]:
    """The platforms that a file is called after, as "web_2025.csv" is."""
    chinese = {word for word in _PLATFORMS_IN_CHINESE if word in file}
    return chinese | _PLATFORMS.intersection(words_of(file))


def fit(role: str, contents: Contents) -> tuple[float, str]:
    """How well the cells suit a role (0 to 1), in a number and in words."""
    if not contents.filled:
        return 0.5, "but it is blank so far"
    if role == "time":
        share = max(contents.dates, contents.stamps)
        return max(0.5, share), f"{share:.0%} of its cells can be times"
    if role in ("price", "duration", "quantity", "value"):
        return _number_fit(contents), f"{contents.numbers:.0%} of its cells are numbers"
    if contents.dates > 0.5:
        return 0.0, "its cells are dates"
    if contents.clocks > 0.5:
        return 0.0, "its cells are times of day"
    various = f"{contents.distinct:,} different values in {contents.filled:,} cells"
    return _TEXT_FITS[role](contents), various


def _number_fit(contents: Contents) -> float:
    if contents.codes > 0.05:  # 007 is no amount
        return 0.0
    return max(0.2, contents.numbers)


def _user_fit(contents: Contents) -> float:
    if contents.fractions > 0.5:
        return 0.2
    return 0.5 if contents.filled >= _ENOUGH and (contents.all_same or contents.all_new) else 1.0


def _item_fit(contents: Contents) -> float:
    return 0.3 if contents.fractions > 0.5 else 1.0


def _category_fit(contents: Contents) -> float:
    every_row_its_own = contents.filled >= _ENOUGH and contents.all_new
    return 0.3 if contents.fractions > 0.5 or every_row_its_own else 1.0


def _few_fit(contents: Contents) -> float:
    few = contents.distinct <= max(20, min(1000, contents.filled / 2))
    return 1.0 if few and contents.fractions <= 0.5 else 0.3


def _session_fit(contents: Contents) -> float:
    if contents.filled >= _ENOUGH and contents.all_same:
        return 0.0
    return 0.4 if contents.filled >= _ENOUGH and contents.all_new else 1.0


def _query_fit(contents: Contents) -> float:
    return 0.0 if contents.numbers > 0.5 else 1.0


_TEXT_FITS: dict[str, Callable[[Contents], float]] = {
    "user": _user_fit,
    "action": _few_fit,
    "item": _item_fit,
    "category": _category_fit,
    "session": _session_fit,
    "platform": _few_fit,
    "query": _query_fit,
    "label": _few_fit,
}
"""How well the cells suit the roles whose cells are text."""
