"""The encoder drawn towards segments, and set back where that costs the guesses."""

import copy

import numpy as np
import pytest
import torch

from core.device import repeatable
from core.errors import JobStopped
from core.evaluation.worlds import draw
from core.representations import represent, transform
from core.representations._base import Work
from core.representations.encoder_options import EncoderOptions
from core.representations.idec import NAME, Pull, _soft, _target, _verdict, draw_to_segments
from core.representations.learning import build_encoder, training_data, training_plan
from core.sequence_models.models import learn
from core.sequence_models.options import SequenceModelOptions
from tests.worlds import sequences_of


@pytest.fixture(scope="module")
def log():
    sequences = sequences_of(draw("content", 300, 0))
    return sequences, learn(sequences, SequenceModelOptions(models_most=4), 0)


def options(**changes):
    return EncoderOptions(hidden=16, epochs=2, teacher_weight=0.0, **changes)


def finding(found):
    return next(metric for metric in found.findings if metric.name == NAME)


def test_the_target_sharpens_and_no_segment_swallows_the_others():
    soft = torch.tensor([[0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    target = _target(soft, np.arange(3))
    # By hand: squares over the sizes 1.4 and 1.6, rows brought to 1.
    rows = [[0.36 / 1.4, 0.16 / 1.6], [0.36 / 1.4, 0.16 / 1.6], [0.04 / 1.4, 0.64 / 1.6]]
    expected = [[a / (a + b), b / (a + b)] for a, b in rows]
    np.testing.assert_allclose(target.numpy(), expected, rtol=1e-5)


def test_soft_assignments_follow_students_t():
    soft = _soft(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    np.testing.assert_allclose(soft.numpy(), [[(1 / 2) / (0.6), (1 / 10) / 0.6]], rtol=1e-5)


def test_without_epochs_the_encoder_is_the_very_same(log):
    sequences, models = log
    plain = represent(sequences, "lstm", options(), Work(seed=0, models=models))
    assert all(metric.name != NAME for metric in plain.findings)


def test_drawing_is_told_and_new_users_stand_where_the_drawn_encoder_puts_them(log):
    sequences, models = log
    plain = represent(sequences, "lstm", options(), Work(seed=0, models=models))
    drawn = represent(sequences, "lstm", options(refine_epochs=2), Work(seed=0, models=models))
    note = finding(drawn).note
    assert "nats before" in note and f"towards {models.suggested} segments" in note
    if note.startswith("Kept"):
        assert not np.array_equal(plain.values, drawn.values)
    else:
        np.testing.assert_array_equal(plain.values, drawn.values)
    np.testing.assert_array_equal(transform("lstm", drawn.state, sequences), drawn.values)


def test_broken_off_while_drawing_it_ends_at_the_same_bytes(log, tmp_path):
    sequences, models = log
    chosen = options(refine_epochs=3)
    whole = represent(sequences, "lstm", chosen, Work(seed=0, models=models))

    def stop(progress):
        if progress.text.startswith("Drawing users towards segments: epoch 2"):
            raise JobStopped("Paused.")

    with pytest.raises(JobStopped):
        represent(
            sequences, "lstm", chosen, Work(seed=0, report=stop, keep=tmp_path, models=models)
        )
    again = represent(sequences, "lstm", chosen, Work(seed=0, keep=tmp_path, models=models))
    assert all(whole.state[n].tobytes() == again.state[n].tobytes() for n in whole.state)


def test_where_guessing_gets_worse_the_weights_are_those_from_before(log, monkeypatch):
    monkeypatch.setattr("core.representations.idec._PULL", 100.0)
    monkeypatch.setattr("core.representations.idec._LEARNING_RATE", 0.1)
    sequences, _ = log
    with repeatable(1, "cpu"):
        torch.manual_seed(0)
        data = training_data(sequences, options(), "cpu", None)
        encoder = build_encoder(data, options(), "lstm")
        before = copy.deepcopy(encoder.state_dict())
        plan = training_plan(options(), len(data.fit_users))
        told = draw_to_segments(encoder, data, plan, Pull(k=4, epochs=1, seed=0))
    assert told.note.startswith("Reverted") and told.value == 0.0
    assert all(torch.equal(before[name], now) for name, now in encoder.state_dict().items())


@pytest.mark.parametrize(("costs", "stays"), [(0.001, False), (0.0, True), (-0.001, True)])
def test_the_drawing_stays_only_where_users_left_out_are_guessed_no_worse(costs, stays):
    before = np.full(25, 3.0)
    after = before + costs + np.tile([-0.1, 0.1, 0.0, -0.1, 0.1], 5)  # its error is far larger
    told, kept = _verdict(before, after, (10.0, 10.0), share=0.1, k=4)
    assert kept is stays and told.note.startswith("Kept" if stays else "Reverted")
    assert told.value == (0.1 if stays else 0.0)


def test_one_segment_is_nothing_to_be_drawn_to(log):
    sequences, _ = log
    data = training_data(sequences, options(), "cpu", None)
    encoder = build_encoder(data, options(), "lstm")
    plan = training_plan(options(), len(data.fit_users))
    told = draw_to_segments(encoder, data, plan, Pull(k=1, epochs=1, seed=0))
    assert told.value is None and "one segment" in told.note
