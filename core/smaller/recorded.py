"""Smaller copies of recorded runs: the run again, with another encoder in it.

A run keeps no log, since that would double its size and hand out all that users did with every
copy of it; so the log is given again, and must give the run's very users.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.artifacts import Events, Sequences, State, fingerprint
from core.assign import as_in_run
from core.errors import FileRefused, OptionRefused
from core.runs import COMPARISON, MadeSmaller, Run, holds_only_a_run, load_run, write_manifest
from core.smaller import VERSION
from core.smaller.measuring import Comparison, Original
from core.store import replacing, save, to_plain, write_json
from core.wording import counted


def original_of(run: Run) -> Original:
    """The encoder and the segments of a run."""
    space = run.embeddings()
    return Original(method=space.method, state=space.state, labels=run.labels())


def own_sequences(run: Run, events: Events, folder: Path) -> Sequences:
    """The sequences of the very users of a run, from its log. Raises FileRefused for another log.

    ``folder`` takes the cleaned log.
    """
    found, _ = as_in_run(run, events, folder)
    users, asked = found.user_ids, run.embeddings().user_ids
    if len(users) != len(asked) or not (users == asked).all():
        shared = len(np.intersect1d(users.astype(str), asked.astype(str)))
        raise FileRefused(
            f"The log gives {counted(len(users), 'user', 'users')} after the run's cleaning, of "
            f"whom {shared:,} are among the {len(asked):,} of the run. Give the log that the run "
            "was made from, whole."
        )
    return found


def check_target(run: Run, target: Path) -> None:
    """Refuse to write over the run itself, or into a folder that holds anything else."""
    if target.is_file():
        raise OptionRefused(f"--out '{target}' is a file. Give a folder that is new or empty.")
    if target == run.folder.resolve():
        raise OptionRefused("--out is the folder of the run itself. Give another folder.")
    if not target.is_dir():
        return
    names = {path.name for path in target.iterdir()}
    if names and names != {COMPARISON} and not holds_only_a_run(target):
        raise OptionRefused(
            f"--out '{target}' already holds other files. Give a folder that is new or empty, or "
            "one that an earlier call wrote and that holds nothing else."
        )


def write_comparison(found: Comparison, target: Path) -> None:
    """Write ``smaller.json`` into a folder, alone in it; replaces the folder that stands there."""
    with replacing(target) as scratch:
        write_json(scratch / COMPARISON, to_plain(found))


def write_copy(run: Run, state: State, found: Comparison, target: Path) -> Run:
    """Write a run again with a smaller encoder; replaces the folder that stands there.

    ``found`` compares the original with this one. Points, segments and report are those of the
    original; new users are placed by the smaller encoder.
    """
    original, smaller = found.models
    made_by = {"way": smaller.way, "seed": found.seed}
    manifest = replace(
        run.manifest,
        id=fingerprint(run.manifest.id, "smaller", VERSION, made_by)[:16],
        made_smaller=MadeSmaller(
            of=run.manifest.id,
            way=smaller.way,
            seed=found.seed,
            model_bytes=smaller.model_bytes,
            original_bytes=original.model_bytes,
        ),
    )
    space = replace(run.embeddings(), state=state)
    with replacing(target) as scratch:
        shutil.copytree(run.folder, scratch, dirs_exist_ok=True)
        folder = scratch / "artifacts" / "embeddings"
        save(space, folder)
        write_manifest(manifest, scratch)
        write_json(scratch / COMPARISON, to_plain(found))
    return load_run(target)
