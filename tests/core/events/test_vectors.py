import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

import core.events.vectors as vectors
from core.errors import FileRefused
from core.events.vectors import read_vectors


def of_text(tmp_path, text):
    path = tmp_path / "vectors.csv"
    path.write_text(text, "utf-8")
    return read_vectors(path, name="vectors.csv")


def of_table(tmp_path, **columns):
    path = tmp_path / "vectors.parquet"
    pq.write_table(pa.table(columns), path)
    return read_vectors(path, name="vectors.parquet")


def refusals(read, *args, **kwargs):
    with pytest.raises(FileRefused) as refused:
        read(*args, **kwargs)
    return {problem.code: problem for problem in refused.value.problems}


TWO_ITEMS = np.array([[1, 2.5], [-30, 0.25]], dtype=np.float32)


def test_numbers_stand_in_columns_or_in_one_list_in_text_or_parquet(tmp_path):
    coded = pa.array(["007", "7"]).dictionary_encode()
    lists = pa.array(TWO_ITEMS.tolist(), pa.list_(pa.float64()))
    fixed = pa.array(TWO_ITEMS.tolist(), pa.list_(pa.float32(), 2))
    found = [
        of_text(tmp_path, "id,a,b\n007,1,2.5\n7, -3e1 ,.25\n"),
        of_text(tmp_path, "id;v\n007;[1, 2.5]\n7; [-30,0.25] \n"),
        of_table(tmp_path, id=["007", "7"], v=lists),
        of_table(tmp_path, id=["007", "7"], v=fixed),
        of_table(tmp_path, id=coded, a=[1, -30], b=[2.5, 0.25]),
    ]
    for read in found:
        assert read.item_ids.tolist() == ["007", "7"]
        assert read.item_ids.dtype == object and read.values.dtype == np.float32
        assert_array_equal(read.values, TWO_ITEMS)


def test_whole_number_ids_are_exact_and_a_gzip_is_read_too(tmp_path):
    big = 2**53 + 1
    assert of_table(tmp_path, id=[big], v=[1.0]).item_ids.tolist() == [str(big)]
    path = tmp_path / "vectors.csv.gz"
    path.write_bytes(gzip.compress(b"id,v\na,1\n"))
    assert read_vectors(path, name="vectors.csv.gz").values.tolist() == [[1.0]]


def test_many_batches_are_put_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "_CELLS_AT_ONCE", 6)
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    rows = "".join(f"i{i},{','.join(map(str, row))}\n" for i, row in enumerate(values.tolist()))
    read = of_text(tmp_path, "id,a,b,c\n" + rows)
    assert_array_equal(read.values, values)
    assert read.item_ids.tolist() == [f"i{i}" for i in range(50)]
    bad = refusals(of_text, tmp_path, "id,a,b,c\n" + rows + "x,1,?,1\n" + rows)
    assert bad["numbers"].lines == (52,)
    assert bad["repeated_id"].count == 50


def test_all_that_is_wrong_is_told_at_once_with_its_lines(tmp_path):
    text = "id,a,b\na,1,2\nb,x,2\nb,1e39,2\n,1,\nc,nan,y\n"
    found = refusals(of_text, tmp_path, text)
    assert {code: problem.lines for code, problem in found.items()} == {
        "numbers": (3, 4, 5, 6),
        "blank_id": (5,),
        "repeated_id": (4,),
    }
    assert "the first is 'x'" in found["numbers"].message
    assert "such as 'b'" in found["repeated_id"].message


def test_a_decimal_comma_is_not_taken_for_a_number(tmp_path):
    assert refusals(of_text, tmp_path, "id;a\na;0,5\nb;1_0\nc;0x1\n")["numbers"].lines == (2, 3, 4)


def test_lists_of_other_lengths_are_refused_with_their_lines_or_rows(tmp_path):
    found = refusals(of_text, tmp_path, "id;v\na;[1,2]\nb;[1]\nc;\nd;5\ne;[1,2,]\nf;[1,q]\n")
    assert found["width"].lines == (3, 4, 5, 6)
    assert found["numbers"].lines == (7,)
    found = refusals(of_table, tmp_path, id=["a", "b", "c"], v=[[1.0], [1.0, 2.0], [None]])
    assert found["width"].message.endswith("row 2.")
    assert "the first is blank: row 3" in found["numbers"].message
    assert "the first is ''" in refusals(of_text, tmp_path, "id;v\na;[]\n")["numbers"].message


def test_columns_of_other_kinds_are_named(tmp_path):
    assert "type double" in refusals(of_table, tmp_path, id=[1.5], v=[1.0])["ids"].message
    found = refusals(of_table, tmp_path, id=["a"], v=[1.0], w=["x"])
    assert "Column 'w' is of type string" in found["numbers"].message
    assert "no_numbers" in refusals(of_table, tmp_path, id=["a"])
    assert "no_numbers" in refusals(of_text, tmp_path, "id\na\n")


def test_too_wide_and_too_many_numbers_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "MOST_WIDTH", 2)
    found = refusals(of_text, tmp_path, "id,a,b,c\nx,1,2,3\n")["too_large"].message
    assert "1 item with 3 numbers each. Allowed are 2 numbers per item" in found
    monkeypatch.setattr(vectors, "MOST_WIDTH", 100)
    monkeypatch.setattr(vectors, "MOST_NUMBERS", 5)
    assert "too_large" in refusals(of_table, tmp_path, id=["a", "b"], v=[[1.0] * 3] * 2)


@pytest.mark.parametrize("kept", [4, 60, -3])
def test_a_damaged_parquet_file_is_refused(tmp_path, kept):
    of_table(tmp_path, id=["a", "b"], v=[1.0, 2.0])
    path = tmp_path / "vectors.parquet"
    path.write_bytes(path.read_bytes()[:kept])
    assert "damaged" in refusals(read_vectors, path, name="vectors.parquet")


def test_a_file_that_is_not_there_and_two_columns_of_one_name_are_refused(tmp_path):
    assert "no_file" in refusals(read_vectors, tmp_path / "no.csv", name="no.csv")
    path = tmp_path / "twins.parquet"
    table = pa.table([pa.array(["a"]), pa.array([1.0]), pa.array([2.0])], names=["id", "v", "v"])
    pq.write_table(table, path)
    assert "doubled_column" in refusals(read_vectors, path, name="twins.parquet")
