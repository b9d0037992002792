import pandas as pd
import streamlit as st

from core.artifacts import Action, Recommendation
from core.wording import figure
from ui import naming, page, steps
from ui.safe_text import safe
from ui.settings import settings_form

ICONS = {
    "product_recommendation": "shopping_bag",
    "ad_audience": "campaign",
    "campaign": "mail",
    "newcomers": "waving_hand",
    "risk": "shield",
    "customer_care": "favorite",
}


def action_card(action: Action) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f":material/{ICONS[action.kind]}: **{safe(action.title)}**")
        st.markdown(safe(action.text, limit=800))
        numbers = (f"{safe(name)}: {figure(value)}" for name, value in action.evidence.items())
        st.caption("  \n".join(numbers))


def item_table(items: list[Recommendation]) -> None:
    rows = [
        {
            "Rank": found.rank,
            "Item": safe(found.item, limit=60),
            "Category": safe(found.category, limit=40),
            "Lift": f"{figure(found.lift)} ×",
            "Why": safe(found.reason, limit=400),
        }
        for found in items
    ]
    st.table(pd.DataFrame(rows).set_index("Rank"), border="horizontal")
    st.caption("Lift: how many times the engagement of everyone.")


def two_columns(actions: list[Action]) -> None:
    for start in range(0, len(actions), 2):
        for column, action in zip(st.columns(2), actions[start : start + 2], strict=False):
            with column:
                action_card(action)


steps.require("labels")
settings_form({"Recommendations": "recommend"})
journey = page.begin("recommend", "segments")
found, recommendations = naming.named(journey), journey.recommendations()
st.info(
    "Each action is a hypothesis from what was observed, not a proven cause. Keep a random part "
    "of the segment out and compare before you roll it out.",
    icon=":material/science:",
)
if recommendations.note:
    st.caption(safe(recommendations.note, limit=400))
segment = naming.pick(found)
offered = [item for item in recommendations.items if item.segment == segment.id]
actions = [action for action in recommendations.actions if action.segment == segment.id]
st.subheader("What to try", anchor=False)
two_columns(actions)
if not actions:
    st.caption("No rule fires: this segment behaves much like everyone.")
st.subheader("Items to offer", anchor=False)
if offered:
    item_table(offered)
else:
    st.caption("No item stands out, or the log names no items.")
steps.next_button("recommend")
