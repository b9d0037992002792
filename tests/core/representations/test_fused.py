import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.errors import OptionRefused, TooLittleData
from core.options import option_types
from core.representations import REPRESENTATIONS
from core.representations._base import Work
from core.representations.fused import PARTS, FusedOptions, fit, transform
from core.representations.markov import MARKOV, MarkovOptions

WHOLE = FusedOptions(lasting=False, width=1024)
N_USERS = 300


@pytest.fixture
def by_order(sequences_of):
    """Users who do the same at the same pace but for the order of it: forward or backward."""
    rng = np.random.default_rng(0)

    def line(user):
        place, words = 0, []
        for follows in rng.random(40) < 0.6:
            step = 1 if user % 2 else -1
            place = (place + step) % 3 if follows else int(rng.integers(3))
            words.append({"action": "abc"[place], "gap": float(rng.exponential(60))})
        return words

    return sequences_of({f"u{i:03d}": line(i) for i in range(N_USERS)})


def spread_of(values):
    """Mean squared distance of two users."""
    return 2 * values.astype(np.float64).var(axis=0).sum()


def test_only_what_lasts_counts_and_it_is_told(by_order):
    fitted = fit(by_order, FusedOptions(blocks=("bag", "markov", "time")), Work())
    told = {found.name: found for found in fitted.findings}
    assert told["lasting bag"].value == 0
    assert told["lasting bag"].note.endswith("so it does not count.")
    assert told["lasting markov"].value >= 1
    assert "'markov' (order) last" in told["lasting markov"].note
    group = np.arange(N_USERS) % 2
    apart = fitted.values[group == 1].mean(axis=0) - fitted.values[group == 0].mean(axis=0)
    sides = fitted.values @ apart > 0
    assert (sides == (group == 1)).mean() > 0.97


def test_whole_parts_have_a_mean_squared_distance_of_one(by_order):
    one = fit(by_order, FusedOptions(blocks=("time",), lasting=False), Work())
    assert_allclose(spread_of(one.values), 1, rtol=1e-3)
    two = fit(by_order, FusedOptions(blocks=("bag", "time"), lasting=False), Work())
    assert_allclose(spread_of(two.values), 2, rtol=1e-3)
    same = FusedOptions(blocks=("bigram", "markov"), lasting=False, width=1024)
    assert_allclose(spread_of(fit(by_order, same, Work()).values), 1, rtol=1e-3)  # both of order


def test_a_weight_is_that_of_a_question(by_order):
    plain = fit(by_order, FusedOptions(blocks=("bag", "markov"), lasting=False, width=999), Work())
    options = FusedOptions(
        blocks=("bag", "markov"), lasting=False, width=999, order_weight=3.0, content_weight=0.5
    )
    heavy = fit(by_order, options, Work())
    n_bag = plain.state["bag.centre"].size
    assert_allclose(heavy.values[:, :n_bag], plain.values[:, :n_bag] * 0.5, atol=1e-5)
    assert_allclose(heavy.values[:, n_bag:], plain.values[:, n_bag:] * 3, atol=1e-5)
    none = FusedOptions(blocks=("bag", "markov"), lasting=False, order_weight=0.0)
    assert not any(name.startswith("markov") for name in fit(by_order, none, Work()).state)


def test_one_whole_part_is_that_representation_at_another_size(by_order):
    fused = fit(by_order, FusedOptions(blocks=("markov",), lasting=False, width=999), Work())
    alone = MARKOV.fit(by_order, MarkovOptions(), Work())
    centred = alone.values - alone.values.mean(axis=0)
    size = fused.values.std() / centred.std()
    assert_allclose(fused.values, centred * size, atol=1e-4)


def test_more_numbers_than_wanted_become_principal_components(by_order):
    wide = fit(by_order, WHOLE, Work()).values
    narrow = fit(by_order, FusedOptions(lasting=False, width=5), Work()).values
    assert narrow.shape == (N_USERS, 5)
    sizes = np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False)
    assert_allclose(np.linalg.norm(narrow, axis=0), sizes[:5], rtol=1e-3)


def test_few_users_cannot_tell_what_lasts_and_it_is_said(of_actions):
    fitted = fit(of_actions({f"u{i}": "a b c b a" for i in range(20)}), FusedOptions(), Work())
    notes = [told.note for told in fitted.findings if told.name == "lasting"]
    assert notes == [
        "Only 20 users have four events or more, too few to tell what lasts of a user from "
        "chance, so every part counts whole."
    ]


def test_where_nothing_lasts_every_part_counts_whole_and_it_is_said(of_actions):
    rng = np.random.default_rng(1)
    users = {f"u{i:03d}": " ".join(rng.choice(list("ab"), 12)) for i in range(N_USERS)}
    fitted = fit(of_actions(users), FusedOptions(blocks=("bag", "markov")), Work())
    assert fitted.findings[-1].note.startswith("Nothing in users lasts")
    assert fitted.values.shape[1] > 2


def test_parts_that_the_log_cannot_tell_are_left_out_and_it_is_said(by_order, of_actions):
    told = {found.name: found.note for found in fit(by_order, WHOLE, Work()).findings}
    assert "Map a price column" in told["left out rfm"]
    with pytest.raises(TooLittleData, match="Map a price column"):
        fit(by_order, FusedOptions(blocks=("rfm",)), Work())
    alike = of_actions({f"u{i}": "a a a a" for i in range(20)})
    fitted = fit(alike, FusedOptions(blocks=("bag", "markov"), lasting=False), Work())
    assert {f.note for f in fitted.findings} == {
        "Users do not differ in 'bag' (content).",
        "Users do not differ in 'markov' (order).",
    }
    assert_allclose(fitted.values, 0)


@pytest.mark.parametrize("lasting", [True, False])
def test_new_users_are_placed_as_the_fitted_were(by_order, lasting):
    options = FusedOptions(lasting=lasting, blocks=tuple(PARTS))
    fitted = fit(by_order, options, Work())
    np.testing.assert_array_equal(transform(fitted.state, by_order), fitted.values)
    turned = dict(reversed(list(fitted.state.items())))
    np.testing.assert_array_equal(transform(turned, by_order), fitted.values)


def test_every_counted_representation_can_be_fused():
    entries = REPRESENTATIONS.items()
    counted = {name for name, entry in entries if not entry.learned and not entry.uses_models}
    assert set(PARTS) == counted - {"fused"}
    for entry, changed in PARTS.values():
        assert set(changed) <= set(option_types(entry.Options))


def test_a_part_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(
        OptionRefused, match=r"names 'markow'.*Allowed: bag, .*Did you mean 'markov'"
    ):
        FusedOptions(blocks=("bag", "markow"))
    with pytest.raises(OptionRefused, match="cannot be fused"):
        FusedOptions(blocks=("fused",))


@pytest.mark.parametrize("options", [{"blocks": ()}, {"blocks": ("bag",), "content_weight": 0.0}])
def test_nothing_to_compare_is_refused(options):
    with pytest.raises(OptionRefused, match="nothing to compare"):
        FusedOptions(**options)
