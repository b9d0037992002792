from core.artifacts import FilePart
from core.events.problems import spell_lines

MONTHS = (FilePart(name="may.csv", lines_before=0), FilePart(name="june.csv", lines_before=31))


def test_lines_of_one_file_are_worded_as_a_person_would():
    one_part = MONTHS[:1]
    for parts in ((), one_part):
        assert spell_lines([3], 1, parts) == "line 3"
        assert spell_lines([3, 5], 2, parts) == "lines 3 and 5"
        assert spell_lines([3, 5, 9], 3, parts) == "lines 3, 5 and 9"
        assert spell_lines([3, 5, 9], 17, parts) == "lines 3, 5, 9 and 14 more"
        assert spell_lines(range(1, 40), 39, parts).endswith("19, 20 and 19 more")


def test_lines_of_several_files_are_those_of_their_own_file():
    assert spell_lines([12], 1, MONTHS) == "line 12 of may.csv"
    assert spell_lines([31, 32], 2, MONTHS) == "line 31 of may.csv and line 1 of june.csv"
    assert spell_lines([3, 5, 33], 3, MONTHS) == "lines 3 and 5 of may.csv and line 2 of june.csv"
    assert spell_lines([33], 15, MONTHS) == "line 2 of june.csv and 14 more"
