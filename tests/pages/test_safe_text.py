import pytest
from streamlit.testing.v1 import AppTest

from core.errors import FileRefused
from ui.safe_text import safe, show_error


def read_back(text):
    """What a reader of the markdown sees: backslashes undone, joiners invisible."""
    return text.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\").replace("\u2060", "")


@pytest.mark.parametrize(
    "text",
    ["![x](http://evil/x.png)", "[a](b)", "<img src=x>", "$x^2$", ":red[x]", "`a` **b** _c_ ~d~",
     "# head", "1. one", "a | b", "=SUM(A1)", "C:\\temp", "shoes & socks", "用户", "100 %"],
)  # fmt: skip
def test_safe_text_reads_as_it_came(text):
    assert read_back(safe(text)) == text


@pytest.mark.parametrize("sign", list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"))
def test_no_sign_of_markdown_stands_without_a_backslash(sign):
    assert safe(f"a{sign}b").startswith("a\\" + sign)


@pytest.mark.parametrize("text", ["http://x.y", "www.x.y", "a@b.co", ":heart:", "a -> b <-- c"])
def test_links_addresses_emoji_and_arrows_are_parted(text):
    assert "\u2060" in safe(text)


def test_lines_and_invisible_characters_become_spaces():
    assert safe("a\nb\tc\u202ed\u200be\x00 ") == "a b c d e"


def test_a_long_text_ends_in_an_ellipsis():
    assert safe("x" * 500, limit=10) == "x" * 9 + "…"


def test_an_error_of_the_analyst_is_drawn_with_its_lines_as_a_list():
    def page():
        from core.errors import FileRefused
        from ui.safe_text import show_error

        show_error(FileRefused("'a.csv' is broken.\n- line 3 <b>\n- line 4"))

    at = AppTest.from_function(page).run()
    assert at.error[0].value.split("\n\n")[1:] == ["- line 3 \\<b\\>", "- line 4"]


def test_a_bug_stays_a_bug():
    with pytest.raises(ZeroDivisionError):
        show_error(ZeroDivisionError())
    assert issubclass(FileRefused, Exception)
