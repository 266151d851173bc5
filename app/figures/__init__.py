"""Results as plotly figures and pictures; no Streamlit here."""

# Plotly looks into pandas where that is loaded, and fails where another thread has loaded half of
# it. This waits until it is whole.
import pandas as pd  # noqa: F401
