"""Logs that were cleaned without losing anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifacts import CleanEvents
from core.events.clean import CleanOptions, clean

KEEP_ALL = CleanOptions(min_events=1, duplicates="keep", price_outliers="off")


@pytest.fixture
def cleaned(log_of: Callable, tmp_path: Path) -> Callable[..., CleanEvents]:
    """Make a cleaned log of rows given as dicts, see ``log_of``."""
    return lambda *rows: clean(log_of(*rows), KEEP_ALL, tmp_path)
