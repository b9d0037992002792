import streamlit as st

from core.charts import events as charts
from ui import cached, page, plots, session, steps
from ui.cleaning_account import account, notes, totals
from ui.cleaning_rules import cleaning_rules
from ui.settings import settings_form

journey = steps.require()
dataset = session.dataset()
with st.expander("Cleaning rules", icon=":material/cleaning_services:"):
    cleaning_rules(journey)
settings_form({"Sequences": "sequence"}, "Sequence rules")
journey = page.begin("prepare")
report = journey.cleaning_report()
totals(report)
notes(report)
st.subheader("What was touched, and why", anchor=False)
account(report, session.workspace().raw(dataset).parts)

st.subheader("The log", anchor=False)
shown = st.segmented_control(
    "Show the log",
    ["After cleaning", "Before cleaning"],
    default="After cleaning",
    required=True,
    key="log-shown",
)
log = journey.clean() if shown == "After cleaning" else journey.events
seen = cached.overview_of(log)
plots.show(charts.events_over_time(seen.timeline), key="over-time")
left, right = st.columns(2)
with left:
    plots.show(charts.events_per_user(seen.events_per_user), key="per-user")
    plots.show(charts.action_counts(seen.actions), key="actions")
with right:
    plots.show(charts.category_counts(seen.categories), key="categories")
steps.next_button("prepare")
