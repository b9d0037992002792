"""How an encoder is built and trained, in the analyst's words; its cell is the method's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.device import DeviceName
from core.errors import OptionRefused
from core.options import Options, option

_NEEDED = {
    "action_weight": "users to fit with two events",
    "category_weight": "categories",
    "gap_weight": "pauses between events",
    "value_weight": "durations or prices",
    "item_weight": "items",
    "autoencoder_weight": "actions or categories",
    "contrastive_weight": "two users to fit with four events",
}
"""What a log must have for a weight to count; a teacher is no part of the log."""


@dataclass(frozen=True, kw_only=True)
class EncoderOptions(Options):
    """How the encoder is built and trained."""

    hidden: int = option(
        64,
        "Width",
        "Numbers that describe a user; wider sees more and takes longer",
        low=8,
        high=512,
    )
    layers: int = option(
        1,
        "Layers",
        "Cells on top of one another; more see finer patterns and take that much longer",
        low=1,
        high=3,
        expert=True,
    )
    dropout: float = option(
        0.0,
        "Dropout",
        "Share of the learned numbers that is left out at random while training, against "
        "learning a small log by heart",
        low=0,
        high=0.8,
        expert=True,
    )
    pooling: Literal["mean", "last", "attention"] = option(
        "mean",
        "One state per user",
        "What of all events describes a user: the mean, the state after the last one, or a mean "
        "in which the encoder learns which events count",
        expert=True,
    )
    epochs: int | Literal["auto"] = option(
        "auto",
        "Epochs",
        "How often every user is read; auto reads small logs more often than large ones",
        low=1,
        high=1000,
    )
    learning_rate: float = option(
        6e-3, "Learning rate", "Size of a training step", low=1e-5, high=0.1, expert=True
    )
    batch_users: int | Literal["auto"] = option(
        "auto",
        "Users per step",
        "Users read before the weights change",
        low=2,
        high=4096,
        expert=True,
    )
    window: int = option(
        128,
        "Longest stretch",
        "Most events of a user that are read at a time in training; so nobody outweighs the rest",
        low=2,
        high=2048,
        unit="events",
        expert=True,
    )
    time_of_day: bool = option(
        True,
        "Use the time of day",
        "Let the encoder see in which part of the day (four hours each) an event happens",
    )
    recent_actions: int = option(
        3,
        "Actions read together",
        "Every event is also read as one word with the actions right before it, so many together: "
        "patterns of order are learned sooner. 1 reads each action by itself",
        low=1,
        high=4,
        expert=True,
    )
    min_users_per_word: int = option(
        5,
        "Users that share a word",
        "Actions, categories, platforms, items and searches of fewer users are read as unknown, so "
        "that nobody is recognised by them; of small logs a tenth of the users is enough",
        low=1,
        high=1000,
        unit="users",
        expert=True,
    )
    action_weight: float = option(
        1.0,
        "Weight: next action",
        "How much guessing the next action counts",
        low=0,
        high=10,
        expert=True,
    )
    category_weight: float = option(
        1.0,
        "Weight: next category",
        "How much guessing the next category counts",
        low=0,
        high=10,
        expert=True,
    )
    gap_weight: float = option(
        1.0,
        "Weight: time to the next event",
        "How much guessing the pause counts",
        low=0,
        high=10,
        expert=True,
    )
    value_weight: float = option(
        0.5,
        "Weight: next duration and price",
        "How much guessing the duration and the price of the next event counts",
        low=0,
        high=10,
        expert=True,
    )
    item_weight: float = option(
        0.0,
        "Weight: next item",
        "How much guessing the next item counts; above 0 the commonest items are read as well",
        low=0,
        high=10,
        expert=True,
    )
    max_items: int = option(
        5000,
        "Items told apart",
        "The commonest items that are read and guessed, where the next item counts",
        low=2,
        high=1_000_000,
        unit="items",
        expert=True,
    )
    autoencoder_weight: float = option(
        0.0,
        "Weight: rebuild what was done",
        "How much it counts to rebuild the first events of a stretch from one state",
        low=0,
        high=10,
        expert=True,
    )
    contrastive_weight: float = option(
        1.0,
        "Weight: same user or not",
        "How much it counts to tell whether two slices of behaviour are of the same user",
        low=0,
        high=10,
        expert=True,
    )
    refine_epochs: int = option(
        0,
        "Draw to segments",
        "Epochs in which the trained encoder is drawn towards the suggested number of segments "
        "(IDEC); kept only where users left out are guessed no worse; 0 for none",
        low=0,
        high=100,
        unit="epochs",
        expert=True,
    )
    teacher_weight: float = option(
        1.0,
        "Weight: what a teacher says",
        "How much it counts to tell the segments of a model of sequences, where one was fitted",
        low=0,
        high=10,
        expert=True,
    )
    temperature: float = option(
        0.2,
        "Contrastive temperature",
        "Lower looks for finer differences between users",
        low=0.01,
        high=2,
        expert=True,
    )
    slice_users: int = option(
        128,
        "Users told apart at a time",
        "Users whose slices are compared in one step",
        low=2,
        high=4096,
        expert=True,
    )
    slice_shortest: int = option(
        6, "Shortest slice", "Fewest events of a slice", low=2, high=512, unit="events", expert=True
    )
    slice_longest: int = option(
        24, "Longest slice", "Most events of a slice", low=2, high=512, unit="events", expert=True
    )
    patience: int = option(
        10,
        "Stop early after",
        "End training when the validation users have not improved for so long, keeping the weights "
        "of the best epoch; 0 goes on to the last epoch and keeps its",
        low=0,
        high=1000,
        unit="epochs",
        expert=True,
    )
    evenness: float = option(
        0.25,
        "Evenness",
        "How far strong and faint directions are brought to the same spread: 0 not, 1 fully",
        low=0,
        high=1,
        expert=True,
    )
    checkpoint_minutes: float = option(
        2.0,
        "Save every",
        "How often unfinished learning is saved within an epoch, so that little is lost when it is "
        "interrupted; short epochs are saved every few seconds at most",
        low=0.05,
        high=120,
        unit="minutes",
        expert=True,
    )
    device: DeviceName = option(
        "auto", "Device", "Where to train; auto takes a GPU where there is one", expert=True
    )
    precision: Literal["auto", "float32", "bfloat16"] = option(
        "auto",
        "Precision",
        "bfloat16 calculates with shorter numbers while training, where the machine has them; "
        "auto does so on an NVIDIA GPU only",
        expert=True,
    )
    threads: int = option(
        1,
        "Processor threads",
        "Most threads used on a CPU; part of what makes a run repeatable. A second one gains "
        "little at this size, and on a busy machine threads wait for one another",
        low=1,
        high=64,
        expert=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slice_shortest > self.slice_longest:
            raise OptionRefused(
                f"slice_shortest is {self.slice_shortest}, more than slice_longest, which is "
                f"{self.slice_longest}. The shortest slice must not be longer than the longest."
            )
        if not any(getattr(self, name) for name in _NEEDED):  # and there may be no teacher
            raise OptionRefused(
                f"{', '.join(_NEEDED)} are all 0, so there is nothing to learn. "
                "Set at least one of them above 0."
            )

    def needs(self) -> str:
        """What a log must have for the weights that are above 0, one by one."""
        asked = {name: needed for name, needed in _NEEDED.items() if getattr(self, name)}
        return "; ".join(f"{name} needs {needed}" for name, needed in asked.items())
