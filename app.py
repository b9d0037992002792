"""The dashboard's server: ``streamlit run app.py``.

The pages stand in ``pages/`` and their frame in ``ui/frame.py``; the server adds a route that
takes uploads of any size straight onto the disk, and one that hands out large files from there.
"""

from pathlib import Path

import streamlit as st

from ui import download_route, upload_route, warm_up

app = st.App(
    Path(__file__).resolve().parent / "ui" / "frame.py",
    routes=[upload_route.ROUTE, download_route.ROUTE],
    lifespan=warm_up.lifespan,
)
