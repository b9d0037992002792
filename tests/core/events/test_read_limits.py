"""Files made to hurt: each is refused by name, soon, and in little memory."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.events.read import ReadOptions, read

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys, tempfile, time
from pathlib import Path
from core.errors import FileRefused
from core.events.read import ReadOptions, read
path = Path(sys.argv[1])
def megabytes():  # of this program alone: what getrusage says includes that of its parent
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) / 1024
with tempfile.TemporaryDirectory() as folder:
    before, begun = megabytes(), time.process_time()
    try:
        said = str(read(path, Path(folder), ReadOptions(), name=path.name).n_rows)
    except FileRefused as refused:
        said = str(refused)
    seconds = time.process_time() - begun
    left = len(list(Path(folder).iterdir()))
print(json.dumps([said, seconds, megabytes() - before, left]))
"""


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it"
)


def read_apart(path):
    """What is said, processor seconds, megabytes of memory it took, and files left behind."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def repeated(piece, times):
    for _ in range(times):
        yield piece


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(1 << 20), "NUL character"),
        (b"a,b\n" * (1 << 18), "more than 200 times its size, which is how a file looks"),
        (b"x" * (1 << 20), "more than 200 times its size"),
    ],
    ids=["zeros", "lines", "one line"],
)
def test_a_gzip_bomb_is_refused_within_a_second_and_100_megabytes(content, words, tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with path.open("wb") as stream:  # 2 GB in 2 MB
        stream.writelines(repeated(gzip.compress(content), 2000))
    assert path.stat().st_size < 10_000_000
    said, seconds, megabytes, left = read_apart(path)
    assert words in said
    assert (seconds < 1.0, megabytes < 100, left) == (True, True, 0)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("log.csv", "w", force_zip64=True) as stream,
    ):
        for piece in repeated(b"a,b\n" * (1 << 18), 200):
            stream.write(piece)
    said, seconds, megabytes, left = read_apart(path)
    assert "more than 200 times its size" in said
    assert (seconds < 0.5, megabytes < 50, left) == (True, True, 0)


def test_one_line_of_50_megabytes_is_refused_by_its_number(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as stream:
        stream.write(b"a,b\n1,2\n")
        stream.writelines(repeated(b"x" * (1 << 20), 50))
    said, seconds, megabytes, left = read_apart(path)
    assert "Line 3 is longer than 1,000,000 characters" in said
    assert (seconds < 1.0, megabytes < 100, left) == (True, True, 0)


def test_a_quote_never_closed_in_a_large_file_takes_little_memory(tmp_path):
    path = tmp_path / "open.csv"
    with path.open("wb") as stream:
        stream.write(b'a,b\n1,"2\n')
        stream.writelines(repeated(b"1,2\n" * (1 << 18), 50))
    said, seconds, megabytes, left = read_apart(path)
    assert "begins on line 2 is longer than 131,072 characters" in said
    assert (seconds < 3.0, megabytes < 400, left) == (True, True, 0)


def test_ten_thousand_columns_are_refused_and_can_be_allowed(tmp_path):
    path = tmp_path / "wide.csv"
    head = ",".join(f"c{i}" for i in range(10_000))
    path.write_text(head + "\n" + ",".join(["1"] * 10_000) + "\n")
    said, seconds, megabytes, left = read_apart(path)
    assert "The header names 10,000 columns; the limit is 500 (read.max_columns)" in said
    assert (seconds < 2.0, megabytes < 100, left) == (True, True, 0)
    raw = read(path, tmp_path, ReadOptions(max_columns=10_000), name="wide.csv")
    assert (len(raw.columns), raw.n_rows) == (10_000, 1)


def test_memory_stays_flat_however_long_the_file_is(tmp_path):
    grown = []
    for times in (30, 90):
        path = tmp_path / f"{times}.csv"
        with path.open("wb") as stream:
            stream.write(b"user,item,price\n")
            stream.writelines(repeated(b'u1,"a, b",9.50\n' * (1 << 16), times))
        said, _, megabytes, _ = read_apart(path)
        assert said == str(times << 16)
        grown.append(megabytes)
        path.unlink()
    assert grown[1] < grown[0] + 60 and grown[1] < 400


def test_ids_beyond_doubles_and_words_for_nothing_stay_as_they_are(tmp_path):
    path = tmp_path / "ids.csv"
    ids = ["9007199254740993", "", "9007199254740992", "NA", "null", "None", "007", "nan", "1e5"]
    path.write_text("user,n\n" + "".join(f"{user},1\n" for user in ids))
    raw = read(path, tmp_path, ReadOptions(), name="ids.csv")
    found = pq.read_table(raw.path)["user"].to_pylist()
    assert found == [user or None for user in ids]
