import pandas as pd
import streamlit as st

from core.artifacts import ExternalEvaluation, Gate, Metric
from core.charts import evaluation as charts
from core.evaluation import EXTERNAL_METRICS, INTERNAL_METRICS
from ui import naming, page, plots, steps
from ui.safe_text import safe
from ui.settings import settings_form

BETTER = {"higher": "↑\u00a0higher", "lower": "↓\u00a0lower"}
ICONS = {True: ":green[:material/check_circle:]", False: ":orange[:material/warning:]"}


def gate_list(gates: tuple[Gate, ...]) -> None:
    for gate in gates:
        name = gate.name.replace("_", " ").capitalize()
        st.markdown(f"{ICONS[gate.passed]} **{name}**: {safe(gate.text, limit=400)}")


def shown(value: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"


def metric_table(metrics: tuple[Metric, ...]) -> None:
    rows = [
        {
            "Metric": INTERNAL_METRICS[metric.name].label,
            "Value": shown(metric.value),
            "Better": BETTER[INTERNAL_METRICS[metric.name].better],
            "What it means": f"{INTERNAL_METRICS[metric.name].meaning} {metric.note}".strip(),
        }
        for metric in metrics
    ]
    st.table(pd.DataFrame(rows).set_index("Metric"), border="horizontal")


def external_table(external: ExternalEvaluation) -> None:
    columns = {
        "Without noise": external.without_noise,
        "Noise as singletons": external.noise_as_singletons,
        "Everyone in one segment": external.baseline,
    }
    values = {title: {m.name: m.value for m in metrics} for title, metrics in columns.items()}
    rows = [
        {
            "Metric": entry.label,
            **{title: shown(values[title].get(name)) for title in columns},
            "Better": BETTER[entry.better],
            "What it means": entry.meaning,
        }
        for name, entry in EXTERNAL_METRICS.items()
    ]
    st.table(pd.DataFrame(rows).set_index("Metric"), border="horizontal")


steps.require("labels")
settings_form({"Evaluation": "evaluate"})
journey = page.begin("evaluate", "labels")
evaluation = journey.evaluation()
names = naming.names(journey)

with st.container(border=True):
    st.subheader(safe(evaluation.verdict, limit=600), anchor=False)
    st.caption(
        f"{evaluation.n_users:,} users · {evaluation.k} segments · "
        f"suggested number: {evaluation.k_recommended}"
    )
st.subheader("Conditions a segmentation must meet", anchor=False)
gate_list(evaluation.gates)

st.subheader("How well the segments are apart", anchor=False)
st.markdown(
    "Measured in the space that was clustered, never on the map. These figures compare settings "
    "of the *same* representation; on their own they do not show that segments are real."
)
metric_table(evaluation.internal)
if evaluation.k > 1:
    plots.show(charts.silhouette_plot(evaluation, names), key="silhouettes")

st.subheader("Against what is known of the users", anchor=False)
if evaluation.external is None:
    st.info(
        "There are no known labels. If you have a column or a table that says what kind of user "
        "each one is, add it on the Upload page: it is never used to form segments."
    )
else:
    external = evaluation.external
    st.markdown(safe(external.reading, limit=600))
    st.caption(
        f"Label '{safe(external.label_name)}' · {external.n_labelled:,} users have one · "
        f"{external.n_conflicting:,} left out because their rows disagree · "
        f"{external.n_unmatched:,} more labels of users who are not in the cleaned log · "
        f"{external.coverage:.0%} of the labelled are in a segment"
    )
    external_table(external)
    plots.show(charts.confusion_table(external.confusion, names), key="confusion")
steps.next_button("evaluate")
