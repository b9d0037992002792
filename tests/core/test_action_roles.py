import numpy as np
import pytest

from core.action_roles import is_role, role_of, roles_by_code


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("purchase", "purchase"),
        ("BUY", "purchase"),
        ("transaction", "purchase"),
        ("order_completed", "purchase"),
        ("购买", "purchase"),
        ("支付成功", "purchase"),
        ("pv", "view"),
        ("view_item", "view"),
        ("viewItemList", "view"),
        ("浏览商品", "view"),
        ("add_to_cart", "cart"),
        ("addtocart", "cart"),
        ("加购", "cart"),
        ("加入购物车", "cart"),
        ("fav", "favourite"),
        ("add-to-wishlist", "favourite"),
        ("收藏", "favourite"),
        ("search", "search"),
        ("搜索", "search"),
        ("clicks", "click"),
        ("review", "review"),
        ("refund", "return"),
        ("退货", "return"),
    ],
)
def test_what_an_action_means_is_told_by_its_word(word, role):
    assert role_of(word) == role


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("cancel order", "return"),
        ("取消订单", "return"),
        ("remove_from_cart", "unknown"),
        ("add_payment_info", "view"),
        ("order_details", "view"),
        ("display", "unknown"),  # no "play" or "pay" in it
        ("border", "unknown"),
        ("interview", "unknown"),
        ("", "unknown"),
        ("event", "unknown"),
    ],
)
def test_a_word_that_only_sounds_like_a_purchase_is_none(word, role):
    assert role_of(word) == role


def test_events_are_told_by_their_codes_and_a_missing_action_has_no_role():
    words = ("view", "buy", "pay")
    assert len(roles_by_code(words)) == 4
    found = is_role(np.array([0, 1, 2, 3, 2]), words, "purchase")
    assert found.tolist() == [False, False, True, True, True]
