"""The app's router; loads nothing heavy, so that the first page paints at once."""

from pathlib import Path

import streamlit as st

from app.language.text import N_, _
from app.shell import defects, language, state, tasks

ICON = Path(__file__).parent / "assets" / "icon.svg"
STYLE = Path(__file__).parent / "app" / "page.css"
PAGES = {  # title to icon; the first is the default
    N_("Playground"): ":material/compare:",
    N_("Maps"): ":material/visibility:",
    N_("Visualise"): ":material/draw:",
    N_("Anatomy"): ":material/layers:",
    N_("Robustness"): ":material/shield:",
    N_("Transfer"): ":material/school:",
    N_("Influence"): ":material/account_tree:",
    N_("Models"): ":material/inventory_2:",
}


def main() -> None:
    st.set_page_config(page_title="AdvProp Lens", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    language.settle(is_back=state.is_back())
    pages = {
        title: st.Page(
            f"app/{title.lower()}/page.py", title=_(title), icon=icon, url_path=title.lower()
        )
        for title, icon in PAGES.items()
    }
    page = st.navigation(list(pages.values()), position="top")
    defects.cover_callbacks()
    tasks.begin_run()
    # For a report of a defect.
    st.session_state["page"] = next(
        title for title, candidate in pages.items() if candidate is page
    )
    with defects.told_of_page():
        page.run()
    with st.sidebar:
        st.markdown(_("[Eight lessons](/lab/#lessons) run in your browser."))
        language.switch()
    tasks.end_run(background={"robustness", "transfer"})


if __name__ == "__main__":  # a process that Python spawns from the server runs this file as well
    main()
