"""Buttons that save a chart of the page as a picture, which the browser draws."""

from __future__ import annotations

import re

from app.elements.declare import declare

_mount = declare("chart_files")


def chart_files(chart: str) -> None:
    """Save the chart with this key as a PNG or an SVG."""
    name = re.sub(r"[^a-zA-Z0-9_-]", "-", chart.strip())
    # Streamlit marks the place of a widget by its key, written so.
    _mount(key=f"files.{chart}", data={"place": f"st-key-{name}", "name": name})
