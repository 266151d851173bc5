"""How a chart is taken along: as a picture, a drawing, or its numbers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.elements.chart_files import chart_files
from app.figures.numbers import has_numbers, to_csv

# The button that saves is the only one of plotly's tool bar, which page.css hides.
CONFIG = {"displayModeBar": True, "modeBarButtons": [["toImage"]], "displaylogo": False}


def offer(figure: Any, key: str) -> None:
    """A quiet menu below the chart with this key; files are made when they are asked for."""
    with st.popover("Save", type="tertiary", key=f"save.chart.{key}"):
        chart_files(key)
        if has_numbers(figure):
            st.download_button(
                "Numbers (CSV)",
                lambda: to_csv(figure),
                file_name=f"{key.replace('.', '-')}.csv",
                mime="text/csv",
                key=f"csv.{key}",
                on_click="ignore",
            )
