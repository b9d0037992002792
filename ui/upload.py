"""The upload box: sends files of any size to the server's disk and says where they stand.

`st.file_uploader` would hold every byte in the server's memory, long after the page was left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from core.jobs import Upload
from ui import session, upload_route

LOGS = ".csv,.tsv,.txt,.gz,.zip,.parquet,text/csv"
"""What the file dialog offers for a log."""
KINDS_IN_WORDS = "CSV or TSV, plain, .gz or .zip, or Parquet"
_ASSETS = Path(__file__).resolve().parent / "assets"
_ID = re.compile(r"[0-9a-f]{32}")
_MAX_NAME = 120


@contextmanager
def file_of(upload: Upload) -> Iterator[Path]:
    """The file of an upload; it is removed when the block ends, well or not."""
    path = session.workspace().arrived(upload.id)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def discard(uploads: tuple[Upload, ...]) -> None:
    """Remove files that nobody wants to read any more."""
    for upload in uploads:
        (session.workspace().incoming / upload.id).unlink(missing_ok=True)


def upload_box(
    title: str, hint: str, *, accept: str, key: str, multiple: bool = False
) -> tuple[Upload, ...]:
    """Draw the box; the files that have just arrived, once, or none."""
    result = _component()(
        key=key,
        data={
            "title": title,
            "hint": hint,
            "accept": accept,
            "multiple": multiple,
            "limit": upload_route.limit_bytes(),
            "url": upload_route.URL.removeprefix("/"),
            "header": upload_route.TOKEN_HEADER,
            "token": _token(),
            "round": session.UPLOADS_SEEN.get() or 0,
        },
        on_uploaded_change=lambda: None,
        on_dropped_change=lambda: None,
    )
    discard(_checked(result.dropped))
    arrived = _checked(result.uploaded)
    if arrived:
        session.UPLOADS_SEEN.set((session.UPLOADS_SEEN.get() or 0) + 1)
    return arrived


def limit_words() -> str:
    """The size limit as the analyst reads it."""
    return f"up to {upload_route.limit_bytes() // 2**20:,} MB"


def clean_name(name: str) -> str:
    """A file name without folders, invisible characters and excess length."""
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    return visible[:_MAX_NAME] or "unnamed.csv"


def _checked(value: Any) -> tuple[Upload, ...]:
    """What the browser sent, believed only if all of it has the right form."""
    if not isinstance(value, list) or not all(isinstance(sent, dict) for sent in value):
        return ()
    pairs = [(sent.get("id"), sent.get("name")) for sent in value]
    if not all(
        isinstance(upload_id, str) and isinstance(name, str) and _ID.fullmatch(upload_id)
        for upload_id, name in pairs
    ):
        return ()
    return tuple(Upload(id=str(found), name=clean_name(str(name))) for found, name in pairs)


def _token() -> str:
    """One token per session and workspace, so that a rerun does not disturb an upload."""
    workspace_key = session.WORKSPACE.require()
    held = session.UPLOAD_TOKEN.get()
    if held is None or not held.startswith(f"{workspace_key}."):
        held = upload_route.new_token(workspace_key)
        session.UPLOAD_TOKEN.set(held)
    return held


@st.cache_resource(max_entries=1, show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "segmentlab_upload",
        html=(_ASSETS / "upload.html").read_text(encoding="utf-8"),
        css=(_ASSETS / "upload.css").read_text(encoding="utf-8"),
        js=(_ASSETS / "upload.js").read_text(encoding="utf-8"),
    )
