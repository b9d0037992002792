"""An exported encoder places users where the original does, fed by what stands beside it alone."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import FileRefused, OptionRefused
from core.representations.batches import Stretches
from core.representations.encoder import EventEncoder, Shape
from core.representations.encoder_cells import CELLS
from core.representations.inputs import Scales, gather
from core.representations.pooling import POOLINGS
from core.representations.space import place
from core.representations.trained import Trained
from core.representations.vectors import event_vectors
from core.serving import exporting
from core.serving.encoder_graph import OUTPUT, build, input_names
from core.serving.feeding import feeding
from tests.worlds import bare_sequences, vocabulary_of

HIDDEN = 10
WORDS = {
    "actions": ("view", "cart", "buy"),
    "categories": ("shoes", "hats"),
    "platforms": ("web", "app"),
    "items": ("i1", "i2", "i3", "i4"),
    "queries": ("red", "blue"),
}


@pytest.fixture(scope="module")
def log():
    """Users of unlike lengths, one of them without events and one longer than is read at once."""
    rng = np.random.default_rng(0)
    lengths = np.array([5, 1, 0, 17, 300, 2, 40, 9])
    n = int(lengths.sum())
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    gap = rng.exponential(4000, n).astype(np.float32)
    gap[rng.random(n) < 0.1] = 0
    gap[offsets[:-1][lengths > 0]] = 0
    return bare_sequences(
        [f"u{i}" for i in range(len(lengths))],
        offsets,
        action=rng.integers(0, 4, n).astype(np.int32),
        category=rng.integers(0, 3, n).astype(np.int32),
        platform=rng.integers(0, 3, n).astype(np.int32),
        item=rng.integers(0, 5, n).astype(np.int32),
        query=rng.integers(0, 3, n).astype(np.int32),
        time=1_767_571_200 + np.cumsum(rng.integers(60, 9000, n)),
        gap=gap,
        duration=np.where(rng.random(n) < 0.3, np.nan, rng.exponential(30, n)).astype(np.float32),
        price=np.where(rng.random(n) < 0.5, np.nan, rng.gamma(2, 20, n)).astype(np.float32),
        item_vectors=np.vstack([np.zeros(6), rng.normal(size=(4, 6))]).astype(np.float32),
        query_vectors=np.vstack([np.zeros(3), rng.normal(size=(2, 3))]).astype(np.float32),
        vocabulary=vocabulary_of(**WORDS),
    )


def trained(log, *, told=None, **shape):
    """An encoder as it is before it has learned, in a space drawn at random, narrower by two."""
    torch.manual_seed(1)
    scales = Scales.of(log, time_of_day=True, max_items=3, recent_actions=3, **(told or {}))
    encoder = EventEncoder(scales, HIDDEN, event_vectors(log), Shape(**shape)).eval()
    if encoder.shape.pooling == "attention":
        torch.nn.init.normal_(encoder.pool.query)
    rng = np.random.default_rng(2)
    return Trained(
        encoder=encoder,
        scales=scales,
        centre=rng.normal(0, 0.1, HIDDEN).astype(np.float32),
        axes=rng.normal(size=(HIDDEN, HIDDEN - 2)).astype(np.float32),
        device="cpu",
    )


def original(made, log):
    return place({"centre": made.centre, "axes": made.axes}, made.states(log))


def ran(model, feed):
    import onnxruntime

    return onnxruntime.InferenceSession(model).run([OUTPUT], feed)[0]


def fed(made, log, users, padding=0):
    """The inputs of some users as they are gathered, with more padding after them."""
    lengths = np.diff(log.offsets)[users]
    place_, real = Stretches(start=log.offsets[users], length=lengths).padded()
    batch = gather(log, made.scales, place_, real)
    feed = {}
    for name in input_names(made.encoder):
        values = getattr(batch, name)
        width = [(0, 0), (0, padding), *[(0, 0)] * (values.ndim - 2)]
        filler = {"real": False, "numeric": 7.5}.get(name, 1)
        feed[name] = np.pad(values, width, constant_values=filler)
    return feed


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    ("cell", "layers"), [*((cell, 1) for cell in CELLS), ("lstm", 2), ("cnn", 2)]
)
def test_every_cell_and_pooling_places_users_where_the_original_does(cell, layers, pooling, log):
    made = trained(log, cell=cell, layers=layers, pooling=pooling)
    wanted = original(made, log)
    found = exporting.placed(build(made, {}), made, log)
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    assert not found[2].any() and wanted[[0, 1, 3, 4]].any(axis=1).all()
    assert exporting.check(build(made, {}), made, log).holds


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_padding_and_the_others_in_a_batch_change_nothing(cell, pooling, log):
    made = trained(log, cell=cell, pooling=pooling)
    model = build(made, {})
    alone = np.concatenate([ran(model, fed(made, log, [user])) for user in (0, 3, 6)])
    together = ran(model, fed(made, log, [0, 3, 6], padding=13))
    np.testing.assert_allclose(together, alone, atol=2e-5)
    np.testing.assert_allclose(together, original(made, log)[[0, 3, 6]], atol=2e-5)


def test_a_user_of_whom_nothing_is_real_stands_at_the_centre(log):
    made = trained(log)
    feed = fed(made, log, [0, 3])
    feed["real"][0] = False
    points = ran(build(made, {}), feed)
    assert not points[0].any() and points[1].any()


def test_only_what_the_encoder_reads_is_asked_for(log):
    bare = replace(
        log, item_vectors=log.item_vectors[:1, :0], query_vectors=log.query_vectors[:1, :0]
    )
    nothing = np.full(log.n_events, np.nan, np.float32)
    bare = replace(bare, gap=np.zeros_like(log.gap), duration=nothing, price=nothing)
    torch.manual_seed(0)
    scales = Scales.of(bare, time_of_day=False)
    encoder = EventEncoder(scales, 8).eval()
    made = Trained(
        encoder=encoder,
        scales=scales,
        centre=np.zeros(8, np.float32),
        axes=np.eye(8, dtype=np.float32),
        device="cpu",
    )
    assert input_names(encoder) == ["action", "category", "platform", "daypart", "numeric", "real"]
    np.testing.assert_allclose(
        exporting.placed(build(made, {}), made, bare), original(made, bare), atol=2e-5
    )


def scaled_by(told, x):
    value = math.copysign(math.log1p(abs(x)), x) if told["method"] == "log" else x
    low, high = {"min_max": (0, 1), "none": (-math.inf, math.inf)}.get(told["method"], (-4, 4))
    return min(max((value - told["centre"]) / told["spread"], low), high)


def fed_by_what_is_told(told, events):
    """Inputs of one user made from the JSON alone, as a serving engineer would."""
    numbers, recent = told["numbers"], told["recent"]
    rows = {entry["name"]: [] for entry in told["inputs"]}
    codes = [told["words"]["action"].get(event["action"], 0) for event in events]
    for place_, event in enumerate(events):
        for name, word in (
            ("action", "action"),
            ("category", "category"),
            ("platform", "platform"),
            ("item", "item"),
            ("query", "query"),
            ("common_item", "item"),
        ):
            rows[name].append(told["words"][name].get(event[word], 0))
        rows["daypart"].append(1 + event["hour"] // 4)
        last = [0] * recent["actions"] + codes[: place_ + 1]
        code = 0
        for digit in last[-recent["actions"] :]:
            code = code * recent["base"] + digit
        if recent["hashed_to"]:
            code = (code * 0x9E3779B97F4A7C15 % 2**64 >> 32) % recent["hashed_to"]
        rows["recent"].append(code)
        scaled, known, classes = [], [], []
        for name in ("gap", "duration", "price"):
            x = event[name]
            there = x is not None and not (name == "gap" and x == 0)
            known.append(float(there))
            scaled.append(scaled_by(numbers[name], x) if there else 0.0)
            log_ = math.copysign(math.log1p(abs(x)), x) if there else 0.0
            edges = numbers[name]["edges"]
            classes.append(1 + sum(edge <= np.float32(log_) for edge in edges) if there else 0)
        rows["numeric"].append([*scaled, *known, float(place_ == 0)])
        rows["classes"].append([0, 0, *classes, 0])
        rows["real"].append(True)
    dtypes = {entry["name"]: entry["dtype"] for entry in told["inputs"]}
    return {name: np.array([values], dtype=dtypes[name]) for name, values in rows.items()}


@pytest.mark.parametrize("hashed", [False, True])
def test_what_is_told_beside_the_model_is_enough_to_feed_it(hashed, log, monkeypatch):
    if hashed:
        monkeypatch.setattr("core.representations.inputs._MOST_RECENT", 11)
    made = trained(log)
    told = json.loads(json.dumps(feeding(made, log.vocabulary)))
    assert (told["recent"]["hashed_to"] == 11) is hashed
    words = {
        "action": "actions",
        "category": "categories",
        "platform": "platforms",
        "item": "items",
        "query": "queries",
    }
    first, end = log.offsets[3], log.offsets[4]
    events = [
        {name: ("", *WORDS[known])[getattr(log, name)[at]] for name, known in words.items()}
        | {"hour": int(log.time[at]) // 3600 % 24}
        | {
            name: None if np.isnan(getattr(log, name)[at]) else float(getattr(log, name)[at])
            for name in ("gap", "duration", "price")
        }
        for at in range(first, end)
    ]
    feed = fed_by_what_is_told(told, events)
    assert list(feed) == input_names(made.encoder)
    found = ran(build(made, {}), feed)
    np.testing.assert_allclose(found[0], original(made, log)[3], atol=2e-5)


def test_words_that_too_few_users_share_are_not_told(log):
    action = log.action.copy()
    action[action == 3] = 1
    action[log.offsets[4]] = 3  # one user of the eight
    made = trained(replace(log, action=action), told={"min_users": 2})
    made_of_ten = replace(made.scales, shared_action=np.array([True, True, True, False]))
    told = feeding(replace(made, scales=made_of_ten), log.vocabulary)
    assert told["words"]["action"] == {"view": 1, "cart": 2}


def test_a_model_that_places_users_elsewhere_is_refused_and_not_written(log, monkeypatch):
    made = trained(log)
    other = build(replace(made, axes=made.axes + np.float32(0.01)), {})
    assert not exporting.check(other, made, log).holds
    monkeypatch.setattr(exporting.Trained, "of", lambda state, sequences, device: made)
    monkeypatch.setattr(exporting, "build", lambda trained, about: other)
    with pytest.raises(FileRefused, match=r"places users elsewhere.*Nothing was written"):
        exporting.export("lstm", {}, log)


def test_the_model_says_what_it_is_of(log):
    import onnx

    made = onnx.load_from_string(build(trained(log), {"run": "abc", "method": "lstm"}))
    assert {p.key: p.value for p in made.metadata_props} == {"run": "abc", "method": "lstm"}
    assert build(trained(log), {}) == build(trained(log), {})
    shapes = {
        i.name: [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim]
        for i in made.graph.input
    }
    assert shapes["action"] == ["batch", "events"] and shapes["numeric"] == ["batch", "events", 7]


def test_what_has_no_encoder_is_refused(log):
    with pytest.raises(OptionRefused, match="no encoder"):
        exporting.export("bag", {}, log)
