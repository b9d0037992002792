"""The command line: ``python -m core COMMAND --help``.

Results go to files or stdout, progress to stderr. Exit code 0: done; 2: input or option refused,
one clear message on stderr and nothing written; 1: a bug.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from core.artifacts import (
    ROLES,
    Beside,
    CleaningReport,
    ColumnMapping,
    Events,
    Items,
    ItemVectors,
    KnownLabels,
    Problem,
    Progress,
    RawLog,
)
from core.errors import AnalystError, NotFound, OptionRefused
from core.run_options import RunOptions, load_options, options_schema
from core.store import Store, replacing_file
from core.wording import counted


class _Parser(argparse.ArgumentParser):
    """Words a wrong call as one message, like every other refusal."""

    def __init__(self, **settings: Any) -> None:
        # A flag cut short would come to mean another one when flags are added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise OptionRefused(f"{message}. See `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        parsed = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], None] = parsed.command_function
        run(parsed)
    except AnalystError as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="SegmentLab without a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    inspect = commands.add_parser("inspect", help="what is in a log and what is wrong with it")
    inspect.add_argument("events", type=Path, nargs="+", metavar="EVENTS")
    inspect.set_defaults(command_function=_inspect)

    run = commands.add_parser("run", help="the whole journey, from a log to a folder of results")
    run.add_argument("events", type=Path, nargs="+", metavar="EVENTS")
    run.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or that of a run"
    )
    known = run.add_mutually_exclusive_group()
    known.add_argument("--labels-column", metavar="NAME", help="column that holds known labels")
    known.add_argument("--labels", type=Path, metavar="CSV", help="table: user id, label")
    run.add_argument("--items", type=Path, metavar="CSV", help="table: item id, title, category")
    run.add_argument(
        "--item-vectors", type=Path, metavar="FILE", help="item id and numbers, CSV or Parquet"
    )
    run.add_argument("--map", default="", metavar="user=..,time=..", help="columns by role")
    run.add_argument("--options", type=Path, metavar="JSON", help="file of settings")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="stage.field=value",
        help="one setting, over those of the file; may be given again",
    )
    run.add_argument("--seed", type=int, help="the same seed gives the same segments (0)")
    run.set_defaults(command_function=_run)

    assign = commands.add_parser("assign", help="put users of a new log into a run's segments")
    assign.add_argument("events", type=Path, nargs="+", metavar="NEW_EVENTS")
    assign.add_argument("--run", type=Path, required=True, metavar="DIR")
    assign.add_argument("--out", type=Path, required=True, metavar="CSV")
    assign.set_defaults(command_function=_assign)

    options = commands.add_parser("options", help="JSON schema of every stage's options")
    options.add_argument("--format", choices=("json", "markdown"), default="json")
    options.set_defaults(command_function=_options)
    return parser


def _inspect(call: argparse.Namespace) -> None:
    from core.events.mapping import guess, inspect_report

    with tempfile.TemporaryDirectory() as scratch:
        raw = _read(call.events, Path(scratch), RunOptions())
        print(json.dumps(inspect_report(raw, guess(raw)), indent=2, ensure_ascii=False))


def _run(call: argparse.Namespace) -> None:
    from core import runs
    from core.events.known import known_labels_in_log
    from core.pipeline import Journey

    options = load_options(call.options, call.set, call.seed)
    out = call.out.resolve()
    _check_place(out)
    _check_folder(out)
    with tempfile.TemporaryDirectory() as scratch:
        known = _labels_from(call.labels) if call.labels else None
        items = _items_from(call.items, Path(scratch)) if call.items else None
        vectors = _vectors_from(call.item_vectors) if call.item_vectors else None
        events, mapping = _events(call, options, Path(scratch))
        known = known or known_labels_in_log(events, mapping.label or "label")
        _tell_conflicts(known)
        beside = Beside(labels=known, items=items, vectors=vectors)
        journey = Journey(
            Store(Path(scratch) / "store"), events, options, beside=beside, listen=_Teller()
        )
        _tell_cleaning(journey.cleaning_report())
        source = runs.Source(
            name=", ".join(path.name for path in call.events),
            dataset_id=None,
            mapping=mapping,
            labels_name=known.name if known else None,
            items_name=items.name if items else None,
            vectors_name=vectors.name if vectors else None,
        )
        runs.record(out, journey, source)
        print(journey.evaluation().verdict, file=sys.stderr)
    print(f"Wrote {call.out}", file=sys.stderr)


def _assign(call: argparse.Namespace) -> None:
    from core import runs
    from core.assign import assign
    from core.events.mapping import complete, map_events
    from core.report.tables import write_assignments

    out = call.out.resolve()
    _check_place(out)
    _check_file(out, call.events)
    run = runs.load_run(call.run)
    needed = _exactly(replace(run.manifest.source.mapping, label=None))
    with tempfile.TemporaryDirectory() as scratch:
        raw = _read(call.events, Path(scratch), run.options())
        events = map_events(raw, complete(raw, needed), Path(scratch), run.options().map)
        _tell(raw.name, events.problems)
        labels, report = assign(run, events, Path(scratch))
        _tell_cleaning(report)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing_file(out) as file:
            write_assignments(file, labels)
    print(f"Wrote {len(labels.user_ids)} users to {call.out}", file=sys.stderr)


def _options(call: argparse.Namespace) -> None:
    if call.format == "markdown":
        from core.option_tables import markdown

        print(markdown())
    else:
        print(json.dumps(options_schema(), indent=2, ensure_ascii=False))


def _events(
    call: argparse.Namespace, options: RunOptions, scratch: Path
) -> tuple[Events, ColumnMapping]:
    """The typed log of all files given, read as one."""
    from core.events.mapping import complete, map_events, parse_mapping

    given = parse_mapping(call.map)
    if call.labels_column:
        given["label"] = call.labels_column
    raw = _read(call.events, scratch, options)
    mapping = complete(raw, given)
    events = map_events(raw, mapping, scratch, options.map)
    _tell(raw.name, events.problems)
    return events, mapping


def _exactly(mapping: ColumnMapping) -> dict[str, str]:
    """A given mapping that leaves nothing to guess; an empty name is "no such column"."""
    return {role: mapping.columns().get(role, "") for role in ROLES}


def _read(paths: Sequence[Path], scratch: Path, options: RunOptions) -> RawLog:
    from core.events.read import read_all

    for path in paths:
        if not path.is_file():
            raise NotFound(f"There is no file '{path}'.")
    return read_all(paths, scratch, options.read, names=[path.name for path in paths])


def _labels_from(path: Path) -> KnownLabels:
    from core.events.known import read_known_labels

    if not path.is_file():
        raise NotFound(f"There is no labels file '{path}'.")
    return read_known_labels(path)


def _items_from(path: Path, scratch: Path) -> Items:
    from core.events.items import read_items
    from core.events.read import ReadOptions

    if not path.is_file():
        raise NotFound(f"There is no items file '{path}'.")
    folder = scratch / "items"
    folder.mkdir()
    items = read_items(path, folder, ReadOptions(), name=path.name)
    _tell(path.name, items.problems)
    return items


def _vectors_from(path: Path) -> ItemVectors:
    from core.events.vectors import read_vectors

    if not path.is_file():
        raise NotFound(f"There is no file of item vectors '{path}'.")
    vectors = read_vectors(path, name=path.name)
    _tell(path.name, vectors.problems)
    return vectors


def _check_place(out: Path) -> None:
    """Refuse what could not be written at the end, before any work is done."""
    above = next(folder for folder in out.parents if folder.exists())
    if not above.is_dir():
        raise OptionRefused(f"--out '{out}' cannot be made: '{above}' is a file.")
    if not os.access(above, os.W_OK):
        raise OptionRefused(f"--out '{out}' cannot be made: '{above}' may not be written to.")


def _check_folder(out: Path) -> None:
    """Only a folder that is new, empty or holds an earlier run and nothing else is written."""
    from core.runs import holds_only_a_run

    if out.is_file():
        raise OptionRefused(f"--out '{out}' is a file. Give a folder that is new or empty.")
    if out.is_dir() and any(out.iterdir()):
        if not holds_only_a_run(out):
            raise OptionRefused(
                f"--out '{out}' already holds other files. Give a folder that is new or empty, or "
                "one that holds an earlier run and nothing else."
            )
        print(f"Replacing the run in {out}", file=sys.stderr)


def _check_file(out: Path, events: Sequence[Path]) -> None:
    if out.is_dir():
        raise OptionRefused(f"--out '{out}' is a folder. Give the name of a file.")
    if out in [path.resolve() for path in events]:
        raise OptionRefused("--out is the log itself. Give the name of another file.")


class _Teller:
    """Prints where the work stands; what was just said is not said again."""

    def __init__(self) -> None:
        self._said = ""

    def __call__(self, progress: Progress) -> None:
        line = f"[{progress.stage}] {progress.text}"
        if (progress.done == 0.0 or progress.epoch is not None) and line != self._said:
            print(line, file=sys.stderr)
            self._said = line


def _tell_conflicts(known: KnownLabels | None) -> None:
    if known is not None and known.n_conflicting:
        users = counted(known.n_conflicting, "user", "users")
        print(
            f"note: left out of the comparison with known labels: {users} with more than one "
            f"'{known.name}'.",
            file=sys.stderr,
        )


def _tell(name: str, problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(f"note: {name}: {problem.message}", file=sys.stderr)


def _tell_cleaning(report: CleaningReport) -> None:
    for step in report.steps:
        if step.rows:
            print(
                f"{step.effect}: {step.rows} rows of {step.users} users: {step.reason}",
                file=sys.stderr,
            )
    print(
        f"{report.events_after} of {report.events_before} rows and {report.users_after} of "
        f"{report.users_before} users are kept",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main())
