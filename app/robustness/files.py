"""Results to take away, and how to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def offer_files(
    content: Mapping[str, Any], file_name: str, report: Callable[[], str] | None = None
) -> None:
    """How to measure again, and the files to keep."""
    with st.expander("Make it again, or take it with you", icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            st.download_button(
                "Results (JSON)",
                lambda: json.dumps(content, indent=1, ensure_ascii=False),
                file_name=file_name,
                mime="application/json",
                on_click="ignore",
            )
            if report is not None:
                st.download_button(
                    "Report (HTML)",
                    report,
                    file_name="report.html",
                    mime="text/html",
                    on_click="ignore",
                    help="One page with every figure and table, which opens offline.",
                )
