import json
from dataclasses import replace

import pytest

from core.artifacts import ColumnMapping
from core.errors import MappingRefused, OptionRefused
from core.events.map_options import MapOptions
from core.events.read import ReadOptions, read
from core.events.saved import mapping_from_file, recall, remember, shape_of

MAPPING = ColumnMapping(user="buyer", time="at")
OPTIONS = MapOptions(date_order="day_first", action_names=("0=view",))


def log(tmp_path, header):
    path = tmp_path / "log.csv"
    path.write_text(f"{header}\n" + ",".join("x" for _ in header.split(",")) + "\n", "utf-8")
    return read(path, tmp_path, ReadOptions(), name="log.csv")


def test_a_shape_is_the_set_of_names_in_any_order():
    assert shape_of(["a", "b"]) == shape_of(["b", "a"])
    assert (
        len({shape_of(["a", "b"]), shape_of(["a,b"]), shape_of(["a"]), shape_of(["A", "b"])}) == 4
    )


def test_a_mapping_is_found_again_for_a_file_of_the_same_shape(tmp_path):
    kept = tmp_path / "mappings"
    remember(kept, log(tmp_path, "buyer,at,what"), MAPPING, OPTIONS)
    recalled = recall(kept, log(tmp_path, "what,buyer,at"))
    assert recalled == (MAPPING, replace(OPTIONS, year="auto"))  # the next file is of its own year
    assert recall(kept, log(tmp_path, "what,buyer,at,more")) is None
    remember(kept, log(tmp_path, "buyer,at,what"), MAPPING)
    assert recall(kept, log(tmp_path, "buyer,at,what")) == (MAPPING, MapOptions())
    assert len(list(kept.iterdir())) == 1


def test_the_year_of_one_file_is_not_taken_for_that_of_the_next(tmp_path):
    remember(tmp_path / "kept", log(tmp_path, "buyer,at"), MAPPING, replace(OPTIONS, year=2014))
    assert recall(tmp_path / "kept", log(tmp_path, "buyer,at")) == (MAPPING, OPTIONS)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"columns": {"user": "buyer", "time": "gone"}}',
        b'{"columns": {"who": "buyer"}}',
        b'{"columns": {"user": 3}}',
        b'{"columns": {"user": "buyer"}, "options": {"zone": 1}}',
        b'{"columns": {"user": "buyer"}, "options": {"time_zone": "Mars"}}',
        b"\x00\xff",
    ],
)
def test_a_damaged_file_is_as_good_as_none(damaged, tmp_path):
    raw = log(tmp_path, "buyer,at")
    remember(tmp_path / "kept", raw, MAPPING, OPTIONS)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(damaged)
    assert recall(tmp_path / "kept", raw) is None


def test_a_mapping_file_is_that_of_a_run_or_a_plain_one(tmp_path):
    file = tmp_path / "m.json"
    columns = MAPPING.columns()
    file.write_text(json.dumps({"columns": columns, "options": OPTIONS.to_dict()}), "utf-8")
    assert mapping_from_file(file) == (MAPPING, OPTIONS)
    file.write_text(json.dumps({"columns": columns}), "utf-8")
    assert mapping_from_file(file) == (MAPPING, MapOptions())
    run = {
        "source": {"name": "log.csv", "mapping": {**columns, "label": None}},
        "options": {"map": OPTIONS.to_dict(), "clean": {}},
    }
    file.write_text(json.dumps(run), "utf-8")
    assert mapping_from_file(file) == (MAPPING, replace(OPTIONS, year="auto"))  # of one log only


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (None, MappingRefused, "There is no mapping file"),
        ("{", MappingRefused, "is not valid JSON"),
        ("[1]", MappingRefused, "must hold an object"),
        ("{}", MappingRefused, "names no columns"),
        ('{"columns": ["user"]}', MappingRefused, "'columns' must hold an object"),
        ('{"columns": {"usr": "a"}}', MappingRefused, "the role 'usr'.*Did you mean 'user'"),
        ('{"columns": {"user": 3}}', MappingRefused, "gives 3 as the column for user"),
        ('{"source": {"mapping": null}}', MappingRefused, "names no columns"),
        (
            '{"columns": {"user": "a"}, "options": {"yaer": 1}}',
            OptionRefused,
            "map.yaer'.*Did you mean 'year'",
        ),
        (
            '{"columns": {"user": "a"}, "options": {"time_zone": "Europe/Londn"}}',
            OptionRefused,
            "Did you mean 'Europe/London'",
        ),
    ],
)
def test_a_file_that_holds_no_mapping_says_what_is_wrong(text, error, words, tmp_path):
    file = tmp_path / "m.json"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(error, match=words):
        mapping_from_file(file)
