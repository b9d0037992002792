"""What a problem offers to decide is read from its text, whichever option it names."""

from ui.remedies import concerned, plain, suggested


def told(stage, *messages):
    return [(remedy.label, remedy.option, remedy.value) for remedy in suggested(stage, *messages)]


def test_a_guess_at_the_encoding_becomes_a_button_that_says_it_is_one():
    message = (
        "The encoding is not utf-8: line 2 holds the byte E9, which is no text there. It may be "
        "written in cp1252 (a guess). Export the file as UTF-8, or name its encoding "
        "(read.encoding)."
    )
    assert told("read", message) == [("Read it as cp1252 (a guess)", "encoding", "cp1252")]
    assert concerned("read", message) == ("encoding",)
    assert plain(message).endswith("or name its encoding.")


def test_values_that_a_message_lists_become_buttons_each_once():
    message = (
        "Two separators cut every row into the same number of cells. Name the right one "
        "(read.delimiter): comma, tab."
    )
    assert told("read", message, message) == [
        ("Separator: comma", "delimiter", "comma"),
        ("Separator: tab", "delimiter", "tab"),
    ]


def test_a_value_behind_the_name_of_an_option_is_of_its_type():
    found = told("clean", "Loosen it with clean.min_events=1, or not with clean.min_events=zero.")
    assert found == [("Fewest events per user: 1", "min_events", 1)]
    assert type(found[0][2]) is int


def test_a_choice_that_is_only_mentioned_elsewhere_is_no_offer():
    assert told("map", "Some cells drop the point. Set map.decimal as you like.") == []
    assert [option for _, option, _ in told("map", "Set map.decimal to point or comma.")] == [
        "decimal",
        "decimal",
    ]


def test_names_of_other_stages_and_of_no_option_are_left_alone():
    message = "See map.decimal=comma and read.everything=yes and www.read.com."
    assert told("read", message) == []
    assert concerned("read", message) == ()
    assert plain(message) == ("See “Decimal mark”: comma and read.everything=yes and www.read.com.")


def test_a_data_string_can_offer_only_what_the_options_allow():
    hostile = "Column 'read.encoding=<script>' and 'read.encoding=../x' and read.max_columns=-1."
    assert told("read", hostile) == []
