import pytest

from core.item_features.words import MOST_LETTERS, words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Men's 2.5L Water-Bottle, BLUE!", ["men", "2.5", "l", "water", "bottle", "blue"]),
        ("红色连衣裙", ["红色", "色连", "连衣", "衣裙"]),
        ("iPhone15 手机壳 新", ["iphone15", "手机", "机壳", "新"]),
        ("Nike耐克2024款", ["nike", "耐克", "2024", "款"]),
        ("ＮＩＫＥ　ａｉｒ", ["nike", "air"]),
        ("Straße Café ÉTÉ", ["strasse", "café", "été"]),
        ("ワンピース", ["ワン", "ンピ", "ピー", "ース"]),
        ("__ -- 🎉 ''", []),
        ("", []),
    ],
)
def test_words_are_lower_case_with_numbers_and_pairs_where_no_spaces_part_them(text, words):
    assert words_in(text) == words


def test_a_novel_in_a_cell_is_read_to_a_limit():
    assert len(words_in("a " * 100_000)) == MOST_LETTERS / 2
