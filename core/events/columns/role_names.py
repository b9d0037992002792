"""How columns of logs are called, in English and in Chinese, by the role they play."""

from __future__ import annotations

import re

NAMES: dict[str, str] = {
    "user": "userid customerid visitorid householdid memberid clientid shopperid buyerid accountid "
    "fullvisitorid personid consumerid uid user customer visitor household member client shopper "
    "buyer 用户id 用户编号 用户 会员id 会员编号 会员 客户id 客户编号 "
    "客户 顾客 买家 买家id anonymousid cookieid deviceid",
    "time": "timestamp eventtime eventtimestamp eventdatetime datetime transactiontimestamp time "
    "invoicedate orderdate ordertime orderpurchasetimestamp purchasedate transactiondate "
    "transactiontime eventdate createdat occurredat ts date day timestampms 时间戳 时间 日期 "
    "下单时间 行为时间 支付时间 付款时间 订单时间 创建时间 发生时间 交易时间",
    "action": "eventtype behaviortype behaviourtype actiontype eventname action event behavior "
    "behaviour activity interaction interactiontype activitytype 行为类型 行为 动作 事件类型 事件 "
    "操作",
    "item": "itemid productid sku stockcode skuid articleid goodsid asin item product article "
    "goods spuid 商品id 商品编号 商品 产品id 产品 物品",
    "category": "category productcategory itemcategory categorycode categoryname categoryid catid "
    "cat department subcategory producttype section 类目 商品类目 类目id 类别 品类 分类",
    "duration": "duration durationseconds durations dwelltime dwell dwellseconds timespent "
    "timeonpage staytime durationsec durationms dwellms durationmin 时长 停留时长 停留时间",
    "price": "price unitprice itemprice saleprice 价格 单价 商品价格 商品单价",
    "quantity": "quantity qty units pieces count 数量 件数 购买数量 商品数量 销量",
    "value": "value salesvalue amount salesamount sales revenue totalprice linetotal ordervalue "
    "money total 金额 销售额 支付金额 实付金额 订单金额 成交金额 总价",
    "session": "sessionid session visitid usersession visit 会话id 会话",
    "platform": "platform channel source device devicetype saleschannel trafficsource medium "
    "utmsource os 平台 渠道 来源 设备 终端",
    "query": "query searchquery searchterm searchtext keywords keyword searchphrase 搜索词 查询 "
    "关键词",
    "label": "label labels persona segment truelabel groundtruth customersegment usersegment "
    "truesegment usertype 标签 人群 分群",
}
"""Names by role, likeliest first, without separators and in lower case."""

WORDS: dict[str, str] = {
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

_NO_HEADS = {"id", "no", "nr", "code", "name", "key", "number", "编号", "名称", "名", "号"}
"""Last words that say nothing of what they are the id or the name of."""
_NOT_MONEY = {
    *("discount", "disc", "tax", "vat", "shipping", "freight", "delivery", "coupon", "fee"),
    *("points", "score", "balance"),
}
_NOT_MONEY_SIGNS = ("折扣", "优惠", "运费", "税", "积分", "余额")


def name_strength(role: str, column: str) -> float:
    """How strongly a name speaks for a role, 0 to 1.

    From 0.99 for the likeliest name down to 0.9; 0.75 for one that ends with a word of the role
    (an "item price" is a price), 0.6 for one that only holds such a word.
    """
    words = words_of(column)
    whole, names = "".join(words), NAMES[role].split()
    if role in ("price", "value") and _is_other_money(words, whole):
        return 0.0
    if whole in names:
        return 0.99 - 0.09 * names.index(whole) / len(names)
    speaking = [word for word in words if word not in _NO_HEADS]
    known = WORDS[role].split()
    if any(speaking[-1:] == [word] or _ends(whole, word) for word in known):
        return 0.75
    if any(word in words or (not word.isascii() and word in whole) for word in known):
        return 0.6
    return 0.0


def words_of(name: str) -> list[str]:
    """Cut a column name into words in lower case: "InvoiceDate" into "invoice" and "date"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return [word for word in re.split(r"[^0-9a-z\u4e00-\u9fff]+", apart) if word]


def _ends(whole: str, word: str) -> bool:
    """Whether a Chinese name ends with a word, ids and names of it included."""
    return not word.isascii() and re.sub("(id|编号|名称|名|号)$", "", whole).endswith(word)


def _is_other_money(words: list[str], whole: str) -> bool:
    """Whether a name speaks of money that is not what was paid for the goods."""
    return bool(_NOT_MONEY & set(words)) or any(sign in whole for sign in _NOT_MONEY_SIGNS)
