"""What is known of items and queries, as the encoder and the bag read it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from core.representations import bag
from core.representations._base import Work
from core.representations.encoder import EventEncoder, projected_widths
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales, gather, hide_words
from core.representations.learning import fit
from core.representations.trained import transform

BRIEF = EncoderOptions(hidden=8, epochs=2)


def known(sequences, items=None, queries=None, item=None, query=None):
    """The sequences with tables, and codes that look them up."""
    nothing = np.zeros((1, 0), np.float32)
    codes = {
        name: np.array(code, np.int32)
        for name, code in (("item", item), ("query", query))
        if code is not None
    }
    return replace(
        sequences,
        item_vectors=nothing if items is None else np.array(items, np.float32),
        query_vectors=nothing if queries is None else np.array(queries, np.float32),
        **codes,
    )


@pytest.fixture
def log(of_actions):
    return of_actions({"ann": "a b a b", "bob": "b b", "cid": ""})


TABLE = [[0, 0], [1, 0], [0, 3]]


def test_a_log_without_vectors_has_the_encoder_it_always_had(log):
    plain = fit(log, BRIEF, Work())
    coded = known(log, np.zeros((9, 0)), item=[1, 2, 1, 2, 3, 3], query=[1] * 6)
    again = fit(coded, BRIEF, Work())
    assert again.values.tobytes() == plain.values.tobytes()
    assert again.state.keys() == plain.state.keys()
    assert not [name for name in plain.state if "vector" in name or "projection" in name]
    assert bag.fit(coded, bag.BagOptions(), Work()).state.keys() == {
        "action_column",
        "centre",
    }


def test_every_event_looks_up_its_item_and_its_query(log):
    read = known(log, TABLE, [[0], [5]], item=[1, 2, 0, 77, 2, 1], query=[0, 1, 1, 0, 0, 9])
    scales = Scales.of(read, time_of_day=True)
    batch = gather(read, scales, np.array([[0, 1, 2, 3], [4, 5, 5, 5]]), np.ones((2, 4), bool))
    assert batch.item.tolist() == [[1, 2, 0, 0], [2, 1, 1, 1]]  # 77 was not there at fitting
    assert batch.query.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]
    hidden = hide_words(batch, scales, 1.0, np.random.default_rng(0))
    assert not hidden.item.any() and not hidden.query.any()


def test_the_encoder_sees_the_vectors_through_a_projection_it_learns(log):
    scales = Scales.of(log, time_of_day=True)
    wide = {"item": np.ones((3, 40), np.float32), "query": np.ones((2, 5), np.float32)}
    encoder = EventEncoder(scales, 8, wide)
    plain = EventEncoder(scales, 8)
    assert encoder.cell.net.input_size == plain.cell.net.input_size + 16 + 5
    assert projected_widths(encoder.state_dict()) == {"item": 40, "query": 5}
    assert projected_widths(plain.state_dict()) == {}
    learned = {name for name, _ in encoder.named_parameters()}
    assert learned == set(encoder.state_dict())  # the tables are not saved with the weights


def test_an_unknown_item_is_read_as_zeros(log):
    scales = Scales.of(known(log, TABLE, item=[1] * 6), time_of_day=True)
    torch.manual_seed(0)
    encoder = EventEncoder(scales, 8, {"item": np.array(TABLE, np.float32)})
    index = np.array([[0, 1]])
    hidden = []
    for codes in ([0] * 6, [1] * 6):
        read = known(log, TABLE, item=codes)
        batch = gather(read, scales, index, np.ones((1, 2), bool))
        tensors = {n: torch.from_numpy(getattr(batch, n)) for n in batch.__dataclass_fields__}
        hidden.append(encoder(tensors)[0].detach())
    encoder.projections["item"].weight.data.zero_()
    blind = encoder(tensors)[0].detach()
    assert_allclose(hidden[0], blind, atol=1e-6)
    assert not np.allclose(hidden[1], blind, atol=1e-4)


def test_fitted_users_are_placed_where_they_were_and_by_the_vectors_attached(log):
    read = known(log, TABLE, [[0], [5]], item=[1, 2, 0, 1, 2, 1], query=[0, 1, 1, 0, 0, 1])
    fitted = fit(read, BRIEF, Work())
    assert_array_equal(transform(fitted.state, read), fitted.values)
    other = replace(read, item=read.item[::-1].copy())
    assert not np.allclose(transform(fitted.state, other), fitted.values)


@pytest.mark.parametrize("module", [bag, None], ids=["bag", "lstm"])
def test_vectors_that_were_not_attached_are_missed_and_later_ones_not_read(log, module):
    options = BRIEF if module is None else module.BagOptions()
    fit_it, place = (fit, transform) if module is None else (module.fit, module.transform)
    read = known(log, TABLE, item=[1, 2, 0, 1, 2, 1])
    with pytest.raises(ValueError, match=r"Fitted with 2 numbers per item, .* have 0"):
        place(fit_it(read, options, Work()).state, log)
    plain = fit_it(log, options, Work())
    assert_array_equal(place(plain.state, read), plain.values)


def test_the_bag_holds_the_mean_of_what_is_known(log):
    read = known(log, TABLE, item=[1, 2, 0, 1, 0, 0])
    fitted = bag.fit(read, bag.BagOptions(), Work())
    raw = fitted.values + fitted.state["centre"]
    means = np.array([[2 / 3, 1], [0, 0], [0, 0]]) / np.sqrt(2)  # ann's third item is unknown
    assert_allclose(raw[:, -2:], means, atol=1e-6)
    assert_array_equal(bag.transform(fitted.state, read), fitted.values)
    without = bag.fit(read, bag.BagOptions(item_vectors=False), Work())
    assert_array_equal(without.values, bag.fit(log, bag.BagOptions(), Work()).values)
