import pytest

from core.errors import NotFound
from core.events.inputs import find_logs


@pytest.fixture
def logs(tmp_path, monkeypatch):
    for name in ("b.csv", "a.CSV", "c.csv.gz", "d.parquet", "e.zip", "notes.md", ".hidden.csv"):
        (tmp_path / name).touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "f.tsv").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def test_a_folder_means_its_logs_sorted_without_hidden_files(logs):
    assert names(find_logs([logs])) == ["a.CSV", "b.csv", "c.csv.gz", "d.parquet", "e.zip"]


def test_patterns_and_files_keep_the_order_given_and_come_once(logs):
    assert names(find_logs(["d.parquet", "*.csv", "./b.csv", "**/*.tsv"])) == [
        "d.parquet",
        "b.csv",
        "f.tsv",
    ]


def test_a_file_that_is_named_itself_is_taken_whatever_its_name(logs):
    odd = logs / "log[1].dat"
    odd.touch()
    assert find_logs([str(odd)]) == [odd]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("gone.csv", "There is no file or folder 'gone.csv'"),
        ("x*.csv", "Nothing fits the pattern 'x*.csv'. Looked for files that end with .csv"),
        ("deep", "The folder 'deep' holds no log. Looked for files that end with .csv"),
    ],
)
def test_nothing_found_says_what_was_looked_for(logs, given, words):
    with pytest.raises(NotFound) as refused:
        find_logs(["b.csv", given])
    assert words in str(refused.value)


def test_no_input_at_all_is_refused():
    with pytest.raises(NotFound, match="No log was given"):
        find_logs([])
