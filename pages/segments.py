import pandas as pd
import streamlit as st

from core.artifacts import Lift, Segment
from core.charts import segments as charts
from core.segments import CAVEAT, SUMMARY
from ui import naming, page, plots, steps
from ui.safe_text import safe
from ui.settings import settings_form


def summary(segment: Segment) -> None:
    figures = [
        ("Users", f"{segment.size:,}", f"{segment.share:.0%} of all users"),
        ("Share of events", f"{segment.event_share:.0%}", "Share of all events that are theirs"),
    ]
    if segment.value_share is not None:
        value = f"{segment.value_share:.0%}"
        figures.append(("Share of value", value, "Share of the value of all purchases"))
    figures += [
        (SUMMARY[name].label, SUMMARY[name].told(value), SUMMARY[name].help)
        for name, value in segment.summary.items()
        if value is not None
    ]
    columns = st.columns(6)
    for index, (label, value, help_text) in enumerate(figures):
        columns[index % 6].metric(label, value, help=help_text)


def facts(segment: Segment) -> None:
    st.markdown("**What sets it apart**")
    for fact in segment.facts:
        arrow = ":material/arrow_upward:" if fact.effect > 0 else ":material/arrow_downward:"
        st.markdown(f"{arrow} {safe(fact.text, limit=300)} :gray[(effect {fact.effect:+.2f})]")
    if not segment.facts:
        st.caption("Nothing sets it apart beyond small differences.")


def lifts(title: str, found: tuple[Lift, ...], key: str) -> None:
    if found:
        st.markdown(f"**{title}**")
        rows = [
            {
                "Name": lift.name,
                "Users": lift.users,
                "Share of events": 100 * lift.share,
                "Lift": lift.lift,
            }
            for lift in found
        ]
        columns = {
            "Users": st.column_config.NumberColumn(format="localized"),
            "Share of events": st.column_config.NumberColumn(format="%.1f%%"),
            "Lift": st.column_config.NumberColumn(
                format="%.1f ×", help="How many times as often as everyone."
            ),
        }
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns, key=key, alt=title)


def stories(segment: Segment) -> None:
    st.markdown("**Typical users, last events**")
    for story in segment.stories:
        with st.container(border=True):
            st.caption(safe(story.user_id))
            st.markdown(" → ".join(safe(step) for step in story.steps))


steps.require("labels")
settings_form({"Descriptions": "segment"})
journey = page.begin("segments", "labels")
found = naming.named(journey)
left, right = st.columns([2, 3])
sizes, differences = charts.sizes(found), charts.profile_heat_map(found)
sizes.update_layout(height=differences.layout.height)
with left:
    plots.show(sizes, key="sizes")
with right:
    plots.show(differences, key="profile")

segment = naming.pick(found)
st.subheader(safe(segment.name), anchor=False)
naming.rename_form(journey, segment)
summary(segment)
left, right = st.columns(2)
with left:
    facts(segment)
    st.caption(CAVEAT)
    stories(segment)
with right:
    plots.show(charts.transition_graph(segment, found.actions), key=f"moves-{segment.id}")
    lifts("Categories it meets more often", segment.categories, key=f"categories-{segment.id}")
    lifts("Items it meets more often", segment.items, key=f"items-{segment.id}")
steps.next_button("segments")
