import streamlit as st

from core.charts import training as charts
from ui import forecast_view, page, plots, represent_form, represent_view, smaller_view, steps
from ui.safe_text import safe


def live(epochs):
    plots.show(charts.loss_curves(epochs), key="live-losses")


steps.require("sequences")
represent_form.settings()
forecast_view.show("embeddings", represent_form.take)
journey = page.begin("represent", "sequences", by_itself=False, draw=live)
embeddings = journey.embeddings()

st.subheader(represent_form.LABELS[embeddings.method], anchor=False)
if embeddings.why:
    st.markdown(safe(embeddings.why, limit=1000))
represent_view.figures(embeddings)
represent_view.findings(embeddings.findings)
if embeddings.tried:
    represent_view.comparison(embeddings)
else:
    represent_form.offer_comparison()
if embeddings.history:
    st.subheader("How it learned", anchor=False)
    plots.show(charts.loss_curves(embeddings.history), key="losses")
    if said := embeddings.history[-1].note:
        st.caption(safe(said, limit=400))
else:
    st.info("Nothing is trained here: the numbers are counted, so there is no learning curve.")
smaller_view.show(journey, embeddings)
steps.next_button("represent")
