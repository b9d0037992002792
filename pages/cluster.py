import streamlit as st

from core.charts import k_choice, loss_trace
from ui import cluster_form, forecast_view, map_view, page, plots, steps
from ui.safe_text import safe


def how_many(curve, chosen):
    foretold = k_choice.foretold(curve, chosen)
    told, drawn = st.columns(2, vertical_alignment="center") if foretold else [st.container()] * 2
    with told:
        st.markdown(safe(curve.reason, limit=1000))
        cluster_form.pick_k(curve)
    with drawn:
        if foretold:
            plots.show(foretold, key="foretold")
    elbow, silhouette = st.columns(2)
    with elbow:
        plots.show(k_choice.elbow(curve, chosen), key="elbow")
    with silhouette:
        plots.show(k_choice.silhouette_by_k(curve, chosen), key="silhouette-by-k")


steps.require("embeddings")
cluster_form.settings()
cluster_form.make_small_at_once()
forecast_view.show("labels", cluster_form.take)
journey = page.begin("cluster", "embeddings")
labels = journey.labels()
cluster_form.tell_taken(labels, journey.options.cluster.method)

if cluster_form.needs_k(journey.options.cluster.method):
    st.subheader("How many segments?", anchor=False)
    with st.container(border=True):
        how_many(journey.k_curve(), labels.n_clusters)

st.subheader("The map", anchor=False)
map_view.draw(journey)

if labels.loss_trace:
    with st.expander("How K-means got there", icon=":material/trending_down:"):
        plots.show(loss_trace.loss_trace(labels), key="loss-trace")
steps.next_button("cluster")
