import pytest
import torch
from numpy.testing import assert_allclose

from core.representations.pooling import POOLINGS, Pooling

HIDDEN = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]], [[4.0, 5.0], [0.0, 0.0], [7.0, 7.0]]])
REAL = torch.tensor([[True, True, False], [True, False, False]])


def pooling(kind, query=None):
    made = Pooling(kind, 2)
    if query is not None:
        made.query.data = torch.tensor(query)
    return made


@pytest.mark.parametrize(
    ("kind", "expected"), [("mean", [[2, 1], [4, 5]]), ("last", [[3, 2], [4, 5]])]
)
def test_only_real_events_are_pooled(kind, expected):
    assert_allclose(pooling(kind)(HIDDEN, REAL), expected)


def test_attention_is_a_softmax_of_likeness_to_the_query_over_real_events():
    query = [2.0, 0.5]
    scores = torch.tensor([2.0, 7.0]) / 2**0.5
    weights = torch.softmax(scores, dim=0)
    found = pooling("attention", query)(HIDDEN, REAL).detach()
    assert_allclose(found[0], weights[0] * HIDDEN[0, 0] + weights[1] * HIDDEN[0, 1], rtol=1e-5)
    assert_allclose(found[1], [4, 5])


def test_attention_begins_as_the_mean_and_its_query_is_learned():
    made = pooling("attention")
    found = made(HIDDEN, REAL)
    assert_allclose(found.detach(), pooling("mean")(HIDDEN, REAL))
    found[:, 0].sum().backward()
    assert made.query.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", POOLINGS)
@torch.no_grad()
def test_pooling_part_by_part_is_pooling_at_once_however_long_and_steep(kind):
    torch.manual_seed(0)
    hidden = torch.randn(4, 1000, 6)
    real = torch.arange(1000) < torch.tensor([[1000], [700], [3], [251]])
    made = Pooling(kind, 6)
    if kind == "attention":
        made.query.data = torch.linspace(-300, 300, 6)  # exp of a score would overflow
    pooled = None
    for at in range(0, 1000, 250):
        pooled = made.add(pooled, hidden[:, at : at + 250], real[:, at : at + 250])
    assert torch.isfinite(pooled.state()).all()
    assert_allclose(pooled.state(), made(hidden, real), atol=1e-5)


@pytest.mark.parametrize("kind", POOLINGS)
@torch.no_grad()
def test_without_a_real_event_there_are_zeros(kind):
    assert not Pooling(kind, 2)(HIDDEN, torch.zeros_like(REAL)).any()
