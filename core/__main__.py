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
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from core.artifacts import (
    ROLES,
    Beside,
    CleaningReport,
    CleaningStep,
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
from core.events.problems import shown
from core.options import choices, option_default, option_info, option_types
from core.run_options import RunOptions, answers, load_options, options_schema
from core.sequences.forms import FormOptions
from core.store import Store, replacing_file
from core.wording import counted

if TYPE_CHECKING:
    from core.runs import Run

_USERS_NAMED = 5
_NAMED_RULES = ("many_events", "busy_day", "wholesaler")


class _Parser(argparse.ArgumentParser):
    """Words a wrong call as one message, like every other refusal."""

    def __init__(self, **settings: Any) -> None:
        # A flag cut short would come to mean another one when flags are added.
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise OptionRefused(f"{message}. See `{self.prog} --help`.")


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


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
    _add_inspect(commands)
    _add_forecast(commands)
    _add_run(commands)
    _add_prepare(commands)
    _add_assign(commands)
    _add_refine(commands)
    _add_smaller(commands)
    _add_export(commands)
    _add_options(commands)
    return parser


def _add_inspect(commands: _Commands) -> None:
    inspect = commands.add_parser("inspect", help="what is in a log and what is wrong with it")
    _add_events(inspect)
    _add_settings(inspect)
    inspect.set_defaults(command_function=_inspect)


def _add_run(commands: _Commands) -> None:
    run = commands.add_parser("run", help="the whole journey, from a log to a folder of results")
    _add_events(run)
    run.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or that of a run"
    )
    _add_beside(run)
    run.set_defaults(command_function=_run)


def _add_forecast(commands: _Commands) -> None:
    forecast = commands.add_parser(
        "forecast", help="how long the heavy steps of a run will take here, and their memory"
    )
    _add_events(forecast)
    _add_beside(forecast)
    forecast.add_argument(
        "--minutes",
        type=_minutes,
        default=10.0,
        metavar="N",
        help="a step that takes longer is offered in a cheaper setting (10)",
    )
    forecast.set_defaults(command_function=_forecast)


