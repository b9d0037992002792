"""``prepare``: a log cleaned and in a form that other tools take."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from core.commands.arguments import Commands, add_events, add_items, add_mapping, add_settings
from core.commands.given import journey_of, options_of
from core.commands.places import check_place
from core.commands.telling import tell_cleaning
from core.errors import OptionRefused
from core.options import choices, option_default, option_info, option_types
from core.sequences.forms import FormOptions


def add(commands: Commands) -> None:
    """Describe the command and its arguments."""
    prepare = commands.add_parser("prepare", help="a log cleaned and in a form other tools take")
    add_events(prepare)
    prepare.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder")
    add_items(prepare)
    add_mapping(prepare)
    add_settings(prepare)
    prepare.add_argument("--seed", type=int, help="start of what is drawn by chance (0)")
    for name in option_types(FormOptions):
        info = option_info(FormOptions, name)
        words = choices(option_types(FormOptions)[name])
        default = option_default(FormOptions, name)
        prepare.add_argument(f"--{name}", choices=words, default=default, help=info.help)
    prepare.set_defaults(command_function=_do, labels_column=None)


def _do(call: argparse.Namespace) -> None:
    from core.events.quality import quality
    from core.events.set_aside import write_set_aside
    from core.sequences.forms import write_form
    from core.store import replacing, to_plain

    options = options_of(call)
    form = FormOptions(**{name: getattr(call, name) for name in option_types(FormOptions)})
    out = call.out.resolve()
    check_place(out)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise OptionRefused(f"--out '{out}' is not empty. Give a folder that is new or empty.")
    with tempfile.TemporaryDirectory() as scratch:
        journey, raw, _ = journey_of(call, options, Path(scratch))
        report = journey.cleaning_report()
        tell_cleaning(report)
        with replacing(out) as folder:
            for name, told in (("cleaning", report), ("quality", quality(journey.events))):
                text = json.dumps(to_plain(told), indent=2, ensure_ascii=False)
                (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            write_set_aside(raw, journey.filled(), options.clean, None, folder / "set_aside.csv")
            write_form(journey.sequences(), form, folder / f"{form.form}.parquet")
    print(f"Wrote {call.out}", file=sys.stderr)
