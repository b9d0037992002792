"""Training speed beside a bare ``nn.LSTM`` step on the same shapes, and memory by users.

Lengths are skewed as in real logs (lognormal, a few users with a thousand events). In turns in one
process, on one thread: our training with next-event objectives (as it is run, reading ahead and
all), then an LSTM of the same widths forward, backward and one AdamW step, on the very batches that
ours were (padded), and on their real events alone, packed into full rows (no padding at all: the
most favourable shape). By the clock, and in processor seconds, which count the reading ahead too.
Peak memory is that of a process of its own per number of users, over what the log itself takes.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from core.artifacts import Sequences
from core.device import repeatable
from core.errors import JobStopped
from core.representations.batches import Stretches
from core.representations.checkpoint import Checkpoints
from core.representations.encoder import EventEncoder
from core.representations.encoder_options import EncoderOptions
from core.representations.inputs import Scales
from core.representations.learning import training_plan
from core.representations.source import TrainingData
from core.representations.training import _Run, train
from core.store import load, save
from tests.worlds import bare_sequences, vocabulary_of

N_USERS, TURNS, EVENTS = 20_000, 7, 60_000
WIDTHS = (64, 128)
BATCH_USERS = (64, 256)
"""As many as are read per step of a log of up to 20,000 users, and of a larger one."""
GOAL = 0.7
SIZES = (100_000, 1_000_000)
"""Users whose training is weighed."""


def log(n_users: int) -> Sequences:
    """Users with 1 to 1,000 events, half of them under 13, a mean of about 20."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(2.5, 1.0, n_users).astype(np.int64), 1, 1000)
    n, offsets = int(lengths.sum()), np.concatenate([[0], np.cumsum(lengths)])
    gap = rng.lognormal(5, 2, n).astype(np.float32)
    gap[offsets[:-1]] = 0
    price = rng.lognormal(3, 1, n).astype(np.float32)
    price[rng.random(n) < 0.5] = np.nan
    codes = {"action": 8, "category": 40, "platform": 2}
    return bare_sequences(
        np.arange(n_users).astype(str),
        offsets,
        **{name: rng.integers(1, size + 1, n, dtype=np.int32) for name, size in codes.items()},
        time=1_767_571_200 + np.cumsum(gap, dtype=np.float64).astype(np.int64),
        gap=gap,
        price=price,
        vocabulary=vocabulary_of(
            actions=tuple("abcdefgh"),
            categories=tuple(map(str, range(40))),
            platforms=("app", "web"),
        ),
        present=("user", "time", "action", "category", "platform", "price"),
    )


def reading(sequences: Sequences) -> TrainingData:
    users = np.arange(sequences.n_users)
    return TrainingData(
        sequences=sequences,
        scales=Scales.of(sequences, time_of_day=True, min_users=5, recent_actions=3),
        fit_users=users[users % 10 > 0],
        validation_users=users[users % 10 == 0],
        device="cpu",
    )


