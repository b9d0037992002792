"""Receives an upload straight onto the disk, at any size, without passing it through memory.

The page writes a token for its workspace; a request without one is refused, so neither another
web page nor another workspace can send files here. The name of a file never becomes a path.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.errors import NotFound
from core.workspace import Workspace, open_workspace

URL = "/api/upload"
TOKEN_HEADER = "x-segmentlab-token"
_SECRET = secrets.token_bytes(32)
_PURPOSE = "upload"
_TOKEN_SECONDS = 7 * 24 * 3600
_LEFT_OVER_SECONDS = 24 * 3600
_SPARE_BYTES = 200 * 2**20
"""Room that must be left on the disk after an upload."""
_LOOK_EVERY = 16 * 2**20
"""Bytes received after which the room is looked at again; far less than must be left."""


def new_token(workspace_key: str) -> str:
    """Leave to upload into one workspace, for a week or until the server restarts."""
    return signed(_PURPOSE, workspace_key, _TOKEN_SECONDS)


def signed(purpose: str, words: str, seconds: int) -> str:
    """Words without a dot, with the time until which they hold and a signature.

    ``purpose`` says what the token gives leave to; it holds for nothing else.
    """
    expires = str(int(time.time()) + seconds)
    return f"{words}.{expires}.{fingerprint_of(purpose, words, expires)}"


def still_signed(purpose: str, token: str) -> str | None:
    """The words of a token that this server signed for that purpose and that holds, else None."""
    words, _, rest = token.partition(".")
    expires, _, signature = rest.partition(".")
    genuine = hmac.compare_digest(
        signature.encode(), fingerprint_of(purpose, words, expires).encode()
    )
    return words if genuine and int(expires) >= time.time() else None


def fingerprint_of(*words: str) -> str:
    """64 hex digits that only this server can tell from these words."""
    return hmac.new(_SECRET, json.dumps(words).encode(), hashlib.sha256).hexdigest()


def limit_bytes() -> int:
    """The largest upload that is taken: ``server.maxUploadSize`` in MB."""
    from streamlit import config

    return int(config.get_option("server.maxUploadSize")) * 2**20


async def receive(request: Request) -> JSONResponse:
    """Stream the body into the workspace's incoming folder; answers with the upload's id."""
    workspace = _allowed_workspace(request.headers.get(TOKEN_HEADER, ""))
    if workspace is None:
        return _refuse(403, "This page is too old to upload from. Reload it and try again.")
    declared = int(request.headers.get("content-length") or 0)
    if refusal := _no_place(workspace.incoming, declared, declared):
        return refusal
    _clear_left_overs(workspace.incoming)
    upload_id = uuid.uuid4().hex
    arriving = workspace.incoming / f"{upload_id}.part"
    try:
        received = await _write(request, arriving)
        if isinstance(received, JSONResponse):
            return received
        arriving.rename(workspace.incoming / upload_id)
    except ClientDisconnect:
        return _refuse(499, "The upload was cancelled.")
    finally:
        arriving.unlink(missing_ok=True)
    return JSONResponse({"id": upload_id, "bytes": received})


ROUTE = Route(URL, receive, methods=["PUT"])


async def _write(request: Request, path: Path) -> int | JSONResponse:
    """Bytes received, or the refusal of a body that is too large or for which room runs out.

    The room is looked at again and again: a declared length may be missing or a lie, and others
    write at the same time.
    """
    limit, received, looked_at = limit_bytes(), 0, 0
    with path.open("wb", buffering=2**20) as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                return _too_large()
            if received - looked_at >= _LOOK_EVERY:
                looked_at = received
                if refusal := _no_place(path.parent, received, len(chunk)):
                    return refusal
            file.write(chunk)
    return received


def _no_place(folder: Path, size: int, to_come: int) -> JSONResponse | None:
    """Refuse a body over the limit, or one that would take the last room of the disk (bytes)."""
    if size > limit_bytes():
        return _too_large()
    if to_come + _SPARE_BYTES > shutil.disk_usage(folder).free:
        return _refuse(507, "There is not enough room on the disk for this file.")
    return None


def _allowed_workspace(token: str) -> Workspace | None:
    key = still_signed(_PURPOSE, token)
    if key is None:
        return None
    try:
        return open_workspace(key)
    except NotFound:
        return None


def _too_large() -> JSONResponse:
    megabytes = limit_bytes() // 2**20
    return _refuse(413, f"The file is larger than {megabytes:,} MB, the limit of this dashboard.")


def _refuse(status: int, message: str) -> JSONResponse:
    body: dict[str, Any] = {"error": message}
    return JSONResponse(body, status_code=status)


def _clear_left_overs(folder: Path) -> None:
    oldest = time.time() - _LEFT_OVER_SECONDS
    for file in folder.iterdir():
        try:
            if file.stat().st_mtime < oldest:
                file.unlink()
        except FileNotFoundError:  # another request was quicker
            continue
