"""The app's router; loads nothing heavy, so that the first page paints at once."""

from pathlib import Path

import streamlit as st

from app.shell import defects, tasks

ICON = Path(__file__).parent / "assets" / "icon.svg"
STYLE = Path(__file__).parent / "app" / "page.css"
PAGES = {  # the first is the default
    "playground": ":material/compare:",
    "maps": ":material/visibility:",
    "visualise": ":material/draw:",
    "anatomy": ":material/layers:",
    "robustness": ":material/shield:",
    "transfer": ":material/school:",
    "influence": ":material/account_tree:",
    "models": ":material/inventory_2:",
}


def main() -> None:
    st.set_page_config(page_title="AdvProp Lens", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    page = st.navigation(
        [
            st.Page(f"app/{name}/page.py", title=name.title(), icon=icon, url_path=name)
            for name, icon in PAGES.items()
        ],
        position="top",
    )
    defects.cover_callbacks()
    tasks.begin_run()
    st.session_state["page"] = page.title  # for a report of a defect
    with defects.told_of_page():
        page.run()
    tasks.end_run(background={"robustness", "transfer"})


if __name__ == "__main__":  # a process that Python spawns from the server runs this file as well
    main()
