"""Results to plotly figures and pictures; pure, no Streamlit."""
