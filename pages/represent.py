import streamlit as st

from core.charts import training as charts
from core.geometry import effective_rank
from core.representations import REPRESENTATIONS
from core.run_options import AUTO_REPRESENTATION, RepresentOptions
from ui import page, plots, session, steps
from ui.settings import pick_method, seed_box, settings_form


def method() -> None:
    options = session.options()
    picked = pick_method(
        "Representation", REPRESENTATIONS, options.representation, key="representation"
    )
    if picked != options.representation:
        name = "auto" if picked == AUTO_REPRESENTATION else picked
        session.set_options(options.changed(represent=RepresentOptions(method=name)))
        st.rerun()


def live(epochs):
    plots.show(charts.loss_curves(epochs), key="live-losses")


steps.require("sequences")
method()
settings_form({"Learning": "represent_params"})
seed_box()
journey = page.begin("represent", "sequences", by_itself=False, draw=live)
embeddings = journey.embeddings()

with st.container(horizontal=True):
    st.metric("Users", f"{len(embeddings.user_ids):,}", border=True)
    st.metric("Numbers per user", embeddings.values.shape[1], border=True)
    st.metric(
        "Directions in use",
        f"{effective_rank(embeddings.values):.1f}",
        border=True,
        help="Effective rank: how many independent directions the points spread over. Below 5 a "
        "learned representation has collapsed.",
    )
    st.metric(
        "Computed on", embeddings.device.split(" ")[0].upper(), help=embeddings.device, border=True
    )
    if embeddings.history:
        last = embeddings.history[-1]
        st.metric("Speed", f"{last.events_per_second:,.0f} events/s", border=True)
        st.metric("Time", f"{last.seconds:.0f} s", border=True)
if embeddings.history:
    plots.show(charts.loss_curves(embeddings.history), key="losses")
else:
    st.info("Nothing is trained here: the numbers are counted, so there is no learning curve.")
steps.next_button("represent")
