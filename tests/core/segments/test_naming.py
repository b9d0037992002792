import pytest

from core.artifacts import Segment, Segments
from core.errors import OptionRefused
from core.segments.facts import Finding
from core.segments.naming import names, rename
from core.segments.scalars import SCALARS, Feature


def scalar(name, effect, inside=1.0):
    return Finding(feature=SCALARS[name], inside=inside, outside=1.0, effect=effect)


def word(kind, *words, effect=1.0, inside=0.5):
    feature = Feature(kind=kind, name="", words=words, scale="share")
    return Finding(feature=feature, inside=inside, outside=0.1, effect=effect)


def named(*found):
    """Names of segments with these findings, and of a last one with none."""
    return names(range(len(found) + 1), [*found, []])[:-1]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ([word("action", "view"), scalar("night", 1.0)], "Night browsers"),
        ([word("action", "购买")], "Buyers"),
        ([word("action", "purchase"), word("category", "shoes")], "Buyers of shoes"),
        (
            [word("transition", "search", "purchase"), scalar("gap", -1.0)],
            "Quick search-first buyers",
        ),
        ([word("transition", "purchase", "purchase")], "Repeat buyers"),
        ([scalar("gap", 1.0)], "Unhurried shoppers"),
        ([scalar("night", 1.0), scalar("gap", -0.9)], "Quick night shoppers"),
        ([scalar("price", 2.0), scalar("night", 1.5), word("action", "view")], "Upmarket browsers"),
        ([scalar("recency", 1.0)], "Lapsed shoppers"),
        ([word("action", "purchase", effect=-1.0)], "Window shoppers"),
        ([word("action", "share_video")], "Share_video users"),
        ([word("transition", "foo", "bar")], "Foo-first bar users"),
        ([word("category", "shoes")], "Shoppers of shoes"),
        ([word("category", "shoes", inside=0.1)], "Average shoppers"),
        ([word("category", "shoes", effect=-1.0)], "Average shoppers"),
        ([], "Average shoppers"),
    ],
)
def test_a_name_is_put_together_from_the_strongest_facts(found, name):
    assert named(found)[0] == name


def test_two_parts_make_a_name_and_the_third_is_left_out():
    found = [word("action", "view"), scalar("night", 0.9), word("category", "shoes")]
    assert named(found) == ("Night browsers",)


def test_segments_that_would_be_called_alike_each_take_their_next_fact():
    first = [word("action", "view"), scalar("night", 0.9), word("category", "shoes")]
    second = [word("action", "view"), scalar("night", 0.9), scalar("price", 0.8)]
    assert named(first, second) == ("Night browsers of shoes", "Upmarket night browsers")


def test_a_number_stands_only_where_nothing_is_left_to_tell_apart():
    same = [word("action", "view")]
    assert named(same, same) == ("Browsers", "Browsers (2)")


def test_noise_and_a_lone_segment_have_names_of_their_own():
    assert names([0, -1], [[word("action", "view")], []]) == ("Browsers", "No segment")
    assert names([0], [[]]) == ("Everyone",)
    assert names([-1], [[]]) == ("No segment",)


def test_a_long_word_of_the_data_is_cut_in_the_name():
    (name,) = named([word("category", "x" * 500 + "\n\n")])
    assert len(name) < 60 and name.endswith("…")


def segment(number, name):
    return Segment(
        id=number,
        name=name,
        size=1,
        share=0.5,
        event_share=0.5,
        value_share=None,
        summary={},
        facts=(),
        categories=(),
        items=(),
        transitions=(),
        stories=(),
    )


SEGMENTS = Segments(
    segments=(segment(0, "Buyers"), segment(1, "Browsers")), actions=(), fingerprint="f"
)


def test_the_analyst_gives_names_and_the_rest_stays():
    renamed = rename(SEGMENTS, {1: "  常客   of\tthe shop "})
    assert [s.name for s in renamed.segments] == ["Buyers", "常客 of the shop"]
    assert renamed.fingerprint != SEGMENTS.fingerprint
    assert [s.name for s in SEGMENTS.segments] == ["Buyers", "Browsers"]


def test_two_segments_can_swap_their_names():
    renamed = rename(SEGMENTS, {0: "Browsers", 1: "Buyers"})
    assert [s.name for s in renamed.segments] == ["Browsers", "Buyers"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({7: "x"}, "There is no segment 7. There are: 0, 1."),
        ({0: "   "}, "The name of segment 0 is empty"),
        ({0: "\u200b"}, "The name of segment 0 is empty"),
        ({0: "x" * 81}, "has 81 characters. At most 80"),
        ({0: "a\x07b"}, "control character"),
        ({0: "browsers"}, "Segments 0 and 1 would both be called 'Browsers'"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(given, complaint):
    with pytest.raises(OptionRefused) as refused:
        rename(SEGMENTS, given)
    assert complaint in str(refused.value)
