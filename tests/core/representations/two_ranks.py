"""Run by torchrun: a training broken off on all ranks and gone on with, against a whole one.

``torchrun --nproc-per-node 2 -m tests.core.representations.two_ranks FOLDER``
"""

import json
import sys
from pathlib import Path

from core.device import repeatable
from core.errors import JobStopped
from core.representations.checkpoint import Checkpoints
from core.representations.distributed import process_group
from core.representations.learning import training_plan
from core.representations.ranks import Ranks
from core.representations.training import train
from tests.core.representations.trained_alone import OPTIONS, data_of, digest, fresh, tiny_log

N_USERS = 105
"""84 to fit, so that each rank has 42; with one more the first has a batch more than the second."""


def trained(n_users, keep, stop_after=None):
    """Weights and reports of a training, or None where it was broken off."""
    data = data_of(tiny_log(n_users))
    encoder, steps = fresh(data), iter(range(stop_after or 10**9))

    def tick(share):
        if next(steps, None) is None:
            raise JobStopped("enough")

    plan = training_plan(OPTIONS, len(data.fit_users))
    try:
        reports = list(train(encoder, data, plan, Checkpoints(keep), tick))
    except JobStopped:
        return None
    return {"weights": digest(encoder), "losses": [report.losses for report in reports]}


def main(folder: Path) -> None:
    with process_group(), repeatable(1):
        rank = Ranks.here(()).rank
        broken = trained(N_USERS, folder / "keep", stop_after=7)
        told = {
            "unbroken": trained(N_USERS, None),
            "broken": broken,
            "gone on": trained(N_USERS, folder / "keep" if rank == 0 else None),
            "unequal": trained(81, None),
        }
    (folder / f"rank-{rank}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
