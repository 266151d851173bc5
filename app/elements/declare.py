"""An element from its markup, style and script, which lie beside this file."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


def declare(name: str) -> ComponentRenderer:
    """What puts the element of that name on the page."""
    html, css, js = (
        (_FOLDER / f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component(f"advprop_{name}", html=html, css=css, js=js)
