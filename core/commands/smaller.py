"""``smaller``: smaller copies of the encoder of a run, and what each gains and loses."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_own_log
from core.commands.given import events_as_in
from core.commands.places import check_place
from core.commands.telling import Teller


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    smaller = commands.add_parser(
        "smaller", help="smaller copies of a run's encoder, and what each gains and loses"
    )
    add_own_log(smaller)
    smaller.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or one written by this"
    )
    smaller.add_argument(
        "--way", metavar="NAME", help="also write a copy of the run with this smaller encoder"
    )
    smaller.add_argument("--seed", type=int, default=0, help="the same seed, the same model (0)")
    smaller.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core import runs
    from core.representations import Work
    from core.run_options import checked_seed
    from core.smaller import WAYS, check_encoder, check_way, recorded, telling
    from core.smaller.measuring import compare

    out, seed = call.out.resolve(), checked_seed(call.seed)
    ways = list(WAYS) if call.way is None else [check_way(call.way)]
    check_place(out)
    run = runs.load_run(call.run)
    recorded.check_target(run, out)
    original = recorded.original_of(run)
    check_encoder(original.method)
    with tempfile.TemporaryDirectory() as scratch:
        events = events_as_in(run, call, Path(scratch))
        sequences = recorded.own_sequences(run, events, Path(scratch))
        work = Work(seed=seed, report=Teller(every=True))
        found, states = compare(original, sequences, ways, work, Path(scratch))
        if call.way is None:
            recorded.write_comparison(found, out)
        else:
            recorded.write_copy(run, states[call.way], found, out)
    print(telling.table(found))
    for model in found.models[1:]:
        print(telling.verdict(model, found), file=sys.stderr)
    print(telling.basis(found), file=sys.stderr)
    print(f"Wrote {call.out}", file=sys.stderr)
