"""All predictions together, against PyTorch's own cross-entropy one by one."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core.representations.joint_loss import joint_cross_entropy

SIZES = (3, 7, 2)


@pytest.fixture
def asked():
    torch.manual_seed(0)
    heads = [nn.Linear(5, size) for size in SIZES]
    states = torch.randn(40, 5, requires_grad=True)
    targets = [torch.randint(size, (40,)) for size in SIZES]
    return states, heads, targets, torch.rand(40) < 0.6


def separately(states, heads, targets, counted):
    pairs = zip(heads, targets, strict=True)
    return torch.stack([F.cross_entropy(h(states[counted]), t[counted]) for h, t in pairs])


def gradients(loss, states, heads):
    learned = [states, *(p for head in heads for p in head.parameters())]
    return torch.autograd.grad((loss * torch.tensor([1.0, 0.5, 2.0])).sum(), learned)


def test_losses_and_gradients_are_those_of_each_prediction_by_itself(asked):
    states, heads, _, _ = asked
    together, apart = joint_cross_entropy(*asked), separately(*asked)
    torch.testing.assert_close(together, apart)
    for one, other in zip(
        gradients(together, states, heads), gradients(apart, states, heads), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_states_that_are_not_counted_change_nothing(asked):
    states, heads, targets, counted = asked
    elsewhere = states.detach().clone()
    elsewhere[~counted] = 1e4
    torch.testing.assert_close(
        joint_cross_entropy(elsewhere, heads, targets, counted), joint_cross_entropy(*asked)
    )


def test_huge_and_far_apart_logits_stay_finite(asked):
    states, heads, *_ = asked
    with torch.no_grad():
        heads[0].bias.fill_(500.0)
        heads[1].bias[0] = 300.0
    torch.testing.assert_close(joint_cross_entropy(*asked), separately(*asked))
    assert torch.isfinite(gradients(joint_cross_entropy(*asked), states, heads)[0]).all()


def test_nothing_to_count_is_a_loss_of_zero(asked):
    states, heads, targets, _ = asked
    found = joint_cross_entropy(states, heads, targets, torch.zeros(40, dtype=torch.bool))
    assert found.tolist() == [0.0, 0.0, 0.0]
    assert all((g == 0).all() for g in gradients(found, states, heads))
