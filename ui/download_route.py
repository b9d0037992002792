"""Hands out large files straight from the disk, without passing them through memory.

A page signs the address of one file for a few hours; no other file can be reached, and no address
can be guessed.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.errors import NotFound
from core.workspace import open_workspace
from ui.upload_route import signed, still_signed

URL = "/api/download"
_SECONDS = 12 * 3600
_APART = "~"
"""Parts a token's words; in no workspace key, data set id or fingerprint."""


def address(workspace_key: str, dataset_id: str, fingerprint: str, file: str) -> str:
    """Where a file of a stored artifact is fetched, relative to the page."""
    name, _, ending = Path(file).name.rpartition(".")
    words = _APART.join((workspace_key, dataset_id, fingerprint, name, ending))
    return f"{URL.removeprefix('/')}/{signed(words, _SECONDS)}"


async def send(request: Request) -> Response:
    """Stream the file that the address was signed for; 404 for anything else."""
    words = still_signed(request.path_params["token"])
    parts = words.split(_APART) if words else []
    if len(parts) != 5:
        return _gone()
    workspace_key, dataset_id, fingerprint, name, ending = parts
    try:
        place = open_workspace(workspace_key)
        dataset = place.dataset(dataset_id)
    except NotFound:
        return _gone()
    path = place.store(dataset_id).folder(fingerprint) / f"{name}.{ending}"
    if not path.is_file():
        return _gone()
    stem = dataset.name.rsplit(".", 1)[0]
    return FileResponse(
        path,
        media_type="text/csv; charset=utf-8",
        filename=f"{stem}-{name.replace('_', '-')}.{ending}",
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
    )


ROUTE = Route(f"{URL}/{{token}}", send, methods=["GET"])


def _gone() -> JSONResponse:
    message = "This address is too old. Open the page again and download from there."
    return JSONResponse({"error": message}, status_code=404)