def _minutes(text: str) -> float:
    """A time limit."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of minutes above 0")
    return value


def _add_beside(command: argparse.ArgumentParser) -> None:
    """What is given beside a log for the whole journey, and how it is gone."""
    known = command.add_mutually_exclusive_group()
    known.add_argument("--labels-column", metavar="NAME", help="column that holds known labels")
    known.add_argument("--labels", type=Path, metavar="CSV", help="table: user id, label")
    _add_items(command)
    command.add_argument(
        "--item-vectors", type=Path, metavar="FILE", help="item id and numbers, CSV or Parquet"
    )
    _add_mapping(command)
    _add_settings(command)
    command.add_argument("--seed", type=int, help="the same seed gives the same segments (0)")


def _add_prepare(commands: _Commands) -> None:
    prepare = commands.add_parser("prepare", help="a log cleaned and in a form other tools take")
    _add_events(prepare)
    prepare.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder")
    _add_items(prepare)
    _add_mapping(prepare)
    _add_settings(prepare)
    prepare.add_argument("--seed", type=int, help="start of what is drawn by chance (0)")
    for name in option_types(FormOptions):
        info = option_info(FormOptions, name)
        words = choices(option_types(FormOptions)[name])
        default = option_default(FormOptions, name)
        prepare.add_argument(f"--{name}", choices=words, default=default, help=info.help)
    prepare.set_defaults(command_function=_prepare, labels_column=None)


def _add_assign(commands: _Commands) -> None:
    assign = commands.add_parser("assign", help="put users of a new log into a run's segments")
    _add_events(assign, "NEW_EVENTS")
    assign.add_argument("--run", type=Path, required=True, metavar="DIR")
    assign.add_argument("--out", type=Path, required=True, metavar="CSV")
    assign.add_argument(
        "--platform", metavar="NAME", help="platform of the new files, if their names do not tell"
    )
    _add_settings(assign)  # of how the new log is read, no others
    assign.set_defaults(command_function=_assign)


def _add_refine(commands: _Commands) -> None:
    refine = commands.add_parser("refine", help="labels from anywhere made better, or told why not")
    _add_events(refine)
    refine.add_argument(
        "--labels", type=Path, required=True, metavar="CSV", help="table: user id, label"
    )
    refine.add_argument("--out", type=Path, required=True, metavar="CSV")
    _add_items(refine)
    _add_mapping(refine)
    _add_settings(refine)
    refine.add_argument("--seed", type=int, help="the same seed gives the same labels (0)")
    refine.set_defaults(command_function=_refine, labels_column=None)


def _add_smaller(commands: _Commands) -> None:
    smaller = commands.add_parser(
        "smaller", help="smaller copies of a run's encoder, and what each gains and loses"
    )
    _add_own_log(smaller)
    smaller.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="new folder, or one written by this"
    )
    smaller.add_argument(
        "--way", metavar="NAME", help="also write a copy of the run with this smaller encoder"
    )
    smaller.add_argument("--seed", type=int, default=0, help="the same seed, the same model (0)")
    smaller.set_defaults(command_function=_smaller)


def _add_export(commands: _Commands) -> None:
    export = commands.add_parser("export", help="a run's encoder as ONNX, checked, for serving")
    _add_own_log(export)
    export.add_argument("--out", type=Path, required=True, metavar="ONNX")
    export.set_defaults(command_function=_export)


def _add_own_log(command: argparse.ArgumentParser) -> None:
    """A recorded run and the log it was made from, which it does not keep."""
    command.add_argument("run", type=Path, metavar="RUN", help="folder of a recorded run")
    command.add_argument(
        "--events",
        nargs="+",
        required=True,
        metavar="EVENTS",
        help="the log that the run was made from: users to teach, compare and check by",
    )
    _add_settings(command)  # of how the log is read, no others


def _add_options(commands: _Commands) -> None:
    options = commands.add_parser("options", help="JSON schema of every stage's options")
    options.add_argument("--format", choices=("json", "markdown"), default="json")
    options.set_defaults(command_function=_options)


def _add_items(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--items", type=Path, metavar="CSV", help="table: item id, title, category"
    )


def _add_events(command: argparse.ArgumentParser, name: str = "EVENTS") -> None:
    command.add_argument(
        "events",
        nargs="+",
        metavar=name,
        help="files, folders or patterns: CSV or TSV, plain, .gz or alone in a .zip; Parquet",
    )


def _add_mapping(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mapping", type=Path, metavar="JSON", help="columns as in a run.json or a saved mapping"
    )
    command.add_argument("--map", default="", metavar="user=..,time=..", help="columns by role")


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--options", type=Path, metavar="JSON", help="file of settings")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="stage.field=value",
        help="one setting, over those of the file; may be given again",
    )


def _inspect(call: argparse.Namespace) -> None:
    from core.events.mapping import guess, inspect_report

    options = load_options(call.options, call.set, None)
    with tempfile.TemporaryDirectory() as scratch:
        raw = _read(call.events, Path(scratch), options)
        report = inspect_report(raw, guess(raw), options.map)
        print(json.dumps(report, indent=2, ensure_ascii=False))


def _run(call: argparse.Namespace) -> None:
    from core import runs
    from core.events.known import known_labels_in_log
    from core.pipeline import Journey

    options = _options_of(call)
    out = call.out.resolve()
    _check_place(out)
    _check_folder(out)
    with tempfile.TemporaryDirectory() as scratch:
        items = _items_from(call.items, Path(scratch)) if call.items else None
        vectors = _vectors_from(call.item_vectors) if call.item_vectors else None
        raw, events, mapping = _events(call, options, Path(scratch))
        known = _labels_from(call.labels, events) if call.labels else None
        known = known or known_labels_in_log(events, mapping.label or "label")
        _tell_conflicts(known)
        beside = Beside(labels=known, items=items, vectors=vectors)
        journey = Journey(
            Store(Path(scratch) / "store"), events, options, beside=beside, listen=_Teller()
        )
        _tell_cleaning(journey.cleaning_report())
        _tell("items and searches", journey.item_problems())
        source = runs.Source(
            name=", ".join(part.name for part in raw.parts),
            dataset_id=None,
            mapping=mapping,
            labels_name=known.name if known else None,
            items_name=items.name if items else None,
            vectors_name=vectors.name if vectors else None,
        )
        runs.record(out, journey, source, raw)
        print(journey.evaluation().verdict, file=sys.stderr)
    print(f"Wrote {call.out}", file=sys.stderr)


def _forecast(call: argparse.Namespace) -> None:
    from core.forecast import forecast
    from core.pipeline import Journey
    from core.store import to_plain

    options = _options_of(call)
    with tempfile.TemporaryDirectory() as scratch:
        items = _items_from(call.items, Path(scratch)) if call.items else None
        vectors = _vectors_from(call.item_vectors) if call.item_vectors else None
        _, events, _ = _events(call, options, Path(scratch))
        beside = Beside(items=items, vectors=vectors)  # known labels make no step longer
        store = Store(Path(scratch) / "store")
        journey = Journey(store, events, options, beside=beside, listen=_Teller())
        found = forecast(journey, limit_seconds=60.0 * call.minutes)
        print(json.dumps(to_plain(found), indent=2, ensure_ascii=False))


def _prepare(call: argparse.Namespace) -> None:
    from core.events.quality import quality
    from core.events.set_aside import write_set_aside
    from core.pipeline import Journey
    from core.sequences.forms import write_form
    from core.store import replacing, to_plain

    options = _options_of(call)
    form = FormOptions(**{name: getattr(call, name) for name in option_types(FormOptions)})
    out = call.out.resolve()
    _check_place(out)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise OptionRefused(f"--out '{out}' is not empty. Give a folder that is new or empty.")
    with tempfile.TemporaryDirectory() as scratch:
        items = _items_from(call.items, Path(scratch)) if call.items else None
        raw, events, _ = _events(call, options, Path(scratch))
        store = Store(Path(scratch) / "store")
        journey = Journey(store, events, options, beside=Beside(items=items), listen=_Teller())
        report = journey.cleaning_report()
        _tell_cleaning(report)
        with replacing(out) as folder:
            for name, told in (("cleaning", report), ("quality", quality(events))):
                text = json.dumps(to_plain(told), indent=2, ensure_ascii=False)
                (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            write_set_aside(raw, journey.filled(), options.clean, None, folder / "set_aside.csv")
            write_form(journey.sequences(), form, folder / f"{form.form}.parquet")
    print(f"Wrote {call.out}", file=sys.stderr)


def _assign(call: argparse.Namespace) -> None:
    from core import runs
    from core.assign import assign
    from core.report.tables import write_assignments

    out = call.out.resolve()
    _check_place(out)
    _check_file(out, call)
    run = runs.load_run(call.run)
    with tempfile.TemporaryDirectory() as scratch:
        events = _events_as_in(run, call, Path(scratch), call.platform)
        labels, report = assign(run, events, Path(scratch))
        _tell_cleaning(report)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing_file(out) as file:
            write_assignments(file, labels)
    print(f"Wrote {len(labels.user_ids)} users to {call.out}", file=sys.stderr)


def _events_as_in(
    run: Run, call: argparse.Namespace, scratch: Path, platform: str | None = None
) -> Events:
    """A log, typed as the run's own was."""
    from core.assign import read_log
    from core.events.inputs import find_logs
    from core.events.mapping import complete, map_events

    options = answers(run.reading(), call.options, call.set)
    raw, needed = read_log(run, find_logs(call.events), scratch, options.read, platform)
    events = map_events(raw, complete(raw, _exactly(needed)), scratch, options.map)
    _tell(raw.name, events.problems)
    return events


