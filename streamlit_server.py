"""What `advprop app` starts: Streamlit with the app's pages, and beside them the lab at /lab/."""

from pathlib import Path

import streamlit as st

from app.lab.routes import routes
from app.lab.start import announce

server = st.App(Path(__file__).with_name("streamlit_app.py"), routes=routes(), lifespan=announce)
