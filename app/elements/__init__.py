"""Small elements of the page that have their own script, for what no widget of Streamlit does."""
