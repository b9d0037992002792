"""Guess which column of a log plays which role: from its name, then from what stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.artifacts import ROLES, RawLog
from core.events import engine
from core.events.number_forms import LIKE_NUMBERS
from core.events.reading import literal, quoted
from core.events.time_forms import NUMBER_DATES, WRITTEN_DATES

SAMPLE = 50_000
"""Rows looked at; a guess is checked against the whole file when the columns are read."""
LEAST = 0.3
"""A guess below this confidence is not made."""

_NAMES: dict[str, str] = {
    "user": "userid customerid visitorid householdid memberid clientid shopperid buyerid accountid "
    "fullvisitorid personid consumerid uid user customer visitor household member client shopper "
    "buyer 用户id 用户 会员id 会员 客户id 客户 顾客 买家 anonymousid cookieid deviceid",
    "time": "timestamp eventtime eventtimestamp eventdatetime datetime transactiontimestamp time "
    "invoicedate orderdate ordertime orderpurchasetimestamp purchasedate transactiondate "
    "transactiontime eventdate createdat occurredat ts date day timestampms 时间戳 时间 日期 "
    "下单时间 行为时间",
    "action": "eventtype behaviortype behaviourtype actiontype eventname action event behavior "
    "behaviour activity interaction interactiontype activitytype 行为类型 行为 动作 事件类型 事件 "
    "操作",
    "item": "itemid productid sku stockcode skuid articleid goodsid asin item product article "
    "goods spuid 商品id 商品编号 商品 产品id 产品 物品",
    "category": "category productcategory itemcategory categorycode categoryname categoryid catid "
    "cat department subcategory producttype section 类目 商品类目 类目id 类别 品类 分类",
    "duration": "duration durationseconds durations dwelltime dwell dwellseconds timespent "
    "timeonpage staytime durationsec durationms dwellms durationmin 时长 停留时长 停留时间",
    "price": "price unitprice itemprice saleprice 价格 单价",
    "quantity": "quantity qty units pieces count 数量 件数 购买数量",
    "value": "value salesvalue amount salesamount sales revenue totalprice linetotal ordervalue "
    "money total 金额 销售额 支付金额 总价",
    "session": "sessionid session visitid usersession visit 会话id 会话",
    "platform": "platform channel source device devicetype saleschannel trafficsource medium "
    "utmsource os 平台 渠道 来源 设备 终端",
    "query": "query searchquery searchterm searchtext keywords keyword searchphrase 搜索词 查询 "
    "关键词",
    "label": "label labels persona segment truelabel groundtruth customersegment usersegment "
    "truesegment usertype 标签 人群 分群",
}
"""Names by role, likeliest first, without separators and in lower case."""

_WORDS: dict[str, str] = {
    "user": "user customer visitor household member client shopper buyer 用户 会员 客户 顾客 买家",
    "time": "time timestamp date datetime 时间 日期",
    "action": "event action behavior behaviour activity 行为 动作 事件",
    "item": "item product sku article goods 商品 产品",
    "category": "category department cat 类目 类别 品类 分类",
    "duration": "duration dwell 时长 停留",
    "price": "price 价格 单价",
    "quantity": "quantity qty 数量",
    "value": "amount revenue value 金额",
    "session": "session visit 会话",
    "platform": "platform channel source device 平台 渠道 来源",
    "query": "query keyword 搜索 查询",
    "label": "label persona segment 标签 人群 分群",
}
"""Single words by role: weaker evidence, where a name only holds one of them."""

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


@dataclass(frozen=True)
class Contents:
    """What stands in a column, over the sample. Shares are of the cells that are not blank."""

    filled: int
    distinct: int
    dates: float
    """Share of cells that are written dates."""
    stamps: float
    """Share of cells that are digits of the size of a time."""
    numbers: float


def guess(raw: RawLog) -> tuple[Guess, ...]:
    """Offer a column for every role that one seems to play, in the order of the roles.

    A label is offered only where a name says so; a time also where only the cells do.
    """
    contents = look_at(raw)
    offers = [
        offer
        for role in ROLES
        for column in raw.columns
        if (offer := _offer(role, column, contents[column])) is not None
    ]
    offers.sort(key=lambda offer: -offer.confidence)  # stable: roles and columns keep their order
    taken: dict[str, Guess] = {}
    for offer in offers:
        if offer.role not in taken and offer.column not in {g.column for g in taken.values()}:
            taken[offer.role] = offer
    return tuple(taken[role] for role in ROLES if role in taken)


def look_at(raw: RawLog) -> dict[str, Contents]:
    """Count what stands in every column, over the first `SAMPLE` rows."""
    dates = "|".join(pattern for _, pattern in WRITTEN_DATES)
    stamps = "|".join(pattern for _, pattern in NUMBER_DATES)
    wanted = []
    for name in raw.columns:
        column, cell = quoted(name), f"trim({quoted(name)})"
        wanted += [f"count({column})", f"count(DISTINCT {column})"]
        wanted += [
            f"count(*) FILTER (regexp_full_match({cell}, {literal(pattern)}))"
            for pattern in (dates, stamps, LIKE_NUMBERS)
        ]
    query = f"SELECT {', '.join(wanted)} FROM (FROM read_parquet($path) LIMIT {SAMPLE})"
    with engine.connect() as db:
        row = db.execute(query, {"path": str(raw.path)}).fetchall()[0]
    found = {}
    for at, name in enumerate(raw.columns):
        filled, distinct, *counts = row[5 * at : 5 * at + 5]
        found[name] = Contents(filled, distinct, *(count / max(1, filled) for count in counts))
    return found


def _offer(role: str, column: str, contents: Contents) -> Guess | None:
    named = _name_strength(role, column)
    if role == "time" and named == 0 and contents.dates >= 0.5:
        why = f"{contents.dates:.0%} of its cells are dates"
        return Guess(role=role, column=column, confidence=round(0.6 * contents.dates, 2), why=why)
    fit, seen = _fit(role, contents)
    confidence = round(named * fit, 2)
    if confidence < LEAST:
        return None
    why = f"its name says {_MEANING[role]}; {seen}"
    return Guess(role=role, column=column, confidence=confidence, why=why)


def _name_strength(role: str, column: str) -> float:
    """From 0.99 for the likeliest name down to 0.9, 0.7 for a name with the word, else 0."""
    words = words_of(column)
    names = _NAMES[role].split()
    whole = "".join(words)
    if whole in names:
        return 0.99 - 0.09 * names.index(whole) / len(names)
    for word in _WORDS[role].split():
        if word in words or (not word.isascii() and word in whole):
            return 0.7
    return 0.0


def words_of(name: str) -> list[str]:
    """Cut a column name into words in lower case: "InvoiceDate" into "invoice" and "date"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return [word for word in re.split(r"[^0-9a-z\u4e00-\u9fff]+", apart) if word]


def _fit(role: str, contents: Contents) -> tuple[float, str]:
    """How well the cells suit a role (0 to 1), in a number and in words."""
    various = f"{contents.distinct:,} different values in {contents.filled:,} cells"
    if not contents.filled:
        return 0.5, "but it is blank so far"
    if role == "time":
        share = max(contents.dates, contents.stamps)
        return max(0.5, share), f"{share:.0%} of its cells can be times"
    if role in ("price", "duration", "quantity", "value"):
        return max(0.2, contents.numbers), f"{contents.numbers:.0%} of its cells are numbers"
    if contents.dates > 0.5:
        return 0.0, "its cells are dates"
    few = contents.distinct <= max(20, min(1000, contents.filled / 2))
    if role in ("action", "platform", "label"):
        return (1.0 if few else 0.3), various
    return 1.0, various
