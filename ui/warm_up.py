"""Loads heavy libraries in the background, so that neither the first page nor the first job waits.

They are loaded in a process of their own that ends when it is done: importing them in a thread
here would hold the interpreter while the first page is drawn. What stays is the operating
system's copy of the files and the compiled code that umap keeps on disk, which is most of the
wait of the first job (its worker imports them in about a third of the time).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.events import engine

_MEMORY, _THREADS = 256 * 2**20, 2
"""What the event engine may take in the server, for each thing that it counts there."""
_IMPORTS = """
import os, time
if hasattr(os, "nice"):
    os.nice(15)
time.sleep(2)  # the first page goes first
import sklearn.cluster, torch, hdbscan, umap
"""


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Warm up while the server runs, with the engine bounded; stop with it."""
    engine.keep_to(_MEMORY, _THREADS)
    process = subprocess.Popen(
        [sys.executable, "-c", _IMPORTS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
        engine.keep_to(None, None)
