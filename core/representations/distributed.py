"""Training in several processes at once, each on users of its own:

    torchrun --nproc-per-node 2 -m core.representations.distributed SEQUENCES OUT
             [--method lstm] [--set hidden=32 ...] [--seed 0] [--keep FOLDER]

SEQUENCES is the folder of stored sequences and OUT that of the embeddings to make. Every user is
read by one process, gradients are averaged after every step (gloo on CPUs, nccl on NVIDIA GPUs),
and the first process reports, writes checkpoints into ``--keep`` and the result. torchrun tells
each process its place by the environment: RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and
MASTER_PORT; without WORLD_SIZE one process trains alone. GLOO_SOCKET_IFNAME names the network
interface where gloo does not find it. The same function trains as in the dashboard, so one
process gives the very bytes that it gives there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist

from core.artifacts import Progress, Sequences, State, silent
from core.errors import AnalystError
from core.options import Options, option_types, parse_text
from core.representations import REPRESENTATIONS, Work, represent
from core.representations.ranks import Ranks
from core.store import load, replacing, save


def main(arguments: list[str] | None = None) -> int:
    """Train, place every user and write the embeddings; returns the exit code."""
    call = _parser().parse_args(arguments)
    try:
        options = _options(call.method, call.set)
        with process_group():
            _train(call, options)
    except AnalystError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _train(call: argparse.Namespace, options: Options) -> None:
    ranks = Ranks.here(())
    first = ranks.rank == 0
    work = Work(seed=call.seed, report=_tell if first else silent, keep=call.keep)
    made = represent(load(Sequences, call.sequences), call.method, options, work)
    learned = _digest(made.state)
    print(f"rank {ranks.rank} of {ranks.size}: weights {learned}", file=sys.stderr, flush=True)
    if not ranks.all_have(int(learned[:15], 16)):
        raise RuntimeError("The processes ended with different weights.")
    if first:
        with replacing(call.out.resolve()) as folder:
            save(made, folder)


@contextmanager
def process_group() -> Iterator[None]:
    """Meet the processes that were launched together; nothing where there is only this one."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train an encoder in several processes.")
    parser.add_argument("sequences", type=Path, metavar="SEQUENCES")
    parser.add_argument("out", type=Path, metavar="OUT")
    learned = [name for name, entry in REPRESENTATIONS.items() if entry.learned]
    parser.add_argument("--method", choices=learned, default=learned[0])
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    return parser


def _options(method: str, settings: list[str]) -> Options:
    kind = REPRESENTATIONS[method].Options
    pairs = [setting.partition("=") for setting in settings]
    values = {name: parse_text(kind, name, text, where=method) for name, _, text in pairs}
    if "device" in option_types(kind) and not torch.cuda.is_available():
        values.setdefault("device", "cpu")  # the processes meet where they train
    return kind.from_dict(values, where=method)


def _digest(state: State) -> str:
    """SHA-256 of all that was learned, bit by bit."""
    found = hashlib.sha256()
    for name in sorted(state):
        found.update(name.encode() + state[name].tobytes())
    return found.hexdigest()


def _tell(progress: Progress) -> None:
    if progress.epoch is not None:
        told = progress.epoch
        print(f"{progress.text}; loss {told.losses['total']:.4f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
