"""What stands between the network and Streamlit: guards, headers, health and logs."""
