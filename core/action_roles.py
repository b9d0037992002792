"""What an action of a log means to a shop, told by its word, English or Chinese.

The one place that knows what counts as a purchase, a view or a cart. Words are data: they are
compared, never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Role = Literal[
    "purchase", "view", "cart", "search", "favourite", "click", "review", "return", "unknown"
]
ROLES: tuple[Role, ...] = get_args(Role)

# In order: the first role one of whose words is met wins, so that "cancel order" is no purchase
# and "view item" is no item. Whole English words only: "display" does not pay.
_WORDS: tuple[tuple[Role, str], ...] = (
    (
        "return",
        "return returns returned refund refunds refunded refunding cancel cancels cancelled "
        "canceled cancellation chargeback",
    ),
    ("unknown", "remove removes removed removefromcart delete deleted unfavourite unfavorite"),
    (
        "favourite",
        "favourite favourites favourited favorite favorites favorited fav favs wishlist wish "
        "bookmark bookmarked like likes liked collect collected addtowishlist addtofavorites",
    ),
    ("cart", "cart carts carted addtocart basket addtobasket bag addtobag checkout trolley"),
    ("review", "review reviews reviewed rate rated rating ratings comment comments commented"),
    ("search", "search searches searched searching query queries queried find"),
    (
        "view",
        "view views viewed viewing viewitem browse browses browsed browsing pv pageview pageviews "
        "impression impressions look looked detail details info show shown see",
    ),
    ("click", "click clicks clicked clicking tap taps tapped select selects selected"),
    (
        "purchase",
        "purchase purchases purchased purchasing buy buys buying bought order orders ordered "
        "transaction transactions sale sales sold pay pays paid payment conversion invoice",
    ),
)
_CHINESE: tuple[tuple[Role, tuple[str, ...]], ...] = (
    ("return", ("退货", "退款", "退换", "取消", "退单")),
    ("unknown", ("移除", "移出", "删除")),
    ("favourite", ("收藏", "关注", "喜欢", "点赞", "心愿")),
    ("cart", ("加购", "购物车", "加入购物", "结算")),
    ("review", ("评论", "评价", "评分", "晒单")),
    ("search", ("搜索", "查询", "检索", "搜")),
    ("view", ("浏览", "查看", "访问", "曝光", "看")),
    ("click", ("点击", "点选")),
    ("purchase", ("购买", "下单", "支付", "付款", "成交", "订单", "交易", "买")),
)
_ENGLISH = {word: (rank, role) for rank, (role, ws) in enumerate(_WORDS) for word in ws.split()}


def role_of(word: str) -> Role:
    """What an action means, by its word in any case: "Add_to_cart" is "cart", "购买" "purchase".

    "unknown" where no word tells.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower()
    met = [_ENGLISH[part] for part in re.findall(r"[a-z]+", apart) if part in _ENGLISH]
    if met:
        return min(met)[1]
    return next((role for role, signs in _CHINESE if any(s in word for s in signs)), "unknown")


def roles_by_code(actions: Sequence[str]) -> npt.NDArray[np.int8]:
    """Index into `ROLES` for every code of a vocabulary's actions; code 0 is unknown, (A + 1,)."""
    found: list[Role] = ["unknown", *(role_of(word) for word in actions)]
    return np.array([ROLES.index(role) for role in found], dtype=np.int8)


def is_role(codes: npt.NDArray[Any], actions: Sequence[str], *roles: Role) -> npt.NDArray[np.bool_]:
    """Which events have an action of one of the roles; ``codes`` as in the sequences, (E,)."""
    wanted = [ROLES.index(role) for role in roles]
    found: npt.NDArray[np.bool_] = np.isin(roles_by_code(actions), wanted)[codes]
    return found


def has_role(actions: Sequence[str], role: Role) -> bool:
    """Whether any of the words means this."""
    return any(role_of(word) == role for word in actions)
