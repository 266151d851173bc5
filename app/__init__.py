"""The Streamlit app: pages are thin, everything else is here once."""
