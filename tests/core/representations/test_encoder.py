import numpy as np
import torch
from numpy.testing import assert_allclose

from core.representations.batches import Stretches
from core.representations.encoder import EventEncoder, contrastive_loss, to_tensors
from core.representations.inputs import PREDICTED, Scales, gather
from core.representations.placing import _read_together, pooled_states


def encoder_and_scales(sequences):
    torch.manual_seed(0)
    scales = Scales.of(sequences, time_of_day=True, recent_actions=3)
    return EventEncoder(scales, hidden=8), scales


def hidden_of(encoder, scales, sequences, start, length):
    stretches = Stretches(start=np.array(start), length=np.array(length))
    batch = to_tensors(gather(sequences, scales, *stretches.padded()), "cpu")
    with torch.no_grad():
        return encoder(batch)[0], batch


def test_padding_changes_nothing(of_actions):
    sequences = of_actions({"ann": "a b c", "bob": "c b a b c a b"})
    encoder, scales = encoder_and_scales(sequences)
    alone, batch = hidden_of(encoder, scales, sequences, [0], [3])
    beside, padded = hidden_of(encoder, scales, sequences, [0, 3], [3, 7])
    assert_allclose(
        encoder.pool(beside, padded["real"])[0], encoder.pool(alone, batch["real"])[0], atol=1e-6
    )


def test_the_future_is_not_seen(of_actions):
    one, other = of_actions({"ann": "a b a a a"}), of_actions({"ann": "a b a b b"})
    encoder, scales = encoder_and_scales(one)
    first, _ = hidden_of(encoder, scales, one, [0], [5])
    second, _ = hidden_of(encoder, scales, other, [0], [5])
    assert_allclose(first[:, :3], second[:, :3])
    assert not np.allclose(first[:, 3:], second[:, 3:], atol=1e-4)


def test_the_classes_of_numbers_are_read_beside_the_numbers(sequences_of):
    sequences = sequences_of({"ann": [{"gap": 10.0 * 2**n} for n in range(12)]})
    encoder, scales = encoder_and_scales(sequences)
    _, batch = hidden_of(encoder, scales, sequences, [0], [12])
    gap = PREDICTED.index("gap")
    other = batch["classes"].clone()
    other[0, 11, gap] -= 1
    with torch.no_grad():
        read, reread = encoder.inputs(batch), encoder.inputs(batch | {"classes": other})
    assert torch.equal(read[0, :11], reread[0, :11])
    assert not torch.equal(read[0, 11], reread[0, 11])


def test_a_loss_is_the_mean_over_real_next_events_in_nats(of_actions):
    sequences = of_actions({"ann": "a b c", "bob": "a b c a b c a b c"})
    encoder, scales = encoder_and_scales(sequences)
    head = encoder.heads["action"]
    torch.nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.0, 0.0, 3.0, 0.0])  # thinks "b" whatever comes
    hidden, batch = hidden_of(encoder, scales, sequences, [0, 3], [3, 9])
    likely, unlikely = np.log(np.exp(3) + 3) - 3, np.log(np.exp(3) + 3)
    share_of_b = 4 / 10
    loss = encoder.next_event_losses(hidden, batch)["action"].item()
    assert_allclose(loss, share_of_b * likely + (1 - share_of_b) * unlikely, rtol=1e-5)


def test_guessing_among_b_users_costs_log_b_and_knowing_costs_nothing():
    same = torch.ones(16, 8)
    assert_allclose(contrastive_loss(same, same, 0.2).item(), np.log(16), rtol=1e-5)
    own = torch.eye(16)
    assert contrastive_loss(own, own, 0.02).item() < 1e-3


def test_long_users_read_in_parts_get_the_state_of_a_read_in_one_go(of_actions):
    sequences = of_actions({"ann": "a b c b " * 150, "bob": "a", "cid": "", "dan": "c a " * 130})
    encoder, scales = encoder_and_scales(sequences)
    states = pooled_states(encoder, sequences, scales, "cpu")
    whole, _ = hidden_of(encoder, scales, sequences, [0], [600])
    assert_allclose(states[0], whole[0].mean(dim=0), atol=1e-5)
    dan, _ = hidden_of(encoder, scales, sequences, [601], [260])
    assert_allclose(states[3], dan[0].mean(dim=0), atol=1e-5)
    assert (states[2] == 0).all()


def test_short_users_do_not_wait_for_one_with_thousands_of_events():
    length = np.array([3] * 50 + [300, 400, 500, 100_000])
    batches = list(_read_together(np.arange(54), length, 16_384))
    assert [batch.tolist() for batch in batches] == [list(range(50)), [50, 51, 52], [53]]
    few = list(_read_together(np.arange(50), length[:50], 30))
    assert 4 <= len(few) <= 6 and np.concatenate(few).tolist() == list(range(50))
