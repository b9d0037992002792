"""The dashboard's server: ``streamlit run app.py``.

The pages stand in ``pages/`` and their frame in ``ui/frame.py``; the server adds a route that
takes uploads of any size straight onto the disk.
"""

from pathlib import Path

import streamlit as st

from ui import upload_route, warm_up

app = st.App(
    Path(__file__).resolve().parent / "ui" / "frame.py",
    routes=[upload_route.ROUTE],
    lifespan=warm_up.lifespan,
)
