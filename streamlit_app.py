"""The app's router; loads nothing heavy, so that the first page paints at once."""

from pathlib import Path

import streamlit as st

from app import workbench

ICON = Path(__file__).parent / "assets" / "icon.svg"

st.set_page_config(page_title="AdvProp Lens", page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page(
            "app/pages/playground.py",
            title="Playground",
            icon=":material/compare:",
            default=True,
        ),
        st.Page("app/pages/maps.py", title="Maps", icon=":material/visibility:"),
        st.Page("app/pages/anatomy.py", title="Anatomy", icon=":material/layers:"),
        st.Page("app/pages/robustness.py", title="Robustness", icon=":material/shield:"),
        st.Page("app/pages/models.py", title="Models", icon=":material/inventory_2:"),
    ],
    position="top",
)
workbench.begin_run()
page.run()
workbench.end_run(kept={"robustness"})
