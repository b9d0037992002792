"""What is told on stderr while a command works."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from core.artifacts import CleaningReport, CleaningStep, KnownLabels, Problem, Progress
from core.events.problems import shown
from core.wording import counted

_USERS_NAMED = 5
_NAMED_RULES = ("many_events", "busy_day", "wholesaler")


class Teller:
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


def tell_conflicts(known: KnownLabels | None) -> None:
    """Users whose known labels contradict one another."""
    if known is not None and known.n_conflicting:
        users = counted(known.n_conflicting, "user", "users")
        print(
            f"note: left out of the comparison with known labels: {users} with more than one "
            f"'{known.name}'.",
            file=sys.stderr,
        )


def tell(name: str, problems: Iterable[Problem]) -> None:
    """What is to be said of a file."""
    for problem in problems:
        print(f"note: {name}: {problem.message}", file=sys.stderr)


def tell_cleaning(report: CleaningReport) -> None:
    """What cleaning dropped, and what is kept."""
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
