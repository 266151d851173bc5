"""The lab, the page without a server, served beside the app."""
