"""Damaged files of every kind: the gate may refuse them, and nothing else may happen."""

import contextlib
import gzip
import io
import json
import os
import resource
import time
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.artifacts import ColumnMapping
from core.errors import AnalystError
from core.events.clean import CleanOptions, clean
from core.events.mapping import complete, guess, inspect_report, map_events
from core.events.read import ReadOptions, read

HURT_FILES = int(os.environ.get("HURT_FILES", "1500"))
"""How many files are hurt; before a release 5,000."""
BAD = Path(__file__).parents[3].parent / "shared" / "badcsv"
LOG = b"user,time,action,price\n" + b"".join(
    b'u%d,2025-01-%02d 12:00:00,"view, %d",%d.50\r\n' % (i % 7, i % 28 + 1, i, i) for i in range(60)
)
SECONDS, MEGABYTES = 5.0, 1000  # of processor time, of memory


def _zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", content)
    return out.getvalue()


def _parquet():
    out = io.BytesIO()
    table = pa.table({"user": ["a", "b", None] * 20, "n": range(60), "at": [0.5] * 60})
    pq.write_table(table, out)
    return out.getvalue()


SEEDS = [
    (path.name, path.read_bytes())
    for path in (sorted(BAD.glob("*.csv*")) if BAD.is_dir() else ())
    if path.stat().st_size < 5000
]
SEEDS += [
    ("log.csv", LOG),
    ("log.csv", LOG.decode().encode("utf-16")),
    ("log.csv.gz", gzip.compress(LOG)),
    ("log.zip", _zipped(LOG)),
    ("log.parquet", _parquet()),
]
SIGNS = st.one_of(
    st.sampled_from([b'"', b'""', b'\n"', b'",', b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"\\"]),
    st.sampled_from([b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe5\xb1", b"PK\x03\x04", b"\x1f\x8b"]),
    st.sampled_from([b"1e999", b"=1+1", b" " * 50, b"x" * 2000]),
)


@st.composite
def mutated(draw):
    """A file out of the seeds, hurt a few times in one of six ways."""
    name, content = draw(st.sampled_from(SEEDS))
    hurt = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(hurt)))
        kind = draw(st.sampled_from(["flip", "insert", "bytes", "delete", "splice", "truncate"]))
        if kind == "flip" and at < len(hurt):
            hurt[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "insert":
            hurt[at:at] = draw(SIGNS)
        elif kind == "bytes":
            hurt[at:at] = draw(st.binary(max_size=8))
        elif kind == "delete":
            del hurt[at : at + draw(st.integers(1, 40))]
        elif kind == "splice":
            other = draw(st.sampled_from(SEEDS))[1]
            begin = draw(st.integers(0, len(other)))
            hurt[at:at] = other[begin : begin + draw(st.integers(1, 200))]
        elif kind == "truncate" and draw(st.booleans()):
            del hurt[at:]
    ending = draw(st.sampled_from([None, None, None, "log.csv", "log.csv.gz", "log.zip"]))
    return ending or name, bytes(hurt)


SETTINGS = st.builds(
    ReadOptions,
    ragged=st.sampled_from(["refuse", "fill", "set_aside"]),
    escape=st.sampled_from(["none", "backslash"]),
    quotes=st.sampled_from(["strict", "after_spaces"]),
    header_line=st.sampled_from(["auto", "auto", "none", 1, 3]),
    encoding=st.sampled_from(["auto", "auto", "cp1252", "shift_jis", "gb18030", "utf-16-le"]),
)


def survives(file, options, folder, reached=None):
    """Read a hurt file, and look into what came of it; ``reached`` counts how far files came."""
    name, content = file
    reached = Counter() if reached is None else reached
    path = folder / "upload"
    path.write_bytes(content)
    begun = time.process_time()
    try:
        raw = read(path, folder, options, name=name)
        inspect_report(raw, guess(raw))
        reached["read"] += 1
        map_and_clean(raw, folder, reached)
    except AnalystError as refused:
        assert str(refused)
    else:
        assert pq.ParquetFile(raw.path).metadata.num_rows == raw.n_rows > 0
        json.dumps(list(raw.columns), ensure_ascii=False).encode("utf-8")
    assert time.process_time() - begun < SECONDS


def map_and_clean(raw, folder, reached):
    """Map by the guesses, else the first column as user and the last as time; then clean."""
    try:
        mapping = complete(raw, {})
    except AnalystError:
        mapping = ColumnMapping(user=raw.columns[0], time=raw.columns[-1])
    reached["tried to map"] += 1
    events = map_events(raw, mapping, folder)
    reached["mapped"] += 1
    assert events.n_events == raw.n_rows
    cleaned = clean(events, CleanOptions(), folder)
    reached["cleaned"] += 1
    rows = pq.ParquetFile(cleaned.path).metadata.num_rows
    assert 0 < rows == cleaned.report.events_after <= raw.n_rows


def quiet(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@quiet(300)
@given(file=mutated(), options=SETTINGS)
def test_a_hurt_file_is_read_or_refused(file, options, tmp_path):
    survives(file, options, tmp_path)


def forget_the_peak():
    """Other tests of the session had theirs; megabytes in use now. Linux only, else all counts."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


def peak():
    """The most megabytes the process held since `forget_the_peak`."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii").split()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status[status.index("VmHWM:") + 1]) / 1024