def _smaller(call: argparse.Namespace) -> None:
    from core import runs
    from core.representations import Work
    from core.run_options import checked_seed
    from core.smaller import WAYS, check_encoder, check_way, recorded, telling
    from core.smaller.measuring import compare

    out, seed = call.out.resolve(), checked_seed(call.seed)
    ways = list(WAYS) if call.way is None else [check_way(call.way)]
    _check_place(out)
    run = runs.load_run(call.run)
    recorded.check_target(run, out)
    original = recorded.original_of(run)
    check_encoder(original.method)
    with tempfile.TemporaryDirectory() as scratch:
        events = _events_as_in(run, call, Path(scratch))
        sequences = recorded.own_sequences(run, events, Path(scratch))
        work = Work(seed=seed, report=_Teller(every=True))
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


def _export(call: argparse.Namespace) -> None:
    from core import runs
    from core.serving.exporting import export, write
    from core.smaller import check_encoder, recorded

    out = call.out.resolve()
    _check_place(out)
    _check_file(out, call)
    if out.suffix != ".onnx":
        raise OptionRefused(f"--out is '{out.name}'. Give a name that ends in .onnx.")
    run = runs.load_run(call.run)
    original = recorded.original_of(run)
    check_encoder(original.method)
    with tempfile.TemporaryDirectory() as scratch:
        events = _events_as_in(run, call, Path(scratch))
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


def _refine(call: argparse.Namespace) -> None:
    from core.pipeline import Journey
    from core.refine import refine, write_refined

    options = _options_of(call)
    out = call.out.resolve()
    _check_place(out)
    _check_file(out, call)
    with tempfile.TemporaryDirectory() as scratch:
        items = _items_from(call.items, Path(scratch)) if call.items else None
        _, events, _ = _events(call, options, Path(scratch))
        known = _labels_from(call.labels, events)
        store = Store(Path(scratch) / "store")
        journey = Journey(store, events, options, beside=Beside(items=items), listen=_Teller())
        _tell_cleaning(journey.cleaning_report())
        found = refine(journey, known)
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing_file(out) as file:
            write_refined(file, found)
    print(found.told, file=sys.stderr)
    print(f"Wrote {len(found.user_ids)} users to {call.out}", file=sys.stderr)


