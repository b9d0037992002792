import pandas as pd
import streamlit as st

from core.artifacts import Action, Recommendation
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
    with st.container(border=True):
        st.markdown(f":material/{ICONS[action.kind]}: **{safe(action.title)}**")
        st.markdown(safe(action.text, limit=800))
        numbers = " · ".join(
            f"{safe(name)}: {value:,.3g}" for name, value in action.evidence.items()
        )
        st.caption(numbers)


def item_table(items: list[Recommendation], key: str) -> None:
    rows = [
        {
            "Rank": found.rank,
            "Item": found.item,
            "Category": found.category,
            "Lift": found.lift,
            "Already bought": found.owned_share,
            "Why": found.reason,
        }
        for found in items
    ]
    columns = {
        "Why": st.column_config.TextColumn(width="large"),
        "Lift": st.column_config.NumberColumn(format="%.2f ×"),
        "Already bought": st.column_config.NumberColumn(format="percent"),
    }
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=columns,
        key=key,
        alt="Items to offer",
    )


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
        left, right = st.columns([3, 2])
        with left:
            st.subheader("Items to offer", anchor=False)
            if offered:
                item_table(offered, key=f"items-{segment.id}")
            else:
                st.caption("No item stands out, or the log names no items.")
        with right:
            st.subheader("What to try", anchor=False)
            for action in actions:
                action_card(action)
            if not actions:
                st.caption("No rule fires: this segment behaves much like everyone.")
steps.next_button("recommend")
