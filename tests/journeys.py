"""Tiny logs as files, and a journey that takes no time: for tests that look at the whole way."""

import csv
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from core.artifacts import Events
from core.events.mapping import complete, map_events
from core.events.read import ReadOptions, read
from core.pipeline import Journey
from core.run_options import RunOptions
from core.workspace import Dataset, Workspace

SAMPLES = Path(__file__).parents[1] / "sample_data"
TINY, TINY_LABELS = SAMPLES / "tiny_100_users.csv", SAMPLES / "tiny_100_labels.csv"
QUICK = {"represent": {"method": "bag"}, "project": {"method": "pca"}}
"""Settings for tests in which neither the encoder nor the map matters."""
QUICKLY = ("--set", "represent.method=bag", "--set", "project.method=pca")
"""The same on the command line."""
LOOKING = "view view search view view search"
BUYING = "view cart buy view cart buy"
RETURNING = "buy return return buy return return"
"""Six events each, so that nothing but what is done tells users apart."""


def quick(**stages: object) -> RunOptions:
    """The quick settings with some stages' settings on top."""
    return RunOptions.from_dict({**QUICK, **stages})


def three_groups(per_group: int = 20) -> dict[str, str]:
    """Users who look, users who buy and users who return, told apart by their actions alone."""
    habits = {"l": LOOKING, "b": BUYING, "r": RETURNING}
    return {
        f"{kind}{number:02d}": actions
        for kind, actions in habits.items()
        for number in range(per_group)
    }


def write_log(
    path: Path,
    users: Mapping[str, str],
    *,
    label: Mapping[str, list[str]] | None = None,
    category: str = "",
) -> Path:
    """A CSV of users and their actions, an hour apart; ``label`` has one per event of a user."""
    begun = datetime(2026, 1, 1, 8)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "time", "action", "category", "kind"])
        for user, actions in users.items():
            for hour, action in enumerate(actions.split()):
                kind = label[user][hour % len(label[user])] if label else ""
                time = begun + timedelta(hours=hour)
                writer.writerow([user, time, action, category or f"of {action}", kind])
    return path


def events_of(path: Path, folder: Path) -> Events:
    """The typed log behind a file, by the guessed columns."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = read(path, folder, ReadOptions(), name=path.name)
    return map_events(raw, complete(raw, {}), folder)


def added(workspace: Workspace, path: Path, **columns: str) -> Dataset:
    """A data set of a workspace with its columns confirmed: as given by role, else as guessed."""
    dataset = workspace.add([path], [path.name], ReadOptions())
    mapping = complete(workspace.raw(dataset), columns)
    return workspace.confirm_mapping(dataset.id, mapping)


def journey_in(workspace: Workspace, dataset: Dataset, options: RunOptions) -> Journey:
    """The journey of a data set, as the worker and the pages make it."""
    return Journey(
        workspace.store(dataset.id),
        workspace.events(dataset),
        options,
        beside=workspace.beside(dataset),
    )
