"""The upload box: sends a file of any size to the server's disk and says where it stands.

`st.file_uploader` would hold every byte in the server's memory, long after the page was left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from ui import session, upload_route

_ASSETS = Path(__file__).resolve().parent / "assets"
_ID = re.compile(r"[0-9a-f]{32}")
_MAX_NAME = 120


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """A file that has arrived in the workspace's incoming folder."""

    id: str
    name: str
    """As the analyst knows it; for showing only, never a path."""

    @contextmanager
    def file(self) -> Iterator[Path]:
        """The file itself; it is removed when the block ends, well or not."""
        path = session.workspace().incoming / self.id
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def upload_box(title: str, hint: str, *, accept: str, key: str) -> Uploaded | None:
    """Draw the box; the file that has just arrived, once, or None."""
    result = _component()(
        key=key,
        data={
            "title": title,
            "hint": hint,
            "accept": accept,
            "limit": upload_route.limit_bytes(),
            "url": upload_route.URL.removeprefix("/"),
            "header": upload_route.TOKEN_HEADER,
            "token": _token(),
            "round": session.UPLOADS_SEEN.get() or 0,
        },
        on_uploaded_change=lambda: None,
    )
    arrived = _checked(result.uploaded)
    if arrived is not None:
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


def _checked(value: Any) -> Uploaded | None:
    """What the browser sent, believed only as far as it has the right form."""
    if not isinstance(value, dict):
        return None
    upload_id, name = value.get("id"), value.get("name")
    if not (isinstance(upload_id, str) and isinstance(name, str) and _ID.fullmatch(upload_id)):
        return None
    return Uploaded(id=upload_id, name=clean_name(name))


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
