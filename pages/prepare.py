import streamlit as st

from core.charts import events as charts
from ui import page, plots, sequence_view, session, set_aside, steps
from ui.cleaning_account import account, notes, totals
from ui.cleaning_rules import cleaning_rules
from ui.problem_list import remarks
from ui.settings import settings_form

journey = steps.require()
dataset = session.dataset()
with st.expander("Cleaning rules", icon=":material/cleaning_services:"):
    cleaning_rules(journey)
settings_form(
    {"Sequences": "sequence", "Items and searches": "item_features"}, "Sequences and items"
)
journey = page.begin("prepare")
report = journey.cleaning_report()
totals(report)
notes(report)
if journey.ready("item_features"):
    remarks(journey.item_problems())
st.subheader("What was touched, and why", anchor=False)
account(report, session.workspace().raw(dataset).parts)
set_aside.download(dataset, journey)

st.subheader("The log", anchor=False)
shown = st.segmented_control(
    "Show the log",
    ["After cleaning", "Before cleaning"],
    default="After cleaning",
    required=True,
    key="log-shown",
)
if shown == "After cleaning":
    seen = journey.overview()
else:
    seen = session.workspace().quality(dataset).overview
plots.show(charts.events_over_time(seen.timeline), key="over-time")
left, right = st.columns(2)
with left:
    plots.show(charts.events_per_user(seen.events_per_user), key="per-user")
with left if seen.categories else right:
    plots.show(charts.action_counts(seen.actions), key="actions")
if seen.categories:
    with right:
        plots.show(charts.category_counts(seen.categories), key="categories")
sequence_view.sequences(journey)
sequence_view.forms(dataset, journey)
steps.next_button("prepare")
