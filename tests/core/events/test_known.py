import pytest

from core.artifacts import ColumnMapping
from core.errors import FileRefused
from core.events.known import known_labels_in_log, read_known_labels, read_labels_file
from core.events.mapping import map_events
from core.events.read import ReadOptions, read


def events(tmp_path, rows, label="persona", **options):
    path = tmp_path / "log.csv"
    path.write_text("user,time,persona\n" + "".join(f"{row}\n" for row in rows), "utf-8")
    raw = read(path, tmp_path, ReadOptions(**options), name="log.csv")
    return map_events(raw, ColumnMapping(user="user", time="time", label=label), tmp_path)


def labels_file(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_label_on_any_row_is_the_label_of_the_user_and_varying_ones_are_left_out(tmp_path):
    known = known_labels_in_log(
        events(
            tmp_path,
            [
                "b,2024-01-01,new",
                "a,2024-01-01,",
                "a,2024-01-02,old",
                "c,2024-01-01,old",
                "c,2024-01-02,new",
                "b,2024-01-02,new",
                "d,2024-01-02,",
                ",2024-01-02,old",
            ],
        )
    )
    assert known is not None
    assert dict(zip(known.user_ids, known.values, strict=True)) == {"a": "old", "b": "new"}
    assert list(known.user_ids) == ["a", "b"] and known.user_ids.dtype == object
    assert (known.conflicting, known.n_conflicting) == (("c",), 1)


def test_a_log_without_a_label_column_has_no_known_labels(tmp_path):
    assert known_labels_in_log(events(tmp_path, ["a,2024-01-01,x"], label=None)) is None


def test_the_label_is_called_as_the_analyst_calls_it_and_blanks_throughout_are_no_labels(tmp_path):
    named = known_labels_in_log(events(tmp_path, ["a,2024-01-01,x"]), "persona")
    assert named is not None and named.name == "persona"
    assert known_labels_in_log(events(tmp_path, ["a,2024-01-01,", "b,2024-01-01,"])) is None


def test_only_the_first_twenty_conflicting_users_are_named_but_all_are_counted(tmp_path):
    rows = [f"u{i:02},2024-01-01,{kind}" for i in range(25) for kind in "xy"]
    known = known_labels_in_log(events(tmp_path, rows))
    assert known is not None
    assert (len(known.user_ids), len(known.conflicting), known.n_conflicting) == (0, 20, 25)


def test_a_label_file_is_read_by_position_and_named_by_its_header(tmp_path):
    known = read_known_labels(
        labels_file(tmp_path, "kunde;typ;note\n007;A;1\n7;B;2\n007;A;3\n8;;4\n9;A;5\n9;B;6\n")
    )
    assert known.name == "typ"
    assert dict(zip(known.user_ids, known.values, strict=True)) == {"007": "A", "7": "B"}
    assert known.conflicting == ("9",)


def test_a_label_file_that_cannot_be_read_without_guessing_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="one column, 'user'"):
        read_known_labels(labels_file(tmp_path, "user\na\nb\n"))
    with pytest.raises(FileRefused, match="line 3"):
        read_known_labels(labels_file(tmp_path, "user,label\na,x\nb,y,z\n"))


LOG = ["b,2024-01-02,", "a,2024-01-01,", "b,2024-01-03,", ",2024-01-03,", "c,2024-01-01,"]


def by_user(known):
    return dict(zip(known.user_ids, known.values, strict=True))


def test_labels_without_ids_are_matched_row_by_row(tmp_path):
    log = events(tmp_path, LOG, label=None)
    found = read_labels_file(labels_file(tmp_path, "typ\nX\nY\nX\nZ\nZ\n"), None, log)
    assert by_user(found.labels) == {"b": "X", "a": "Y", "c": "Z"}
    assert found.labels.name == "typ"
    assert "matched row by row, in the order of the file" in found.notes[0]


def test_labels_without_ids_are_matched_user_by_user_in_the_order_of_first_rows(tmp_path):
    log = events(tmp_path, LOG, label=None)
    found = read_labels_file(labels_file(tmp_path, "typ\nX\nY\nZ\n"), None, log)
    assert by_user(found.labels) == {"b": "X", "a": "Y", "c": "Z"}
    assert "matched user by user, in the order of their first rows" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("typ\nX\n\nZ\n", {"b": "X", "c": "Z"}),
        ("typ\n\nY\nZ\n", {"a": "Y", "c": "Z"}),
        ("typ\nX\nY\n\n", {"b": "X", "a": "Y"}),
        ("typ\nX\nY\nZ\n\n\n\n\n", {"b": "X", "a": "Y", "c": "Z"}),
    ],
)
def test_a_blank_line_is_a_missing_label_and_moves_no_other(text, found, tmp_path):
    log = events(tmp_path, ["b,2024-01-02,", "a,2024-01-01,", "c,2024-01-01,"], label=None)
    assert by_user(read_known_labels(labels_file(tmp_path, text), None, log)) == found


def test_labels_are_not_matched_by_line_where_rows_of_the_log_were_set_aside(tmp_path):
    """By user, b would be first in the file and second in what was read."""
    rows = ["b,2024-01-02", "a,2024-01-01,x", "b,2024-01-03,y"]
    log = events(tmp_path, rows, label=None, ragged="set_aside")
    with pytest.raises(FileRefused, match="rows of the log were set aside"):
        read_labels_file(labels_file(tmp_path, "typ\nX\nY\n"), None, log)
    by_id = read_labels_file(labels_file(tmp_path, "user,typ\na,X\nb,Y\n"), None, log)
    assert by_user(by_id.labels) == {"a": "X", "b": "Y"}


def test_labels_are_not_matched_by_line_where_rows_of_them_were_set_aside(tmp_path):
    log = events(tmp_path, ["b,2024-01-02,", "a,2024-01-01,"], label=None)
    with pytest.raises(FileRefused, match=r"rows of 'labels\.csv' were set aside"):
        read_labels_file(
            labels_file(tmp_path, "typ\nX\nY,Z\nZ\n"), None, log, ReadOptions(ragged="set_aside")
        )


def test_blank_rows_of_the_log_and_of_the_labels_at_other_places_are_not_taken_for_each_other(
    tmp_path,
):
    rows = ["a,2024-01-01,", ",,", "b,2024-01-02,", "c,2024-01-03,"]
    log = events(tmp_path, rows, label=None)
    with pytest.raises(FileRefused, match="both have blank rows"):
        read_labels_file(labels_file(tmp_path, "typ\nX\n?\nY\n\n"), None, log)
    whole = read_labels_file(labels_file(tmp_path, "typ\nX\nY\nZ\n"), None, log)
    assert by_user(whole.labels) == {"a": "X", "b": "Y", "c": "Z"}


def test_as_many_labels_as_neither_rows_nor_users_are_refused_with_the_three_numbers(tmp_path):
    log = events(tmp_path, LOG, label=None)
    with pytest.raises(FileRefused) as caught:
        read_known_labels(labels_file(tmp_path, "typ\nX\nY\nX\nZ\n"), None, log)
    said = str(caught.value)
    assert "4 rows" in said and "the log has rows, 5," in said and "it has users, 3." in said


def test_users_that_only_one_of_both_has_are_counted(tmp_path):
    log = events(tmp_path, LOG, label=None)
    text = "user,typ\na,X\nz,Y\nq,Y\nb,\n"
    found = read_labels_file(labels_file(tmp_path, text), None, log)
    assert found.notes == (
        "2 users of the label file are not in the log.",
        "2 users of the log are without a label.",
    )
