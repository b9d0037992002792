"""Every way to a smaller encoder does what it says, and gives a state that places users."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from core import representations
from core.artifacts import FIT, VALIDATE
from core.errors import FileRefused, OptionRefused, TooLittleData
from core.representations import Work
from core.representations.packed import unpacked
from core.representations.trained import for_placing
from core.smaller import WAYS, check_encoder, is_encoder, make
from core.smaller._base import matrices
from core.smaller.measuring import cosines
from core.smaller.shared import clustered

pytestmark = pytest.mark.usefixtures("brief_lessons")


@pytest.fixture
def state(encoder_run):
    return encoder_run.embeddings().state


@pytest.fixture
def original(encoder_run):
    return np.asarray(encoder_run.embeddings().values)


def size(state):
    return len(save({k: np.ascontiguousarray(v) for k, v in state.items()}))


def weights(state, only=""):
    return sum(v.size for k, v in state.items() if k.startswith(f"weight.{only}"))


def nearness(state, sequences, original):
    return cosines(original, representations.transform("lstm", state, sequences))


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_a_smaller_file_that_places_users_near_where_they_stood(
    way, state, its_sequences, original
):
    made = make(state, its_sequences, way, Work(seed=1))
    assert size(made) < size(state)
    points = representations.transform("lstm", made, its_sequences)
    assert points.shape == original.shape and np.isfinite(points).all()
    least = {"bare": 1 - 1e-6, "int8": 0.999, "shared": 0.95, "pruned": 0.6, "narrower": 0.5}
    assert cosines(original, points).mean() > least[way]
    shuffled = np.roll(original, 1, axis=0)
    assert cosines(original, points).mean() > cosines(shuffled, points).mean() + 0.3


@pytest.mark.parametrize("way", WAYS)
def test_the_same_seed_gives_the_same_bytes(way, state, its_sequences):
    first, again = (make(state, its_sequences, way, Work(seed=4)) for _ in range(2))
    assert save(dict(first)) == save(dict(again))


def test_another_seed_teaches_another_encoder(state, its_sequences):
    one, two = (make(state, its_sequences, "narrower", Work(seed=s)) for s in (1, 2))
    assert save(dict(one)) != save(dict(two))


def test_without_its_training_parts_every_user_stands_on_the_very_same_point(
    state, its_sequences, original
):
    bare = make(state, its_sequences, "bare", Work())
    assert not any("heads" in name for name in bare) and any("heads" in name for name in state)
    np.testing.assert_array_equal(representations.transform("lstm", bare, its_sequences), original)


def test_eight_bit_weights_are_at_least_three_times_smaller_on_disk(state, its_sequences):
    bare, made = (make(state, its_sequences, way, Work()) for way in ("bare", "int8"))
    mine = {k: v for k, v in made.items() if "weight." in k}
    assert 3 * size(mine) < size({k: v for k, v in bare.items() if "weight." in k})
    assert all(made[k].dtype == np.int8 for k in made if k.startswith("packed.int8.codes."))
    assert set(unpacked(made)) == set(bare)


def test_shared_weights_are_of_sixteen_values_each_the_nearest(state, its_sequences):
    made = unpacked(make(state, its_sequences, "shared", Work()))
    for name in matrices(for_placing(state)):
        book = np.unique(made[name])
        assert 2 <= len(book) <= 16
        nearest = book[np.abs(state[name][..., None] - book).argmin(axis=-1)]
        np.testing.assert_allclose(made[name], nearest, atol=1e-6)


def test_values_are_shared_as_kmeans_would_have_it():
    values = np.array([[0.0, 0.1, 0.2], [5.0, 5.1, 9.0]], np.float32)
    made = unpacked({f"packed.shared.{k}.x": v for k, v in clustered(values, 3).items()})["x"]
    np.testing.assert_allclose(made, [[0.1, 0.1, 0.1], [5.05, 5.05, 9.0]], atol=1e-6)


def test_a_matrix_of_one_value_has_a_codebook_of_one():
    made = clustered(np.full((4, 4), 2.5, np.float32))
    assert made["book"].tolist() == [2.5]


def test_four_of_five_weights_of_every_matrix_are_left_out(state, its_sequences):
    made = unpacked(make(state, its_sequences, "pruned", Work()))
    for name in matrices(for_placing(state)):
        left = np.count_nonzero(made[name]) / made[name].size
        assert left == pytest.approx(0.2, abs=0.01)


def test_a_narrower_encoder_has_half_the_width_and_a_map_into_the_same_space(state, its_sequences):
    made = make(state, its_sequences, "narrower", Work())
    assert made["centre"].shape == (16,) and made["axes"].shape == (16, 32)
    assert weights(made, "cell") < 0.5 * weights(state, "cell")
    assert made["weight.cell.net.weight_hh_l0"].shape == (64, 16)


def test_teaching_brings_users_nearer(state, its_sequences, original, monkeypatch):
    from core.smaller import teaching

    found = []
    for steps in (2, 150):
        monkeypatch.setattr(teaching, "_STEPS", steps)
        made = make(state, its_sequences, "narrower", Work(seed=0))
        found.append(nearness(made, its_sequences, original).mean())
    assert found[1] > found[0] + 0.05


def test_only_users_to_fit_teach(state, its_sequences):
    """What others did may be anything: the smaller encoder is the same to the byte."""
    left_out = np.repeat(its_sequences.split != FIT, np.diff(its_sequences.offsets))
    assert left_out.any()
    action = np.where(left_out, 1, its_sequences.action)
    other = replace(its_sequences, action=action.astype(its_sequences.action.dtype))
    for way in ("narrower", "pruned"):
        one, two = (make(state, log, way, Work(seed=0)) for log in (its_sequences, other))
        assert save(dict(one)) == save(dict(two))


def test_where_there_is_nobody_to_teach_by_it_is_told(state, its_sequences):
    unfitted = replace(its_sequences, split=np.full(its_sequences.n_users, VALIDATE, np.int8))
    with pytest.raises(TooLittleData, match="teach"):
        make(state, unfitted, "narrower", Work())


def test_a_smaller_model_can_be_made_smaller_again(state, its_sequences, original):
    narrow = make(state, its_sequences, "narrower", Work(seed=1))
    both = make(narrow, its_sequences, "int8", Work())
    assert 2 * size(both) < size(narrow)
    near = cosines(
        representations.transform("lstm", narrow, its_sequences),
        representations.transform("lstm", both, its_sequences),
    )
    assert near.mean() > 0.999


def test_an_unknown_way_is_refused_with_those_there_are(state, its_sequences):
    with pytest.raises(OptionRefused, match=r"'int9'.*narrower.*Did you mean 'int8'\?"):
        make(state, its_sequences, "int9", Work())


def test_only_encoders_can_be_made_smaller():
    assert [name for name in representations.REPRESENTATIONS if is_encoder(name)] == [
        "lstm",
        "gru",
        "rnn",
        "cnn",
    ]
    with pytest.raises(OptionRefused, match=r"'bag'.*represent\.method=lstm"):
        check_encoder("bag")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "weight.action.weight"}, "it lacks"),
        (lambda s: s | {"weight.extra": np.ones(1, np.float32)}, "holds the unknown"),
        (
            lambda s: s | {"packed.int8.codes.other": np.ones((2, 2), np.int8)},
            "its parts are codes",
        ),
        (lambda s: s | {"weight.action.weight": np.ones((2, 2), np.float32)}, "has shape"),
    ],
)
def test_a_state_whose_weights_do_not_fit_its_encoder_is_refused(
    change, told, state, its_sequences
):
    with pytest.raises(FileRefused, match=told):
        representations.transform("lstm", change(dict(state)), its_sequences)


@pytest.mark.parametrize("cell", ["gru", "rnn", "cnn"])
def test_every_cell_can_be_made_smaller(cell, its_sequences, monkeypatch):
    from core.representations.encoder_options import EncoderOptions
    from core.smaller import teaching

    monkeypatch.setattr(teaching, "_STEPS", 2)
    options = EncoderOptions(hidden=16, epochs=1, teacher_weight=0.0, pooling="attention")
    made = representations.represent(its_sequences, cell, options, Work())
    for way in WAYS:
        smaller = make(made.state, its_sequences, way, Work())
        assert size(smaller) < size(made.state)
        points = representations.transform(cell, smaller, its_sequences)
        assert np.isfinite(points).all() and points.shape == made.values.shape
