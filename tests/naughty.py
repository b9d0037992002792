"""The big list of naughty strings and spreadsheet payloads, read from beside the repository."""

import csv
import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

BAD = Path(__file__).parents[2] / "shared" / "badcsv"
NEEDS_NAUGHTY = pytest.mark.skipif(
    not BAD.is_dir(), reason="the bad-file suite is not beside the repository"
)
EVENTS_PER_USER = 4


@cache
def as_cells() -> tuple[str, ...]:
    """Every different string that a cell can hold; blank ones are no value."""
    listed = json.loads((BAD / "88_blns.json").read_text("utf-8"))
    payloads = (BAD / "89_csv_injection_payloads.txt").read_text("utf-8").splitlines()
    return tuple(dict.fromkeys(s for s in (*listed, *payloads) if s.strip()))


def write_naughty_log(
    path: Path, header: tuple[str, ...] = ("user", "time", "action", "category", "item")
) -> Path:
    """A log in which every string is a user, an action, a category and an item."""
    words, begun = as_cells(), datetime(2026, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for place, user in enumerate(words):
            for event in range(EVENTS_PER_USER):
                word = words[(place + event * 7) % len(words)]
                time = begun + timedelta(hours=place + event)
                writer.writerow([user, time, word, word, word])
    return path
