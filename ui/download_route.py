"""Hands out large files straight from the disk, without passing them through memory.

A page signs the address of one file for a few hours; no other file can be reached, and no address
can be guessed. An address names no workspace: which file it stands for, only the server knows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import astuple, dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.errors import NotFound
from core.workspace import open_workspace
from ui.upload_route import fingerprint_of, signed, still_signed

URL = "/api/download"
_PURPOSE = "download"
_SECONDS = 12 * 3600
_KINDS = {".csv": "text/csv; charset=utf-8", ".json": "application/json"}
_MOST_OFFERED = 10_000
"""So many files are on offer at a time; the one offered longest ago goes first."""


@dataclass(frozen=True)
class _Offered:
    """A file of a stored artifact."""

    workspace_key: str
    dataset_id: str
    fingerprint: str
    file: str


_offered: OrderedDict[str, _Offered] = OrderedDict()
_turn = threading.Lock()


def address(workspace_key: str, dataset_id: str, fingerprint: str, file: str) -> str:
    """Where a file of a stored artifact is fetched, relative to the page."""
    offered = _Offered(workspace_key, dataset_id, fingerprint, Path(file).name)
    place = fingerprint_of(_PURPOSE, *astuple(offered))  # the same file at every rerun
    with _turn:
        _offered[place] = offered
        _offered.move_to_end(place)
        if len(_offered) > _MOST_OFFERED:
            _offered.popitem(last=False)
    return f"{URL.removeprefix('/')}/{signed(_PURPOSE, place, _SECONDS)}"


async def send(request: Request) -> Response:
    """Stream the file that the address was signed for; 404 for anything else."""
    found = _offered.get(still_signed(_PURPOSE, request.path_params["token"]) or "")
    if found is None:
        return _gone()
    try:
        place = open_workspace(found.workspace_key)
        dataset = place.dataset(found.dataset_id)
    except NotFound:
        return _gone()
    path = place.store(dataset.id).folder(found.fingerprint) / found.file
    if not path.is_file():
        return _gone()
    stem, name = dataset.name.rsplit(".", 1)[0], found.file.replace("_", "-")
    return FileResponse(
        path,
        media_type=_KINDS.get(path.suffix, "application/octet-stream"),
        filename=f"{stem}-{name}",
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
    )


ROUTE = Route(f"{URL}/{{token}}", send, methods=["GET"])


def _gone() -> JSONResponse:
    message = "This address is too old. Open the page again and download from there."
    return JSONResponse({"error": message}, status_code=404)
