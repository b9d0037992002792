import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from core.artifacts import FloatArray, KCurve, State, TextArray, fingerprint
from core.errors import NotFound
from core.store import Store, from_plain, load, replacing, save, to_plain


@dataclass(frozen=True, kw_only=True)
class Thing:
    user_ids: TextArray
    values: FloatArray
    state: State
    path: Path
    curve: KCurve
    note: str | None
    pairs: tuple[tuple[int, str], ...]


def thing(folder: Path) -> Thing:
    (folder / "rows.txt").write_text("rows", encoding="utf-8")
    return Thing(
        user_ids=np.array(["007", 'q"uo\nte', "ünï", "=1+1"], dtype=object),
        values=np.arange(4, dtype=np.float32).reshape(2, 2),
        state={"centers": np.ones((2, 3), np.float32), "n": np.array([7])},
        path=folder / "rows.txt",
        curve=KCurve(
            ks=(1, 2),
            inertia=(9.0, 4.0),
            silhouette=(float("nan"), 0.5),
            bits=(-6.5, -6.25),
            confidence=None,
            knee=None,
            suggested=2,
            reason="why",
            fingerprint="f",
        ),
        note=None,
        pairs=((1, "a"), (2, "b")),
    )


def test_an_artifact_comes_back_as_it_was(tmp_path):
    store = Store(tmp_path)
    back = store.get_or_make(Thing, "a" * 64, thing)
    assert back.user_ids.tolist() == ["007", 'q"uo\nte', "ünï", "=1+1"]
    assert back.values.tolist() == [[0.0, 1.0], [2.0, 3.0]] and back.values.dtype == np.float32
    assert back.state["centers"].shape == (2, 3) and back.state["n"][0] == 7
    assert back.path.read_text(encoding="utf-8") == "rows"
    assert np.isnan(back.curve.silhouette[0]) and back.curve.knee is None
    assert back.curve.bits == (-6.5, -6.25) and back.curve.confidence is None
    assert back.pairs == ((1, "a"), (2, "b")) and back.note is None


def test_equal_work_is_done_once(tmp_path):
    store, made = Store(tmp_path), []

    def make(folder):
        made.append(folder)
        return thing(folder)

    store.get_or_make(Thing, "b" * 64, make)
    store.get_or_make(Thing, "b" * 64, make)
    assert len(made) == 1 and store.seconds("b" * 64) >= 0


def test_work_that_fails_leaves_nothing_behind(tmp_path):
    def fail(folder):
        thing(folder)
        raise RuntimeError("power cut")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        store.get_or_make(Thing, "c" * 64, fail)
    assert list(tmp_path.iterdir()) == [] and not store.has("c" * 64)


def kept_days_ago(store, fingerprint, days):
    folder = store.unfinished(fingerprint)
    (folder / "0000000001-state").mkdir(parents=True)
    then = time.time() - days * 86_400
    os.utime(folder, (then, then))
    return folder


def test_unfinished_work_outlives_a_sweep_for_days_and_goes_when_forgotten(tmp_path):
    store = Store(tmp_path)
    fresh = kept_days_ago(store, "a" * 64, 3)
    forgotten = kept_days_ago(store, "b" * 64, 15)
    store.sweep()
    assert fresh.exists() and not forgotten.exists()


def test_unfinished_work_goes_once_the_artifact_is_made_and_stays_when_that_fails(tmp_path):
    store = Store(tmp_path)
    kept = kept_days_ago(store, "a" * 64, 0)

    def fail(folder):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.get_or_make(Thing, "a" * 64, fail)
    assert kept.exists()
    store.get_or_make(Thing, "a" * 64, thing)
    assert not kept.exists()


def test_a_flipped_byte_in_learned_state_is_noticed(tmp_path):
    save(thing(tmp_path), tmp_path)
    weights = tmp_path / "state.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    with pytest.raises(NotFound, match="damaged"):
        load(Thing, tmp_path)


def test_replacing_keeps_the_old_folder_when_the_new_one_fails(tmp_path):
    target = tmp_path / "run"
    with replacing(target) as scratch:
        (scratch / "old").touch()
    with pytest.raises(RuntimeError), replacing(target) as scratch:
        (scratch / "new").touch()
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["old"]


def test_plain_values_and_back(tmp_path):
    made = thing(tmp_path).curve
    assert to_plain(made)["silhouette"] == [None, 0.5]
    back = from_plain(KCurve, to_plain(made))
    assert replace(back, silhouette=()) == replace(made, silhouette=())


def test_fingerprints_differ_by_every_ingredient():
    base = fingerprint("p", "clean", 1, {"a": 1})
    assert base == fingerprint("p", "clean", 1, {"a": 1}) and len(base) == 64
    others = {
        fingerprint("q", "clean", 1, {"a": 1}),
        fingerprint("p", "build", 1, {"a": 1}),
        fingerprint("p", "clean", 2, {"a": 1}),
        fingerprint("p", "clean", 1, {"a": 2}),
    }
    assert base not in others and len(others) == 4
