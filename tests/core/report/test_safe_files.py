"""A large CSV made safe by the engine reads as the same rules written in Python would have it."""

import csv

from core.report.safe_files import make_safe
from core.report.tables import formula_safe
from tests.naughty import NEEDS_NAUGHTY, as_cells

TRICKY = [
    "", "plain", "-12.5", "-", "+1", "=1+1", " =1+1", "\t=1", "\n=1", "a\n=1", "x;y", 'say "hi"',
    "007", "@SUM(A1)", "\uff1d1", "\u200b=1", "\xa0=1", "\x85=1", "a\x07b", "\x07=1", "'=1",
    "1e400",
]  # fmt: skip


def through(tmp_path, cells, header=("a", "b")):
    """The rows of a safe copy of a CSV that holds every cell twice."""
    source, target = tmp_path / "exact.csv", tmp_path / "safe.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([header, *([cell, cell] for cell in cells)])
    assert make_safe(source, target) == len(cells)
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_every_cell_is_what_the_rule_for_formulas_makes_of_it(tmp_path):
    rows = through(tmp_path, TRICKY)[1:]
    assert rows == [[formula_safe(cell)] * 2 for cell in TRICKY]


@NEEDS_NAUGHTY
def test_naughty_strings_are_what_the_rule_for_formulas_makes_of_them(tmp_path):
    cells = [cell for cell in as_cells() if "\0" not in cell]
    rows = through(tmp_path, cells)[1:]
    assert rows == [[formula_safe(cell)] * 2 for cell in cells]


def test_no_sign_in_front_hides_a_formula(tmp_path):
    fronts = [*range(1, 0x300), *range(0x1680, 0x1690), *range(0x2000, 0x2070), 0x3000, 0xFEFF]
    cells = [f"{chr(front)}=1" for front in fronts]
    rows = through(tmp_path, cells)[1:]
    assert rows == [[formula_safe(cell)] * 2 for cell in cells]


def test_names_of_columns_are_made_safe_and_nothing_is_left_beside_the_copy(tmp_path):
    assert through(tmp_path, ["x"], header=("=cmd", "b;c"))[0] == ["'=cmd", "b;c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exact.csv", "safe.csv"]


def test_a_list_without_a_row_keeps_its_header(tmp_path):
    assert through(tmp_path, []) == [["a", "b"]]
