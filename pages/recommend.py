import pandas as pd
import streamlit as st

from core.artifacts import Action, Recommendation
from core.wording import figure
from ui import naming, page, steps
from ui.safe_text import safe

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


def item_table(items: list[Recommendation], key: str) -> None:
    rows = [
        {
            "Rank": found.rank,
            "Item": found.item,
            "Category": found.category,
            "Lift": found.lift,
            "Already bought": 100 * found.owned_share,
            "Why": found.reason,
        }
        for found in items
    ]
    columns = {
        "Rank": st.column_config.NumberColumn(width=50),
        "Lift": st.column_config.NumberColumn(
            format="%.1f ×", width=60, help="How many times the engagement of everyone."
        ),
        "Already bought": st.column_config.NumberColumn(
            format="%.1f%%", width=110, help="Share of the segment's users that own it."
        ),
        "Why": st.column_config.TextColumn(width="large"),
    }
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, column_config=columns, key=key, alt="Items to offer"
    )


def two_columns(actions: list[Action]) -> None:
    for start in range(0, len(actions), 2):
        for column, action in zip(st.columns(2), actions[start : start + 2], strict=False):
            with column:
                action_card(action)


journey = page.begin("recommend", "segments")
found, recommendations = naming.named(journey), journey.recommendations()
st.info(
    "Each action is a hypothesis from what was observed, not a proven cause. Keep a random part "
    "of the segment out and compare before you roll it out.",
    icon=":material/science:",
)
if recommendations.note:
    st.caption(safe(recommendations.note, limit=400))
tabs = st.tabs([safe(segment.name, limit=40) for segment in found.segments])
for tab, segment in zip(tabs, found.segments, strict=True):
    with tab:
        offered = [item for item in recommendations.items if item.segment == segment.id]
        actions = [action for action in recommendations.actions if action.segment == segment.id]
        st.subheader("What to try", anchor=False)
        two_columns(actions)
        if not actions:
            st.caption("No rule fires: this segment behaves much like everyone.")
        st.subheader("Items to offer", anchor=False)
        if offered:
            item_table(offered, key=f"items-{segment.id}")
        else:
            st.caption("No item stands out, or the log names no items.")
steps.next_button("recommend")
