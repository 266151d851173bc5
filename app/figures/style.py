"""What all figures have in common; colour means branch."""

from __future__ import annotations

from advprop_core.report.colours import Sign, branch_colour, colour_stops

COLUMN_TITLES = {"clean": "Clean", "adversarial": "Perturbed"}
CONFIG = {"displayModeBar": False}
INK = {False: "#1F2933", True: "#E6EAEE"}


def branch_title(branch: str) -> str:
    """A branch's name with its colour beside it."""
    return coloured(branch, branch_colour(branch))


def coloured(title: str, colour: str) -> str:
    """A title with a colour in a mark beside it, for coloured letters are hard to read."""
    return f'<span style="color:{colour}">■</span> <b>{title}</b>'


def colour_scale(sign: Sign) -> list[tuple[float, str]]:
    """A scale of the library as plotly takes it: see-through where a map says nothing."""
    return [
        (position, f"rgba({red},{green},{blue},{cover:.2f})")
        for position, (red, green, blue), cover in colour_stops(sign)
    ]