@pytest.mark.slow
def test_of_many_hurt_files_none_takes_long_or_much_memory(tmp_path):
    slowest, reached = 0.0, Counter()

    @quiet(HURT_FILES)
    @given(file=mutated(), options=SETTINGS)
    def hurt_files(file, options):
        nonlocal slowest
        begun = time.process_time()
        survives(file, options, tmp_path, reached)
        slowest = max(slowest, time.process_time() - begun)

    before = forget_the_peak()
    hurt_files()
    megabytes = peak() - before
    print(f"\n{HURT_FILES:,} files: slowest {slowest:.2f} s, {megabytes:.0f} MB more, {reached}")
    assert reached["cleaned"]
    assert megabytes < MEGABYTES


CELLS = st.one_of(
    st.sampled_from(["", " ", "NaN", "-inf", "1e999", "1,5", "-0", "$return_0", "a=b", "\u0661"]),
    st.sampled_from(["2025-02-30", "2025-01-01T25:00", "0000-00-00", "9999-12-31", "10:05", "-1"]),
    st.text(st.characters(exclude_characters='"\0\r\n', exclude_categories=["Cs"]), max_size=6),
)


def test_a_log_with_hurt_cells_is_cleaned_or_refused(tmp_path):
    reached = Counter()

    @quiet(60)
    @given(hurts=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3), CELLS), max_size=4))
    def hurt_cells(hurts):
        rows = [row.split(",") for row in LOG.decode().replace(", ", " ").splitlines()]
        for row, column, cell in hurts:
            rows[row][column] = f'"{cell}"'
        content = "\n".join(map(",".join, rows)).encode()
        survives(("log.csv", content), ReadOptions(), tmp_path, reached)

    hurt_cells()
    assert reached["read"] == 60 and reached["cleaned"] > 15, reached


@quiet(300)
@given(content=st.binary(max_size=300), kind=st.sampled_from(["log.csv.gz", "log.zip", "log.csv"]))
def test_random_bytes_in_any_wrapping_are_read_or_refused(content, kind, tmp_path):
    wrapped = {"log.csv.gz": gzip.compress, "log.zip": _zipped, "log.csv": bytes}[kind](content)
    survives((kind, wrapped), ReadOptions(), tmp_path)
    survives((kind, {".gz": b"\x1f\x8b", "zip": b"PK\x03\x04"}.get(kind[-3:], b"") + content),
             ReadOptions(), tmp_path)  # fmt: skip
