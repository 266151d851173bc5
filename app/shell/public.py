"""Whether strangers can use this server, and what it then takes of them."""

import os

import streamlit as st

from app.shell.jobs import Limits

LIMITS = Limits(seconds=60, long_seconds=600, each=8, queue=300)
"""Of the workers; one person's page asks for up to six things at once."""


def is_public() -> bool:
    """Whether others than who started it use this server.

    ``advprop app --public`` says so, for behind a proxy the server itself listens to this machine
    alone.
    """
    is_here = st.get_option("server.address") in ("localhost", "127.0.0.1", "::1")
    return os.environ.get("ADVPROP_PUBLIC") == "1" or not is_here
