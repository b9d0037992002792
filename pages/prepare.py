import pandas as pd
import streamlit as st

from core.artifacts import CleaningReport
from core.charts import events as charts
from ui import cached, page, plots, steps
from ui.safe_text import safe
from ui.settings import settings_form


def totals(report: CleaningReport) -> None:
    kept = {
        "Events kept": (report.events_after, report.events_before),
        "Users kept": (report.users_after, report.users_before),
    }
    with st.container(horizontal=True):
        for label, (after, before) in kept.items():
            of = f"of {before:,}, {before - after:,} left out"
            st.metric(label, f"{after:,}", of, delta_color="off", delta_arrow="off", border=True)
        per_user = report.events_after / report.users_after
        before = report.events_before / max(report.users_before, 1)
        st.metric(
            "Events per user",
            f"{per_user:.1f}",
            f"{before:.1f} before",
            delta_color="off",
            delta_arrow="off",
            border=True,
        )


def account(report: CleaningReport) -> None:
    st.subheader("What was touched, and why", anchor=False)
    touched = [step for step in report.steps if step.rows]
    rows = [
        {
            "What": step.effect.capitalize(),
            "Why": step.reason,
            "Rows": step.rows,
            "Users": step.users,
        }
        for step in touched
    ]
    counted = st.column_config.NumberColumn(format="localized", width="small")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={"What": {"width": "small"}, "Rows": counted, "Users": counted},
        key="account",
        alt="Cleaning report",
    )
    quiet = [step.reason for step in report.steps if not step.rows]
    if quiet:
        st.caption(safe("Looked for and not found: " + "; ".join(quiet) + ".", limit=600))


steps.require()
settings_form({"Cleaning": "clean", "Sequences": "sequence"}, "Cleaning and sequence rules")
journey = page.begin("prepare")
report = journey.cleaning_report()
totals(report)
account(report)

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
