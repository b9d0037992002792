import streamlit as st

from core.charts import events as charts
from core.events import overview
from ui import cached, charts as shown, controls, page, session, steps

journey = steps.require()
options = session.options()

with st.expander(
    "Cleaning and sequence rules", icon=":material/tune:", expanded=not journey.ready("clean")
):
    with st.form("rules", border=False):
        rules, sequence = st.tabs(["Cleaning", "Sequences"])
        with rules:
            clean = controls.draw(type(options.clean), options.clean, key="clean", columns=3)
        with sequence:
            sequences = controls.draw(
                type(options.sequence), options.sequence, key="sequence", columns=3
            )
        if st.form_submit_button("Apply", icon=":material/check:"):
            session.set_options(options.changed(clean=clean, sequence=sequences))
            st.rerun()

journey = page.begin("prepare")
