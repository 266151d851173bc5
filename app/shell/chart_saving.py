"""How a chart is taken along, as a picture, a drawing or its numbers; and a film, animated."""

from __future__ import annotations

import re
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from advprop_core.report.style import LOCALES
from app.elements.declare import declare
from app.figures.numbers import has_numbers, to_csv
from app.figures.style import TO_LIGHT
from app.language.text import _, english
from app.shell import network_files
from app.shell.messages import plain
from app.shell.tasks import Shown

if TYPE_CHECKING:
    from app.figures.reel import Reel

# The button that saves is the only one of plotly's tool bar, which page.css hides.
CONFIG = {
    "displayModeBar": True,
    "modeBarButtons": [["toImage"]],
    "displaylogo": False,
    "locales": LOCALES,
}
_ABOUT = "chart.about"
_chart_files = declare("chart_files")

# What a chart shows, by the beginning of its key.
_HEADINGS = {
    "studio.curve": "Answers of each branch against ε",
    "studio.matrix": "Whose perturbation fools whom?",
    "studio.accuracies": "Right answers by who is attacked",
    "anatomy.bars.clean": "Answers to the clean picture",
    "anatomy.bars.adversarial": "Answers to the perturbed picture",
    "anatomy.curve": "One class, from main to the second branch",
    "anatomy.gap.": "What swapped norm layers change",
    "anatomy.profile": "How far the norm layers of two branches differ",
    "anatomy.channels": "The channels of a norm layer",
    "anatomy.halves": "Right answers by half of the norm layers",
    "anatomy.accuracies": "Right answers from main to the second branch",
    "curves.": "The class while pixels are taken away or put in",
    "robustness.curve": "Accuracy of each branch against ε",
    "robustness.transfer": "Accuracy against ε, by who is attacked",
    "robustness.matrix": "Accuracy by who is attacked and who predicts",
    "robustness.smallest": "How many images are still right as ε grows",
    "robustness.reliability": "Accuracy by confidence",
    "robustness.bias": "Shape bias of each branch",
    "robustness.probes": "Accuracy on images with something removed",
    "transfer.images": "Accuracy on a new task by number of training images",
    "transfer.differences": "Difference to the first source on a new task",
    "transfer.blocks": "Accuracy on a new task by what is trained",
    "transfer.epochs": "Accuracy on a new task by epochs",
}
# Whose result a chart about one picture draws.
_SLOTS = {"studio": "playground", "anatomy": "anatomy", "curves": "maps"}
# Beginnings of keys: picture and condition decide what other charts show.
_OF_MANY_PICTURES = ("studio.accuracies", "anatomy.gap.over")
_OF_CLEAN_PICTURE = ("anatomy.bars.clean",)
_OF_NETWORK = ("anatomy.profile", "anatomy.channels", "anatomy.halves", "anatomy.accuracies")
# What of the condition the chart itself varies.
_ON_AXES = {"studio.curve": "strength", "studio.matrix": "branch", "studio.accuracies": "branch"}


def tell(about: str) -> None:
    """What the charts of results are about that follow on this page: which images, how many."""
    st.session_state[_ABOUT] = plain(about)


def offer(figure: Any, key: str, alt: str, heading: str = "") -> None:
    """A quiet menu below the chart with this key; files are made when they are asked for.

    Args:
        figure: The chart.
        key: Of its widget.
        alt: The chart in words.
        heading: What the file says that it shows; by default as its key says, or its words.
    """
    about, source = _about(key), ""
    if key.startswith(("robustness.", "transfer.")):  # results: of which images they are
        source = st.session_state.get(_ABOUT, "")
    headings = (text for start, text in _HEADINGS.items() if key.startswith(start))
    title = plain(heading) or next(headings, plain(alt))
    name = re.sub(r"[^a-zA-Z0-9_-]", "-", key)
    with st.popover(_("Save"), type="tertiary", key=f"save.chart.{key}"):
        _chart_files(
            key=f"files.{key}",
            data={
                "place": f"st-key-{name}",  # Streamlit marks the place of a widget by its key, so
                "name": name,
                "colours": {**TO_LIGHT},  # on white, whatever the page's theme is
                "buttons": {"png": _("Picture (PNG)"), "svg": _("Drawing (SVG)")},
                # Plotly obeys some markup in titles, and names may come from files.
                "heading": escape(title, quote=False),
                "about": [
                    escape(line, quote=False)
                    for line in (", ".join(about.values()), source)
                    if line
                ],
            },
        )
        if has_numbers(figure):
            st.download_button(
                _("Numbers (CSV)"),
                lambda: to_csv(figure, about),
                file_name=f"{key.replace('.', '-')}.csv",
                mime="text/csv",
                key=f"csv.{key}",
                on_click="ignore",
            )


def offer_film(reel: Reel, name: str, title: str) -> None:
    """Buttons that save a film under a name; ``title`` stands above its pictures."""
    from app.figures.animation import to_animation  # here: it loads torch

    kinds: dict[Literal["WebP", "GIF"], str] = {
        "WebP": _("Small, with exact colours."),
        "GIF": _("Larger, and works everywhere."),
    }
    with st.container(horizontal=True):
        for kind, why in kinds.items():
            ending = kind.lower()
            st.download_button(
                _("Save as {kind}", kind=kind),
                partial(to_animation, reel, kind, title),
                file_name=f"{name}.{ending}",
                mime=f"image/{ending}",
                icon=":material/download:",
                key=f"film.save.{name}.{ending}",
                on_click="ignore",
                help=_("An animated picture of all steps. {why}", why=why),
            )


def _about(key: str) -> dict[str, str]:
    """Network, picture and condition of a chart about one picture, as columns of its numbers."""
    from app.shell import controls  # here: it draws charts' pages, which import this

    slot = _SLOTS.get(key.partition(".")[0])
    shown: Shown | None = st.session_state.get(f"shown.{slot}")
    if shown is None or shown.view is None:
        return {}
    columns = {"network": network_files.title(shown.view.model)}
    if not key.startswith(_OF_MANY_PICTURES + _OF_NETWORK):
        columns["picture"] = shown.title
    if not key.startswith(_OF_CLEAN_PICTURE + _OF_NETWORK):
        with english():
            parts = controls.conditions(shown.view, shown.info)
        parts.pop(_ON_AXES.get(key, ""), None)
        columns["condition"] = ", ".join(parts.values())
    return columns
