"""Tables as CSV: exact ones for programs, safe ones for people and spreadsheets.

For programs (`write_assignments`, `recommendations_csv`) ids and names stay exactly as they came.
For people every text goes through `formula_safe`, every text is quoted (so that a semicolon in
it cannot begin a new cell where a spreadsheet splits by semicolons), and the file begins with a
byte order mark, without which Excel takes it for 8-bit text.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from core.artifacts import NOISE, Labels, Lift, Recommendation, Recommendations, Segment, Segments
from core.charts.small_cells import count_text, published, published_text

_ROWS_PER_CHUNK = 100_000
_BYTE_ORDER_MARK = "\ufeff"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FORMULA = re.compile(
    r"[\t\r\n]|[\s\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def formula_safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes before one that could be.

    Formulas begin with = + - @ (or their full-width forms), perhaps after blanks or invisible
    signs, or follow a tab or line break. A plain number such as "-12.5" stays as it is. Control
    characters and half characters are removed.
    """
    clean = _UNWRITABLE.sub("", text)
    if _FORMULA.match(clean) and not _NUMBER.fullmatch(clean):
        return f"'{clean}"
    return clean


def write_assignments(path: Path, labels: Labels) -> None:
    """Write ``user_id,segment,confidence`` for programs, -1 for noise; in the order of users."""
    with path.open("w", encoding="utf-8", newline="") as file:
        _write(file, ("user_id", "segment", "confidence"), _assignments(labels))


def recommendations_csv(found: Recommendations, segments: Segments) -> str:
    """Recommended items for programs, names exactly as they came."""
    names = {segment.id: segment.name for segment in segments.segments}
    text = io.StringIO()
    _write(text, _RECOMMENDED, (_recommended(item, names) for item in found.items))
    return text.getvalue()


def users_per_segment_csv(labels: Labels, segments: Segments) -> str:
    """Who is in which segment, segment by segment, noise last, for spreadsheets and CRM.

    Holds the real user ids: a list to work with, not to pass on.
    """
    names = {segment.id: formula_safe(segment.name) for segment in segments.segments}
    last = np.where(labels.values == NOISE, labels.n_clusters, labels.values)
    order = np.argsort(last, kind="stable")
    numbers = labels.values[order].tolist()
    rows = zip(
        map(formula_safe, map(str, labels.user_ids[order].tolist())),
        numbers,
        (names.get(number, "") for number in numbers),
        np.round(labels.confidence[order].astype(np.float64), 4).tolist(),
        strict=True,
    )
    return _quoted_csv(("user_id", "segment", "segment_name", "confidence"), rows)


def segment_table_csv(segments: Segments, min_cell: int) -> str:
    """A row per segment: size, shares, figures, what sets it apart, what it meets more often.

    Of a segment with fewer than ``min_cell`` users only the name is told.
    """
    found = segments.segments
    figures = list(found[0].summary) if found else []
    sizes = published([segment.size for segment in found], min_cell)
    total = sum(segment.size for segment in found)
    header = ("segment", "name", "users", "share_of_users", "share_of_events", "share_of_value")
    rows = (
        (segment.id, segment.name, *_described(segment, size, total, figures))
        if size is not None
        else (segment.id, segment.name, published_text(size, min_cell))
        for segment, size in zip(found, sizes, strict=True)
    )
    lists = ("sets_it_apart", "categories", "items")
    return _safe_csv((*header, *figures, *lists), rows)


def recommendations_table_csv(found: Recommendations, segments: Segments, min_cell: int) -> str:
    """Recommended items for spreadsheets; what tells of few people is left blank or "<5"."""
    names = {segment.id: segment.name for segment in segments.segments}
    sizes = {segment.id: segment.size for segment in segments.segments}
    all_told = None not in published(list(sizes.values()), min_cell)
    rows = []
    for item in found.items:
        *head, users, lift, owned, reason = _recommended(item, names)
        owners = round(item.owned_share * sizes.get(item.segment, 0))
        few = 0 < item.segment_users < min_cell or 0 < owners < min_cell
        shown = users if users >= min_cell or users == 0 else count_text(users, min_cell)
        told = (None, None) if few else (owned, reason if all_told else None)
        rows.append((*head, shown, lift, *told))
    return _safe_csv(_RECOMMENDED, rows)


def frame_csv(frame: pd.DataFrame) -> str:
    """Any table for spreadsheets, without its index."""
    columns = [frame[name].astype(object).tolist() for name in frame.columns]
    return _safe_csv(tuple(map(str, frame.columns)), zip(*columns, strict=True))


_RECOMMENDED = (
    "segment",
    "segment_name",
    "rank",
    "item",
    "category",
    "score",
    "segment_users",
    "lift",
    "owned_share",
    "reason",
)


def _assignments(labels: Labels) -> Iterator[tuple[str, int, str]]:
    ids, values, confidence = labels.user_ids, labels.values, labels.confidence
    for start in range(0, len(ids), _ROWS_PER_CHUNK):
        part = slice(start, start + _ROWS_PER_CHUNK)
        shown = [f"{share:.4f}" for share in confidence[part].tolist()]
        yield from zip(ids[part].tolist(), values[part].tolist(), shown, strict=True)


def _recommended(item: Recommendation, names: dict[int, str]) -> tuple[Any, ...]:
    return (
        item.segment,
        names.get(item.segment, ""),
        item.rank,
        item.item,
        item.category,
        _rounded(item.score),
        item.segment_users,
        _rounded(item.lift),
        _rounded(item.owned_share),
        item.reason,
    )


def _described(segment: Segment, size: int, total: int, figures: list[str]) -> tuple[Any, ...]:
    value_share = None if segment.value_share is None else round(segment.value_share, 2)
    return (
        size,
        round(size / max(total, 1), 2),
        round(segment.event_share, 2),
        value_share,
        *(_rounded(segment.summary.get(name)) for name in figures),
        "; ".join(fact.text for fact in segment.facts),
        _listed(segment.categories),
        _listed(segment.items),
    )


def _listed(lifts: Sequence[Lift]) -> str:
    return "; ".join(f"{lift.name} ({lift.lift:.1f} ×)" for lift in lifts[:5])


def _rounded(value: float | None) -> float | None:
    """Six significant digits: enough for any use, the same on every machine."""
    return None if value is None else float(f"{value:.6g}")


def _safe_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows of any cells; short rows are filled up with blanks."""
    width = len(header)
    safe = ([*map(_safe_cell, row), *([""] * (width - len(row)))] for row in rows)
    return _quoted_csv([formula_safe(name) for name in header], safe)


def _quoted_csv(header: Sequence[str], rows: Iterable[Sequence[str | int | float]]) -> str:
    """Rows whose texts are safe already."""
    text = io.StringIO()
    text.write(_BYTE_ORDER_MARK)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _safe_cell(cell: Any) -> str | int | float:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    return formula_safe(str(cell))


def _write(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
