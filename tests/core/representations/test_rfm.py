import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.artifacts import TEST
from core.errors import TooLittleData
from core.representations._base import Work
from core.representations.rfm import RFMOptions, _measured, fit, transform
from tests.worlds import tiny_sequences

DAY = 86_400
RECENCY, FREQUENCY, TENURE, MONEY, BASKET, PRICE, SPREAD, BAND_0 = range(8)
PLAIN = RFMOptions(lasting=False, bands=False)


def measured(users, options=PLAIN):
    sequences = tiny_sequences(users)
    return _measured(fit(sequences, options, Work()).state, sequences)


def test_recency_frequency_and_money_are_those_of_purchases():
    found = measured(
        {
            "ann": [("buy", None, "x", 0, 9.0), ("view", None, "x", DAY, 99.0)],
            "bob": [("view", None, "x", 0, 99.0), ("view", None, "x", 3 * DAY, 99.0)],
            "cid": [("buy", None, "x", 0, 9.0), ("buy", None, "x", DAY, 10.0)],
        }
    )
    # bob never bought: so many days since he came
    assert_allclose(found[:, RECENCY], np.log([4, 4, 3]), rtol=1e-6)
    assert_allclose(found[:, FREQUENCY], np.log([2, 1, 3]), rtol=1e-6)
    assert_allclose(found[:, TENURE], np.log([4, 4, 4]), rtol=1e-6)
    assert_allclose(found[:, MONEY], np.log([10, 1, 20]), rtol=1e-6)


def test_a_basket_is_what_is_paid_in_a_visit(with_arrays):
    users = {"ann": [("buy", None, None, t, p) for t, p in ((0, 5.0), (60, 7.0), (DAY, 6.0))]}
    sequences = with_arrays(tiny_sequences(users), session=np.array([0, 0, 1], np.int32))
    found = _measured(fit(sequences, PLAIN, Work()).state, sequences)
    assert_allclose(found[0, BASKET], np.log(1 + 18 / 2), rtol=1e-6)
    assert_allclose(found[0, PRICE], np.log([6, 8, 7]).mean(), rtol=1e-6)
    assert_allclose(found[0, SPREAD], np.log([6, 8, 7]).std(), rtol=1e-5)


def test_price_bands_are_fifths_of_all_prices():
    prices = [float(p) for p in range(1, 11)]
    users = {"ann": [("buy", None, None, i, p) for i, p in enumerate(prices)]}
    users["bob"] = [("buy", None, None, i, 1.0) for i in range(10)]
    sequences = tiny_sequences(users)
    fitted = fit(sequences, RFMOptions(lasting=False, prior=1e-2), Work())
    assert_allclose(fitted.state["edges"], np.quantile(prices + [1.0] * 10, [0.2, 0.4, 0.6, 0.8]))
    shares = _measured(fitted.state, sequences)[:, BAND_0:] ** 2
    assert shares.shape == (2, 5)
    assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert shares[1].max() > 0.99


def test_without_purchases_events_with_a_price_stand_for_them_and_it_is_said():
    users = {
        "ann": [("look", None, "x", 0, 9.0), ("look", None, "x", DAY, None)],
        "bob": [("look", None, "x", 0, 5.0), ("look", None, "x", DAY, 6.0)],
    }
    assert_allclose(measured(users)[:, FREQUENCY], np.log([2, 3]), rtol=1e-6)
    assert_allclose(measured(users)[:, MONEY], np.log([10, 12]), rtol=1e-6)
    (told,) = fit(tiny_sequences(users), PLAIN, Work()).findings
    assert told.name == "purchases"
    assert "every event with a price counts as one" in told.note


def test_without_prices_money_is_left_out_and_it_is_said():
    users = {
        "ann": [("buy", None, "x", 0, None), ("view", None, "x", DAY, None)],
        "bob": [("buy", None, "x", 0, None), ("buy", None, "x", DAY, None)],
    }
    fitted = fit(tiny_sequences(users), RFMOptions(), Work())
    assert fitted.values.shape == (2, 3)
    assert [told.name for told in fitted.findings] == ["money"]
    assert "left out" in fitted.findings[0].note


def test_with_neither_every_event_counts_and_both_are_said():
    users = {"ann": [("look", None, None, 0, None)] * 3, "bob": [("look", None, None, 0, None)]}
    fitted = fit(tiny_sequences(users), RFMOptions(), Work())
    assert_allclose(_measured(fitted.state, tiny_sequences(users))[:, FREQUENCY], np.log([4, 2]))
    assert [told.name for told in fitted.findings] == ["purchases", "money"]


def test_where_nothing_is_left_it_says_what_to_do():
    users = {"ann": [("look", None, None, 0, None)]}
    with pytest.raises(TooLittleData, match="Map a price column, or set 'standing' to true"):
        fit(tiny_sequences(users), RFMOptions(standing=False), Work())


@pytest.mark.parametrize(
    ("options", "width"),
    [
        (RFMOptions(), 12),
        (RFMOptions(standing=False), 8),
        (RFMOptions(bands=False), 7),
        (RFMOptions(standing=False, bands=False), 3),
    ],
)
def test_what_is_not_wanted_has_no_columns(options, width):
    users = {"ann": [("buy", None, None, 0, 5.0)] * 3, "bob": [("view", None, None, 0, 50.0)]}
    sequences = tiny_sequences(users)
    fitted = fit(sequences, options, Work())
    assert fitted.values.shape == (2, width)
    assert_allclose(transform(fitted.state, sequences), fitted.values)


def test_bad_prices_and_unknown_actions_are_passed_over(with_arrays):
    users = {"ann": [("buy", None, None, 0, p) for p in (5.0, 6.0, 7.0, 8.0)]}
    good = tiny_sequences(users)
    fitted = fit(good, PLAIN, Work())
    prices = np.array([5.0, np.nan, np.inf, -3.0], np.float32)
    bad = with_arrays(good, price=prices, action=np.array([1, 1, 1, 77], np.int32))
    found = _measured(fitted.state, bad)
    assert_allclose(found[0, [FREQUENCY, MONEY]], np.log([4, 6]), rtol=1e-6)
    assert np.isfinite(transform(fitted.state, bad)).all()


def test_only_the_users_to_fit_say_what_is_dear(with_arrays):
    users = {f"u{i}": [("buy", None, None, 0, 1.0 + i)] for i in range(5)}
    alone = fit(tiny_sequences(users), RFMOptions(), Work()).state
    users |= {f"v{i}": [("buy", None, None, 0, 1e6)] for i in range(5)}
    sequences = tiny_sequences(users)
    split = np.where(np.arange(10) < 5, 0, TEST).astype(np.int8)
    both = fit(with_arrays(sequences, split=split), RFMOptions(), Work()).state
    assert_allclose(both["edges"], alone["edges"])
    assert_allclose(both["centre"], alone["centre"])


def test_how_dear_a_user_buys_counts_more_than_chance():
    rng = np.random.default_rng(0)
    users = {
        f"u{i:03d}": [
            ("buy", None, None, t, float(np.exp(rng.normal(1 + 2 * (i % 2), 0.5))))
            for t in range(12)
        ]
        for i in range(100)
    }
    weight = fit(tiny_sequences(users), RFMOptions(), Work()).state["weight"]
    assert weight[PRICE] > 0.9
    assert weight[SPREAD] < 0.2
    assert_allclose(weight[:BASKET], 0.3)
