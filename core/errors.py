"""Everything that can go wrong through the data or the settings, in one tree.

    AnalystError                 what the analyst can mend; shown on the page, exit code 2
    ├── FileRefused              a file cannot be read without guessing (says where and why)
    ├── MappingRefused           a column is missing, doubled or of the wrong kind
    ├── OptionRefused            a setting is unknown or out of its range
    ├── TooLittleData            fewer users, events or differences than the step needs
    ├── NotFound                 a data set, run or job that is not (or no longer) there
    └── JobStopped               background work was cancelled or its process ended

Anything else that is raised is a bug and stays visible as one (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.artifacts import Problem


class AnalystError(Exception):
    """A problem the analyst can mend; its text says what, where, what is allowed, what to do."""


class FileRefused(AnalystError):
    """A file cannot be read without guessing; ``problems`` holds what its text lists, as data."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class MappingRefused(AnalystError):
    """A column is missing, doubled or of the wrong kind."""


class OptionRefused(AnalystError):
    """A setting is unknown or out of its range."""


class TooLittleData(AnalystError):
    """Fewer users, events or differences than the step needs."""


class NotFound(AnalystError):
    """A data set, run or job that is not, or no longer, there."""


class JobStopped(AnalystError):
    """Background work was cancelled, or its process ended."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest allowed word, or an empty string."""
    by_lower = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""
