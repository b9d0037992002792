import streamlit as st

from core.charts import k_choice, loss_trace
from core.clustering import CLUSTERERS
from ui import cluster_form, map_view, page, plots, steps
from ui.safe_text import safe

steps.require("embeddings")
cluster_form.settings()
cluster_form.make_small_at_once()
journey = page.begin("cluster", "embeddings")
labels = journey.labels()

if CLUSTERERS[journey.options.clusterer].needs_n_clusters:
    curve = journey.k_curve()
    st.subheader("How many segments?", anchor=False)
    with st.container(border=True):
        st.markdown(safe(curve.reason, limit=1000))
        cluster_form.pick_k(curve)
        elbow, silhouette = st.columns(2)
        with elbow:
            plots.show(k_choice.elbow(curve, labels.n_clusters), key="elbow")
        with silhouette:
            plots.show(k_choice.silhouette_by_k(curve, labels.n_clusters), key="silhouette-by-k")

st.subheader("The map", anchor=False)
map_view.draw(journey)

if labels.loss_trace:
    with st.expander("How K-means got there", icon=":material/trending_down:"):
        plots.show(loss_trace.loss_trace(labels), key="loss-trace")
steps.next_button("cluster")
