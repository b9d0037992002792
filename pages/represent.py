import streamlit as st

from core.charts import training as charts
from core.representations import REPRESENTATIONS
from core.representations.diagnostics import effective_rank
from core.run_options import AUTO_REPRESENTATION, RepresentOptions
from ui import controls, page, plots, session, steps


def settings() -> None:
    options = session.options()
    methods = list(REPRESENTATIONS)
    picked = st.segmented_control(
        "Representation",
        methods,
        default=options.representation,
        format_func=lambda name: REPRESENTATIONS[name].label,
        required=True,
        key="representation",
        help="How a user's behaviour becomes a point.",
    )
    entry = REPRESENTATIONS[picked]
    st.markdown(entry.summary)
    good, bad = st.columns(2)
    good.markdown(f":green[:material/thumb_up:] {entry.strengths}")
    bad.markdown(f":orange[:material/thumb_down:] {entry.weaknesses}")
    if picked != options.representation:
        method = "auto" if picked == AUTO_REPRESENTATION else picked
        session.set_options(options.changed(represent=RepresentOptions(method=method)))
        st.rerun()
    with st.expander("Settings", icon=":material/tune:"), st.form("represent", border=False):
        params = controls.draw(
            entry.Options, options.represent_params, key=f"represent-{picked}", columns=3
        )
        if st.form_submit_button("Apply", icon=":material/check:"):
            session.set_options(options.changed(represent_params=params))
            st.rerun()


def live(epochs):
    plots.show(charts.loss_curves(epochs), key="live-losses")


steps.require("sequences")
settings()
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
