"""``export``: the encoder of a run as ONNX, checked, for serving."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_own_log
from core.commands.given import events_as_in
from core.commands.places import check_file, check_place
from core.errors import OptionRefused
from core.wording import counted


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    export = commands.add_parser("export", help="a run's encoder as ONNX, checked, for serving")
    add_own_log(export)
    export.add_argument("--out", type=Path, required=True, metavar="ONNX")
    export.set_defaults(command_function=_do)


def _do(call: argparse.Namespace) -> None:
    from core import runs
    from core.serving.exporting import export, write
    from core.smaller import check_encoder, recorded

    out = call.out.resolve()
    check_place(out)
    run = runs.load_run(call.run)
    check_file(out, call)
    if out.suffix != ".onnx":
        raise OptionRefused(f"--out is '{out.name}'. Give a name that ends in .onnx.")
    original = recorded.original_of(run)
    check_encoder(original.method)
    with tempfile.TemporaryDirectory() as scratch:
        events = events_as_in(run, call, Path(scratch))
        sequences = recorded.own_sequences(run, events, Path(scratch))
        about = {"run": run.manifest.id}
        exported = export(original.method, original.state, sequences, about)
        beside = write(exported, out)
    found = exported.agreement
    print(
        f"Checked on {counted(found.n_users, 'user', 'users')}: largest difference "
        f"{found.max_abs_difference:.2g} (of numbers up to {found.largest:.2g}), least cosine "
        f"{found.min_cosine:.6f}"
    )
    print(f"Wrote {call.out} and {beside.name}", file=sys.stderr)
