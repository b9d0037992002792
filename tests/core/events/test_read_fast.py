"""The quick way must say what the strict reader says: same table, lines, problems, refusals."""

import random

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import FileRefused
from core.events.gate import blocks, fast, scan, sources, strict
from core.events.read import ReadOptions, read

CELLS = st.one_of(
    st.sampled_from(["", "1", "a", "x y", " ", "007", "é", "山田", "🛒", "\u3000", "\x85", "\x1f"]),
    st.sampled_from(['""', '"a"', '"a,b"', '"say ""hi"""', '"\n"', '"x\r\ny"', '" "', '""""']),
    st.sampled_from(['3.5"', 'a"b', '"a"b', ' "a"', '"', '" "" "', "\\", '\\"', "a\rb", "\ufeff"]),
    st.text(st.sampled_from('ab ",\n\r\\é\u2028'), max_size=4),
)
PLAIN = st.sampled_from(["", "1", "a", "x y", " ", "007", "é", "山田", "🛒", '"a"', '""', '"a,b"'])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\n\r\n"])


@st.composite
def files(draw):
    """Mostly sound rows with a few that are not, so that both ways are taken in one file."""
    width = draw(st.integers(1, 4))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    rng = random.Random(draw(st.integers(0, 2**32)))
    odd = draw(st.lists(st.tuples(st.lists(CELLS, min_size=1, max_size=5), ENDS), max_size=6))
    sound = draw(st.lists(PLAIN, min_size=1, max_size=8))
    rows = [[rng.choice(sound) for _ in range(width)] for _ in range(draw(st.integers(0, 40)))]
    lines = [",".join(row) + end for row in rows]
    for cells, its_end in odd:
        lines.insert(rng.randrange(len(lines) + 1), ",".join(cells) + its_end)
    head = ",".join("abcd"[:width]) + end
    return head + "".join(lines)[: -len(end) if draw(st.booleans()) else None]


def outcome(content, folder, options):
    """All that can be told of a reading."""
    path = folder / "log.csv"
    path.write_bytes(content)
    try:
        raw = read(path, folder, options, name="log.csv")
    except FileRefused as refused:
        return str(refused), refused.problems
    aside = pq.read_table(raw.set_aside).to_pydict()
    return pq.read_table(raw.path).to_pydict(), raw.problems, raw.n_rows, raw.columns, aside


def both_ways(content, folder, options, block):
    """The outcome with the strict reader alone on the whole text, and with both on small blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast.FastCut, "columns", lambda *_: None)
        alone = outcome(content, folder, options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        patch.setattr(sources, "PIECE", max(4, block // 2))
        patch.setattr(strict, "ROWS", 3)
        patch.setattr(scan, "SMALL", 12)
        return alone, outcome(content, folder, options)


QUIET = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUIET
@given(
    text=files(),
    block=st.integers(1, 200),
    ragged=st.sampled_from(["refuse", "fill", "set_aside"]),
    escape=st.sampled_from(["none", "none", "backslash"]),
    quotes=st.sampled_from(["strict", "strict", "after_spaces"]),
)
def test_small_blocks_and_the_quick_way_change_nothing(
    text, block, ragged, escape, quotes, tmp_path
):
    options = ReadOptions(delimiter="comma", ragged=ragged, escape=escape, quotes=quotes)
    alone, both = both_ways(text.encode(), tmp_path, options, block)
    assert both == alone


@QUIET
@given(content=st.binary(max_size=60), rows=st.integers(0, 30), block=st.integers(1, 40))
def test_bytes_that_are_no_text_are_told_alike_on_both_ways(content, rows, block, tmp_path):
    log = b"a,b\n" + b"1,2\n" * rows + content + b"\n3,\xc3\xa9\n" * rows
    alone, both = both_ways(log, tmp_path, ReadOptions(delimiter="comma"), block)
    assert both == alone


@QUIET
@given(
    text=files(),
    codec=st.sampled_from(["utf-16", "utf-16-le", "gb18030"]),
    block=st.integers(1, 40),
)
def test_other_encodings_go_the_same_way(text, codec, block, tmp_path):
    encoding = "auto" if codec == "utf-16" else codec
    options = ReadOptions(delimiter="comma", encoding=encoding)
    alone, both = both_ways(text.encode(codec), tmp_path, options, block)
    assert both == alone
    if not isinstance(alone[0], str):
        plain = outcome(text.encode(), tmp_path, ReadOptions(delimiter="comma"))
        assert plain[0] == alone[0]


@pytest.mark.parametrize(
    "row",
    [
        b"u1,plain,9.50\n",
        b'u1,"red, blue",9.50\r\n',
        b'u2,"say ""hi""",\r\n',
        'u3,山田 3.5" disk,\n'.encode(),
    ],
)
def test_sound_rows_take_the_quick_way_with_quotes_and_without(row, tmp_path, monkeypatch):
    ways = []
    quick = fast.FastCut.columns

    def noted(cut, block):
        columns = quick(cut, block)
        ways.extend(["strict" if columns is None else "quick"] if block.data else [])
        return columns

    monkeypatch.setattr(blocks, "BLOCK", 1000)
    monkeypatch.setattr(sources, "PIECE", 1000)
    monkeypatch.setattr(fast.FastCut, "columns", noted)
    found = outcome(b"user,title,price\r\n" + row * 1000, tmp_path, ReadOptions())
    assert found[0]["__line__"] == list(range(2, 1002))
    assert len(ways) > 12 and set(ways) == {"quick"}
