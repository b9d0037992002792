from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from core.artifacts import FIT, TEST, ItemFeatures, Sequences
from core.item_features import ItemFeatureOptions, attach, attach_known, learn
from core.sequences import SequenceOptions
from core.store import load, save

OPTIONS = ItemFeatureOptions(text_dimensions=2)
TITLES = {
    "s1": "red sofa",
    "s2": "grey sofa",
    "l1": "red lamp",
    "l2": "grey lamp",
    "new": "grey lamp",
}
SEEN = ["s1", "s2", "l1", "l2", None, "x"]
SEARCHES = ["red sofa", "red lamp", "grey sofa", "grey lamp", "sofa", "lamp"]


def row_of(sequences, item):
    return sequences.item_vectors[sequences.vocabulary.items.index(item) + 1]


def query_row(sequences, query):
    return sequences.query_vectors[sequences.vocabulary.queries.index(query) + 1]


def test_a_log_of_which_nothing_is_known_stays_what_it_is(visits, items_of, vectors_of):
    log = visits(SEEN)
    same, features = attach(log, None, None, OPTIONS, 0)
    assert same is log
    assert features.item_vectors.shape == (1, 0) and not features.state
    assert features.problems == ()
    off = ItemFeatureOptions(item_text=False, query_text=False)
    searched = visits(SEEN, SEARCHES)
    assert attach(searched, items_of(TITLES), None, off, 0)[0] is searched


def test_items_are_found_by_id_and_the_unknown_stand_at_zero(visits, items_of, vectors_of):
    vectors = vectors_of({"l1": [1, 0], "x": [3, 0], "elsewhere": [1e9, 1e9]})
    log, _ = attach(visits(SEEN), items_of(TITLES), vectors, OPTIONS, 0)
    assert log.item_vectors.shape == (1 + 5, 2 + 1)  # the second number of the vectors is still
    assert log.item_vectors.dtype == np.float32
    assert_array_equal(log.item_vectors[0], 0)
    assert_array_equal(row_of(log, "x")[:2], 0)  # without a title
    assert_array_equal(row_of(log, "s1")[2:], 0)  # without a vector
    assert_allclose([row_of(log, "l1")[2], row_of(log, "x")[2]], [-1, 1])
    assert row_of(log, "s1")[:2] @ row_of(log, "l2")[:2] < 0  # they share no word


def test_only_what_the_users_to_fit_have_met_is_learned_from(visits, vectors_of):
    ann = visits(["s1", "l1", "s2"])
    events = {n: getattr(ann, n)[[0, 1, 2]] for n in ("action", "category", "item", "query")}
    log = replace(
        ann,
        user_ids=np.array(["ann", "bob"], dtype=object),
        offsets=np.array([0, 2, 3]),
        split=np.array([FIT, TEST], dtype=np.int8),
        **events,
    )
    vectors = vectors_of({"s1": [1.0], "l1": [3.0], "s2": [102.0]})
    known, _ = attach(log, None, vectors, OPTIONS, 0)
    assert_allclose([row_of(known, item)[0] for item in ("s1", "l1", "s2")], [-1, 1, 100])
    watched = replace(log, split=np.array([TEST, TEST], dtype=np.int8))
    assert attach(watched, None, vectors, OPTIONS, 0)[0].item_vectors.shape == (4, 1)


def test_brands_count_as_words(visits, items_of):
    titles = {"s1": "oak", "s2": "oak", "l1": "oak", "l2": "oak"}
    items = items_of(titles, {"s1": "Fjord", "s2": "Fjord", "l1": "Dune", "l2": "Dune"})
    log, _ = attach(visits(SEEN[:4]), items, None, OPTIONS, 0)
    assert_allclose(row_of(log, "s1"), row_of(log, "s2"))
    assert (row_of(log, "s1") - row_of(log, "l1")).any()


def test_queries_are_told_by_their_words(visits):
    log, features = attach(visits(SEEN, SEARCHES), None, None, OPTIONS, 0)
    assert log.query_vectors.shape == (1 + 6, 2)
    assert_array_equal(log.query_vectors[0], 0)
    sofa, red_sofa, lamp = (query_row(log, q) for q in ("sofa", "red sofa", "lamp"))
    assert sofa @ red_sofa > 0 > sofa @ lamp
    assert features.query_words.tolist() == ["grey", "lamp", "red", "sofa"]
    assert log.item_vectors.shape == (1, 0)


