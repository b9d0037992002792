from core.sequences import SequenceOptions, build, with_new_words
from tests.worlds import vocabulary_of


def test_new_items_and_texts_follow_the_known_ones_and_nothing_else_changes(cleaned):
    known = vocabulary_of(
        actions=("buy",), categories=("x",), items=("i", "j"), platforms=(), queries=("red lamp",)
    )
    log = cleaned(
        {"time": 1, "action": "wink", "category": "new", "item": "j", "query": "Red  Lamp"},
        {"time": 2, "action": "buy", "category": "x", "item": "k", "query": "sofa"},
        {"time": 3, "action": "buy", "category": "x", "item": "l", "query": "desk"},
        {"time": 4, "action": "buy", "category": "x", "item": "l", "query": "desk"},
    )
    wider = with_new_words(log, SequenceOptions(), known)
    assert wider == vocabulary_of(
        actions=("buy",),
        categories=("x",),
        items=("i", "j", "l", "k"),
        platforms=(),
        queries=("red lamp", "desk", "sofa"),
    )
    before = build(log, SequenceOptions(), known)
    after = build(log, SequenceOptions(), wider)
    assert before.item.tolist() == [2, 0, 0, 0]
    assert after.item.tolist() == [2, 4, 3, 3]
    assert before.query.tolist() == [1, 0, 0, 0]
    assert after.query.tolist() == [1, 3, 2, 2]
    assert after.category.tolist() == before.category.tolist()
