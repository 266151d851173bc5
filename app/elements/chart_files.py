"""Buttons that save a chart of the page as a picture, which the browser draws."""

import re
from collections.abc import Sequence
from html import escape

from app.elements.declare import declare
from app.figures.style import TO_LIGHT
from app.language.text import _

_mount = declare("chart_files")


def chart_files(chart: str, heading: str, about: Sequence[str]) -> None:
    """Save the chart with this key as a PNG or an SVG, on white whatever the page's theme is.

    Args:
        chart: Its key.
        heading: What it shows, above it in the file.
        about: Lines below the heading: of which network, under which condition.
    """
    name = re.sub(r"[^a-zA-Z0-9_-]", "-", chart.strip())
    _mount(
        key=f"files.{chart}",
        data={
            "place": f"st-key-{name}",  # Streamlit marks the place of a widget by its key, so
            "name": name,
            "colours": {**TO_LIGHT},
            "buttons": {"png": _("Picture (PNG)"), "svg": _("Drawing (SVG)")},
            # Plotly obeys some markup in titles, and names may come from files.
            "heading": escape(heading, quote=False),
            "about": [escape(line, quote=False) for line in about],
        },
    )