def test_a_later_log_gets_the_same_numbers_and_its_new_words_their_place(
    visits, items_of, vectors_of
):
    items, vectors = items_of(TITLES), vectors_of({"l1": [1.0], "s1": [3.0], "new": [1.0]})
    log, features = attach(visits(SEEN, SEARCHES), items, vectors, OPTIONS, 0)
    assert_array_equal(attach_known(log, features).item_vectors, log.item_vectors)
    words = log.vocabulary
    later = replace(
        log,
        vocabulary=replace(
            words, items=(*words.items, "new"), queries=(*words.queries, "lamp  GREY")
        ),
    )
    known = attach_known(later, features, items, vectors)
    assert_array_equal(known.item_vectors[:-1], log.item_vectors)
    assert_allclose(known.item_vectors[-1, :2], row_of(log, "l2")[:2], atol=1e-6)
    assert_allclose(known.item_vectors[-1, 2:], row_of(log, "l1")[2:], atol=1e-6)
    assert_allclose(known.query_vectors[-1], query_row(log, "grey lamp"), atol=1e-6)
    assert_array_equal(attach_known(later, features).item_vectors[-1], 0)  # the files not given


def test_a_log_without_queries_keeps_the_width_the_encoder_was_made_for(visits):
    log, features = attach(visits(SEEN, SEARCHES), None, None, OPTIONS, 0)
    bare = replace(log, vocabulary=replace(log.vocabulary, queries=()))
    assert attach_known(bare, features).query_vectors.shape == (1, 2)


def test_what_was_learned_survives_the_store_without_pickle(visits, items_of, vectors_of, tmp_path):
    vectors = vectors_of({"l1": [1.0], "s1": [3.0]})
    log, features = attach(visits(SEEN, SEARCHES), items_of(TITLES), vectors, OPTIONS, 0)
    for name, kind, artifact in (("f", ItemFeatures, features), ("s", Sequences, log)):
        (tmp_path / name).mkdir()
        save(artifact, tmp_path / name)
        loaded = load(kind, tmp_path / name)
        for field in fields(kind):
            wanted, found = getattr(artifact, field.name), getattr(loaded, field.name)
            if isinstance(wanted, np.ndarray):
                assert_array_equal(found, wanted)
    again = attach_known(log, load(ItemFeatures, tmp_path / "f"))
    assert again.query_vectors.tobytes() == log.query_vectors.tobytes()
    assert again.item_vectors.tobytes() == log.item_vectors.tobytes()


def test_empty_tables_survive_the_store(visits, tmp_path):
    save(visits(SEEN), tmp_path)
    assert load(Sequences, tmp_path).item_vectors.shape == (1, 0)


def test_files_options_and_seed_are_part_of_the_identity(visits, items_of, vectors_of):
    log, items = visits(SEEN), items_of(TITLES)
    one = attach(log, items, None, OPTIONS, 0)
    others = [
        attach(log, items, None, OPTIONS, 1),
        attach(log, replace(items, fingerprint="j" * 64), None, OPTIONS, 0),
        attach(log, items, vectors_of({"s1": [1.0], "l1": [2.0]}), OPTIONS, 0),
        attach(log, items, None, ItemFeatureOptions(text_dimensions=1), 0),
    ]
    assert attach(log, items, None, OPTIONS, 0)[0].fingerprint == one[0].fingerprint
    for at in (0, 1):
        assert len({made[at].fingerprint for made in [one, *others]}) == 5


def test_what_the_files_do_not_cover_is_told_with_its_share_of_the_events(
    visits, items_of, vectors_of
):
    log = visits(["s1", "s1", "s1", "s2", "l1", None])
    items, vectors = items_of({**TITLES, "l1": None}), vectors_of({"z": [1.0]})
    problems = learn(log, items, vectors, ItemFeatureOptions(text_rarest=1), 0).problems
    told = {problem.code: problem for problem in problems}
    assert set(told) == {"no_title", "no_vector"}
    assert told["no_title"].count == 1
    assert "1 of 3 items of the log (20% of the events with an item)" in told["no_title"].message
    assert "Are ids written alike" not in told["no_title"].message
    assert "3 of 3 items" in told["no_vector"].message
    assert "Are ids written alike" in told["no_vector"].message


def test_titles_and_vectors_that_tell_nothing_apart_are_said_to_be_of_no_use(
    visits, items_of, vectors_of
):
    log = visits(["a", "b"])
    same = vectors_of({"a": [1.0, 2.0], "b": [1.0, 2.0]})
    made, features = attach(log, items_of({"a": "oak", "b": "elm"}), same, OPTIONS, 0)
    assert made is log
    assert [problem.code for problem in features.problems] == ["no_title_words", "same_vectors"]


def test_a_vocabulary_of_another_log_is_noticed(visits, items_of):
    _, features = attach(visits(SEEN), items_of(TITLES), None, OPTIONS, 0)
    with pytest.raises(ValueError, match="vocabulary"):
        attach_known(visits(["s1"]), features)


def test_option_names_do_not_clash_with_those_of_the_stage_they_stand_in():
    mine = set(ItemFeatureOptions.__dataclass_fields__)
    assert not mine & set(SequenceOptions.__dataclass_fields__)
