"""The cells an encoder can be built of: causal, and read on with what they remember."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from core.representations._base import Work
from core.representations.encoder import Shape
from core.representations.encoder_cells import CELLS, build_cell, receptive_field
from core.representations.encoder_options import EncoderOptions
from core.representations.learning import fit
from core.representations.pooling import POOLINGS
from core.representations.trained import transform

EVERY = pytest.mark.parametrize("cell", CELLS)
LAYERS = pytest.mark.parametrize("layers", [1, 3])


def built(cell, layers=1):
    torch.manual_seed(0)
    return build_cell(cell, width=5, hidden=8, layers=layers, dropout=0.0)


@EVERY
@LAYERS
@torch.no_grad()
def test_a_state_sees_its_own_event_and_none_that_follows(cell, layers):
    net, x = built(cell, layers), torch.randn(2, 20, 5)
    before, _ = net(x)
    x[:, 12] += 1.0
    after, _ = net(x)
    assert before.shape == (2, 20, 8)
    assert_allclose(before[:, :12], after[:, :12], atol=1e-6)
    assert (before[:, 12] - after[:, 12]).abs().max() > 1e-3


@EVERY
@LAYERS
@torch.no_grad()
def test_a_history_read_in_parts_gives_the_states_of_a_read_in_one_go(cell, layers):
    net, x = built(cell, layers), torch.randn(3, 50, 5)
    whole, _ = net(x)
    memory, parts = None, []
    for part in x.split([1, 3, 20, 26], dim=1):
        states, memory = net(part, memory)
        parts.append(states)
    assert_allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


@pytest.mark.parametrize(("layers", "events"), [(1, 31), (2, 61), (3, 91)])
@torch.no_grad()
def test_convolutions_see_as_far_back_as_is_said_and_no_farther(layers, events):
    assert receptive_field(layers) == events
    net, x = built("cnn", layers).double(), torch.randn(1, 120, 5).double()
    last = net(x)[0][0, -1].clone()
    x[0, 119 - events] += 100.0
    assert_allclose(net(x)[0][0, -1], last)
    x[0, 120 - events] += 100.0
    assert (net(x)[0][0, -1] - last).abs().max() > 1e-12


def test_the_memory_of_recurrent_cells_lasts_from_the_start():
    for cell, gates in (("lstm", 4), ("gru", 3), ("rnn", 1)):
        for gate in built(cell, 2).net.weight_hh_l1.detach().chunk(gates):
            assert_allclose(gate @ gate.T, np.eye(8), atol=1e-5)


def test_a_shape_survives_being_stored():
    for cell in CELLS:
        for pooling in POOLINGS:
            shape = Shape(cell=cell, layers=2, pooling=pooling, rebuilds=True, n_targets=4)
            state = shape.to_state()
            assert all(value.dtype == np.int64 for value in state.values())
            assert Shape.from_state(state) == shape


@EVERY
def test_every_cell_learns_what_follows_what(cell, of_actions):
    rng = np.random.default_rng(0)
    lines = {f"{u:02d}": " ".join(np.roll(list("abc"), rng.integers(3))) * 1 for u in range(60)}
    lines = {user: " ".join([line] * 5) for user, line in lines.items()}
    options = EncoderOptions(hidden=16, epochs=30, contrastive_weight=0)
    fitted = fit(of_actions(lines), options, Work(), cell)
    assert fitted.history[-1].losses["action"] < 0.3 < fitted.history[0].losses["action"]


def test_a_state_of_another_cell_is_refused_by_name(of_actions):
    sequences = of_actions({"ann": "a b a b", "bob": "b b a"})
    state = fit(sequences, EncoderOptions(hidden=8, epochs=1), Work(), "gru").state
    with pytest.raises(ValueError, match="state of an encoder 'gru', not 'lstm'"):
        transform(state, sequences, "lstm")
    older = {name: value for name, value in state.items() if name != "shape.cell"}
    with pytest.raises(ValueError, match=r"does not say of which cell it is\. Fit the log anew"):
        transform(older, sequences, "gru")


@EVERY
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_mix_of_cell_pooling_and_objectives_is_rebuilt_from_its_state(
    cell, pooling, of_actions, with_arrays
):
    sequences = of_actions(
        {f"{u}": "a b c a b b" for u in range(9)} | {"x": "c " * 300, "y": "b a"}
    )
    n = sequences.n_events
    vocabulary = sequences.vocabulary.__class__(
        **{**vars(sequences.vocabulary), "items": ("one", "two", "three")}
    )
    sequences = with_arrays(sequences, item=np.arange(n, dtype=np.int32) % 4, vocabulary=vocabulary)
    options = EncoderOptions(
        hidden=8,
        layers=2,
        dropout=0.1,
        pooling=pooling,
        epochs=1,
        item_weight=1,
        autoencoder_weight=1,
    )
    fitted = fit(sequences, options, Work(), cell)
    assert {"item", "autoencoder", "action"} <= fitted.history[0].losses.keys()
    np.testing.assert_array_equal(transform(fitted.state, sequences, cell), fitted.values)