def _options(call: argparse.Namespace) -> None:
    if call.format == "markdown":
        from core.option_tables import markdown

        print(markdown())
    else:
        print(json.dumps(options_schema(), indent=2, ensure_ascii=False))


def _options_of(call: argparse.Namespace) -> RunOptions:
    """The settings of a call; over those of its file go those kept with the mapping."""
    from core.events.saved import mapping_from_file

    kept = {"map": mapping_from_file(call.mapping)[1].to_dict()} if call.mapping else {}
    return load_options(call.options, call.set, call.seed, kept)


def _events(
    call: argparse.Namespace, options: RunOptions, scratch: Path
) -> tuple[RawLog, Events, ColumnMapping]:
    """The log of all files given, read as one; as text, typed, and how it was typed."""
    from core.events.mapping import complete, map_events, parse_mapping
    from core.events.saved import mapping_from_file

    given = parse_mapping(call.map)
    if call.mapping:
        given = _exactly(mapping_from_file(call.mapping)[0]) | given
    if call.labels_column:
        given["label"] = call.labels_column
    raw = _read(call.events, scratch, options)
    mapping = complete(raw, given)
    events = map_events(raw, mapping, scratch, options.map)
    _tell(raw.name, events.problems)
    return raw, events, mapping


def _exactly(mapping: ColumnMapping) -> dict[str, str]:
    """A given mapping that leaves nothing to guess; an empty name is "no such column"."""
    return {role: mapping.columns().get(role, "") for role in ROLES}


def _read(inputs: Sequence[str], scratch: Path, options: RunOptions) -> RawLog:
    """Read files, folders and patterns as one log."""
    from core.events.inputs import find_logs
    from core.events.read import read_all

    paths = find_logs(inputs)
    return read_all(paths, scratch, options.read, names=[path.name for path in paths])


def _labels_from(path: Path, events: Events) -> KnownLabels:
    from core.events.known import read_labels_file

    if not path.is_file():
        raise NotFound(f"There is no labels file '{path}'.")
    found = read_labels_file(path, events=events)
    for note in found.notes:
        print(f"note: {path.name}: {note}", file=sys.stderr)
    return found.labels


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


def _check_file(out: Path, call: argparse.Namespace) -> None:
    """Refuse to write over anything that the call reads."""
    from core.events.inputs import find_logs

    if out.is_dir():
        raise OptionRefused(f"--out '{out}' is a folder. Give the name of a file.")
    if out in (path.resolve() for path in find_logs(call.events)):
        raise OptionRefused(f"--out '{out}' is a file of the log. Give the name of another file.")
    for name in ("labels", "items", "item_vectors", "mapping", "options", "run"):
        path = getattr(call, name, None)
        if path is not None and path.resolve() in (out, *out.parents):
            raise OptionRefused(
                f"--out '{out}' is read, or lies in what is read, by --{name.replace('_', '-')}. "
                "Give the name of another file."
            )


class _Teller:
    """Prints where the work stands; what was just said is not said again.

    Steps and epochs, or ``every`` change of what is done.
    """

    def __init__(self, *, every: bool = False) -> None:
        self._said, self._every = "", every

    def __call__(self, progress: Progress) -> None:
        line = f"[{progress.stage}] {progress.text}"
        told = self._every or progress.done == 0.0 or progress.epoch is not None
        if told and line != self._said:
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
                f"{step.effect}: {step.rows} rows of {step.users} users: {step.reason}"
                f"{_named(step)}",
                file=sys.stderr,
            )
    print(
        f"{report.events_after} of {report.events_before} rows and {report.users_after} of "
        f"{report.users_before} users are kept",
        file=sys.stderr,
    )


def _named(step: CleaningStep) -> str:
    """Users with too many events and wholesalers by name: who they are is worth knowing."""
    if step.rule not in _NAMED_RULES:
        return ""
    few = step.examples[:_USERS_NAMED]
    names = ", ".join(f"{shown(example.user)} with {example.rows:,}" for example in few)
    return f": {names}{', ...' if len(step.examples) > _USERS_NAMED else ''}" if names else ""


if __name__ == "__main__":
    sys.exit(main())
