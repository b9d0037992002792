"""What the encoder is asked while it learns, beside the next action, category and numbers.

Letters in shapes: B stretches, T events of each, N events together, H hidden width, M items that
are told apart, S items drawn as wrong answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ITEM_WIDTH = 32
_WRONG_ITEMS = 256
"""Items drawn as wrong answers in each step; all events of the step share them."""
_POSITION_WIDTH = 16
REBUILT = ("action", "category")
REBUILT_EVENTS = 24
"""Events of a stretch, from its beginning, that are rebuilt from one pooled state."""


class ItemHead(nn.Module):
    """The commonest items as learned vectors, which are read with an event and guessed of the next.

    Items are numbered by frequency, falling, so wrong answers are drawn by P(m) = ln((m + 1) / m)
    / ln(M + 1): the common ones often, without a count being kept. Each stands for 1 / (S P) items,
    so the loss is near that of a softmax over all. Source: Jean et al., 2015, "On Using Very Large
    Target Vocabulary for Neural Machine Translation".
    """

    def __init__(self, n_items: int, hidden: int) -> None:
        super().__init__()
        self.n_items = n_items
        self.table = nn.Embedding(n_items + 1, _ITEM_WIDTH)
        self.ask = nn.Linear(hidden, _ITEM_WIDTH)
        self.bias = nn.Embedding(n_items + 1, 1)
        nn.init.zeros_(self.bias.weight)

    @property
    def width(self) -> int:
        """Numbers that stand for an item when it is read."""
        return _ITEM_WIDTH

    def wrong(self, rng: np.random.Generator) -> Tensor:
        """Items drawn as wrong answers, shape (S,), from 1 to M."""
        drawn = np.exp(rng.random(_WRONG_ITEMS) * math.log(self.n_items + 1)).astype(np.int64)
        return torch.from_numpy(np.clip(drawn, 1, self.n_items))

    def loss(self, seen: Tensor, target: Tensor, wrong: Tensor) -> Tensor:
        """Cross-entropy of the next item (N,) among all, by the wrong ones, mean, in nats.

        ``seen`` (N, H) are the states before; events of which the item is unknown (0) or too rare
        are passed over, and the loss is 0 where none is left.
        """
        counted = target > 0
        asked, target = self.ask(seen[counted]), target[counted]  # (n, E), (n,)
        if not len(target):
            return seen.sum() * 0.0
        wrong = wrong.to(seen.device)
        right = (asked * self.table(target)).sum(dim=1) + self.bias(target)[:, 0]  # (n,)
        others = asked @ self.table(wrong).T + self.bias(wrong)[:, 0]  # (n, S)
        others = others - self._log_chance(wrong)
        others = others.masked_fill(wrong == target[:, None], float("-inf"))
        logits = torch.cat([right[:, None], others], dim=1)
        return F.cross_entropy(logits, torch.zeros_like(target))

    def _log_chance(self, item: Tensor) -> Tensor:
        """Logarithm of how often an item is expected among the S drawn."""
        m = item.to(torch.float32)
        chance = torch.log1p(1.0 / m) / math.log(self.n_items + 1)
        return torch.log(chance * _WRONG_ITEMS)


class Rebuilder(nn.Module):
    """Rebuilds a stretch from its pooled state: which action and category stood at each place.

    What is done at all and in which order must be in the state for it; only the first
    `REBUILT_EVENTS` events are rebuilt.
    """

    def __init__(self, hidden: int, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.position = nn.Embedding(REBUILT_EVENTS, _POSITION_WIDTH)
        self.mix = nn.Linear(hidden + _POSITION_WIDTH, hidden)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(hidden, classes[name]) for name in REBUILT if classes[name] > 1}
        )

    def loss(self, pooled: Tensor, classes: Tensor, real: Tensor) -> Tensor:
        """Cross-entropy of actions and categories, in nats per event.

        ``pooled`` (B, H) of the very events that are rebuilt; ``classes`` (B, T, 2), ``real``
        (B, T), with T at most `REBUILT_EVENTS`.
        """
        stretch, place = torch.nonzero(real, as_tuple=True)  # (N,) each
        state = torch.relu(self.mix(torch.cat([pooled[stretch], self.position(place)], dim=1)))
        losses = [
            F.cross_entropy(self.heads[name](state), classes[stretch, place, i])
            for i, name in enumerate(REBUILT)
            if name in self.heads
        ]
        return torch.stack(losses).sum()


def taught_loss(guess: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of guesses (B, K) against soft labels (B, K) that sum to 1, mean, in nats."""
    return F.cross_entropy(guess, target)