class Bare:
    """An LSTM with nothing around it, as wide as ours; its inputs are there before it is timed."""

    def __init__(self, encoder: EventEncoder, width: int) -> None:
        self.lstm = torch.nn.LSTM(width, encoder.hidden, batch_first=True)
        self.optimizer = torch.optim.AdamW(self.lstm.parameters(), lr=1e-3)

    def step(self, x: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.lstm(x)[0].sum().backward()
        self.optimizer.step()


def clocks() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def seconds(steps: Iterator[object]) -> np.ndarray:
    """By the clock, and of the processor."""
    began = clocks()
    for _ in steps:
        pass
    return clocks() - began


class Ours:
    """The first steps of a training, each time anew."""

    def __init__(self, hidden: int, batch_users: int) -> None:
        self.data = reading(log(N_USERS))
        options = EncoderOptions(hidden=hidden, batch_users=batch_users, contrastive_weight=0.0)
        self.plan = training_plan(options, len(self.data.fit_users))
        self.encoder = EventEncoder(self.data.scales, hidden)
        self.n_steps = EVENTS // (20 * batch_users)

    @property
    def width(self) -> int:
        rows = self.data.fit_users[:2]
        whole = Stretches(
            start=self.data.sequences.offsets[rows],
            length=np.diff(self.data.sequences.offsets)[rows],
        )
        return self.encoder.inputs(self.data.tensors(whole)).shape[-1]

    def batches(self) -> list[Stretches]:
        """What the first steps read, after the one that warms up."""
        run = _Run(self.encoder, self.data, self.plan, Checkpoints(None))
        return [batch for _, batch in islice(run._batches(), 1, 1 + self.n_steps)]

    def seconds(self) -> np.ndarray:
        """Of all steps but the first."""
        marks: list[np.ndarray] = []

        def tick(share: float) -> None:
            marks.append(clocks())
            if len(marks) > self.n_steps:
                raise JobStopped("enough")

        with suppress(JobStopped):
            next(train(self.encoder, self.data, self.plan, Checkpoints(None), tick))
        return marks[-1] - marks[0]


def compare(hidden: int, batch_users: int) -> None:
    ours = Ours(hidden, batch_users)
    batches, width = ours.batches(), ours.width
    shapes = {
        "padded": [(len(b.length), int(b.length.max())) for b in batches],
        "real": [
            (int(b.length.sum()) // int(b.length.max()), int(b.length.max())) for b in batches
        ],
    }
    inputs = {name: [torch.randn(n, t, width) for n, t in found] for name, found in shapes.items()}
    bare = Bare(ours.encoder, width)
    took: dict[str, list[np.ndarray]] = {"ours": [], "padded": [], "real": []}
    for turn in range(TURNS + 1):
        one = {"ours": ours.seconds()}
        one |= {name: seconds(bare.step(x) for x in found) for name, found in inputs.items()}
        if turn:  # the first warms up
            for name, value in one.items():
                took[name].append(value)
    n_real = sum(int(b.length.sum()) for b in batches)
    n_padded = sum(n * t for n, t in shapes["padded"])
    clock = {name: float(np.median(values, axis=0)[0]) for name, values in took.items()}
    ratio = {name: np.median(np.divide(took[name], took["ours"]), axis=0) for name in inputs}
    flops = 3 * 8 * hidden * (width + hidden) * n_real / clock["ours"]
    print(
        f"width {hidden:3d}, {batch_users:3d} users a step: ours {n_real / clock['ours']:8,.0f} "
        f"events per second; bare LSTM {n_real / clock['padded']:8,.0f} padded alike, "
        f"{n_real / clock['real']:8,.0f} without padding\n"
        f"    ratio to padded alike {ratio['padded'][0]:.2f} by the clock (goal {GOAL}), "
        f"{ratio['padded'][1]:.2f} of processor time; to no padding {ratio['real'][0]:.2f} by the "
        f"clock; {n_real / n_padded:.0%} of what is read is real; "
        f"{flops / matmul_flops():.0%} of the speed of matrix products",
        flush=True,
    )


def matmul_flops(n: int = 768) -> float:
    """Floating-point operations per second of a large product of matrices."""
    a, b = torch.rand(n, n), torch.rand(n, n)
    a @ b
    return float(10 * 2 * n**3 / seconds(a @ b for _ in range(10))[0])


def weigh(folder: Path) -> None:
    """In a process of its own: what training an epoch adds to the memory held before it."""
    sequences = load(Sequences, folder)
    data = reading(sequences)
    encoder = EventEncoder(data.scales, 64)
    plan = training_plan(EncoderOptions(batch_users=256), len(data.fit_users))
    before = anonymous()
    steps, peak = iter(range(400)), 0

    def tick(share: float) -> None:
        nonlocal peak
        peak = max(peak, anonymous())
        if next(steps, None) is None:
            raise JobStopped("enough")

    began = time.perf_counter()
    with suppress(JobStopped):
        next(train(encoder, data, plan, Checkpoints(None), tick))
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"added": (peak - before) / 1024, "whole": whole, "events": sequences.n_events}
    print(json.dumps(told | {"seconds": time.perf_counter() - began}))


def anonymous() -> int:
    """Memory that is the process's own, in kB: what is mapped from files can be dropped."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def weighed(n_users: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        save(log(n_users), Path(folder))
        call = [sys.executable, "-m", "tests.bench.bench_training", folder]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    with repeatable(1):
        for hidden in WIDTHS:
            for batch_users in BATCH_USERS:
                compare(hidden, batch_users)
    for n_users in SIZES:
        found = weighed(n_users)
        print(
            f"{n_users:>9,} users, {found['events']:>11,} events: training adds "
            f"{found['added']:6.0f} MB of its own; peak of the process {found['whole']:6.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with repeatable(1):
            weigh(Path(sys.argv[1]))
    else:
        main()
