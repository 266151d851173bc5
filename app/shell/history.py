"""Undo, redo and reset: the views of a page, one after another; and the link to share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from app.language.text import N_, _, join
from app.shell import cache, language, network_files, state
from app.shell.links import encode
from app.shell.messages import quote
from app.shell.view import EXPLAINED, View, rules, settings

_STEPS = {
    -1: (N_("Undo"), "Ctrl+Z", N_("Undo what was chosen on this page ({keys}).")),
    1: (N_("Redo"), "Ctrl+Shift+Z", N_("Redo what was chosen on this page ({keys}).")),
}
_MOST = 200  # views that are remembered
# What the widgets are called, in short.
_TITLES = {
    "model": N_("network"), "image": N_("picture"), "true_class": N_("what the picture shows"),
    "perturbation": N_("perturbation"), "norm": N_("Norm"), "epsilon": "ε", "radius": "ε",
    "severity": N_("strength of the noise"), "steps": N_("Steps"), "step_size": N_("step size"),
    "attack_branch": N_("attack through"), "target": N_("target class"), "seed": N_("Seed"),
    "regions": N_("Erase by hand"), "fill": N_("Fill with"), "method": N_("Map"),
    "layer": N_("Layer"), "explained": N_("what the maps explain"), "scale": N_("colour scale"),
    "opacity": N_("Opacity of the maps"), "expert": N_("expert controls"),
    "photos": N_("Photos of your own"), "studio": N_("attack studio"),
    "beside": N_("what is beside it"),
    # Maps, Visualise
    "maps": N_("Maps"), "checked": N_("Check these maps"), "wished": N_("Draw"),
    "wished_class": N_("Class"), "channel": N_("Channel"), "begins_with": N_("Start from"),
    "reach": N_("Strength ε (L2)"), "visual_steps": N_("Steps"),
    "second_model": N_("Network beside it"),
    # Anatomy
    "second": N_("Compared with"), "dial": N_("dial"), "moved": N_("What moves"),
    "moved_layers": N_("Layers that move"), "measure": N_("What differs"),
    "norm_layer": N_("Layer"), "gap_by": N_("What is swapped"), "looked_into": N_("tab"),
    "calibrated": N_("calibrated branch"),
    # Robustness
    "tested": N_("Networks"), "data": N_("Test images"), "images": N_("Images"),
    "attacks": N_("Attacks"), "ball": N_("Norm"), "radii": N_("Strengths ε"),
    "attack_steps": N_("Steps"), "restarts": N_("Restarts"),
    "through_each": N_("Attack through each branch"), "sanity": N_("Check the gradients"),
    "searched": N_("Smallest ε"), "probed": N_("Probes"), "corrupted": N_("Corruptions"),
    "severities": N_("Severities"), "results": N_("Results"), "part": N_("tab"),
    "transfer": N_("Network and attack"), "corrupted_branch": N_("Branch"),
    "compared_with": N_("Compared with"), "confidence_under": N_("How images were changed"),
    "pictured": N_("branches"), "asked": N_("Question"), "asked_on": N_("Measured on"),
    "gallery_network": N_("Network"), "gallery_condition": N_("How images were changed"),
    "gallery_group": N_("Which images"),
    # Transfer, Influence
    "contenders": N_("Networks"), "new_task": N_("New task"), "amounts": N_("Training images"),
    "repeats": N_("Seeds"), "rounds": N_("Epochs"), "learned": N_("Results"),
    "learned_part": N_("tab"), "drawn": N_("networks in the figures"),
    "trained_on": N_("Training images"), "training_images": N_("How many training images"),
    "shown_images": N_("Images to show"),
    "influence_part": N_("tab"), "flagged": N_("Flagged"),
}  # fmt: skip
# What their values are called is known on their pages alone.
_UNSAID = ("image", "regions", "beside", "photos", "checked", "data", "results", "transfer",
           "corrupted_branch", "compared_with", "confidence_under", "pictured", "asked", "asked_on",
           "gallery_condition", "gallery_group", "learned", "flagged")  # fmt: skip
_CLASSES = ("true_class", "target", "explained")
# Of values whose fields take others, too.
_MORE_TITLES: dict[str, Mapping[Any, str]] = {
    "explained": EXPLAINED,
    "step_size": {0.0: N_("automatic")},
}
_LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@dataclass
class History:
    """Where a person is among the views that they chose on a page.

    Attributes:
        views: Oldest first.
        at: Index of the one that is shown.
    """

    views: list[View]
    at: int = 0

    def choose(self, view: View) -> None:
        """Add a view that was chosen now; what was undone before it is forgotten.

        One in which only another tab is open is no step.
        """
        if settings(view) != settings(self.views[self.at]):
            self.views = [*self.views[: self.at + 1], view][-_MOST:]
            self.at = len(self.views) - 1
        self.views[self.at] = view

    def has(self, by: int) -> bool:
        """Whether there is a step back (-1) or forward (1)."""
        return 0 <= self.at + by < len(self.views)


def record(view: View) -> None:
    """The view that is shown now; call it once a run, when it has settled."""
    session, name = st.session_state, _key(view)
    history: History = session.setdefault(name, History([view]))
    if session.pop(f"{name}.step", False):
        history.views[history.at] = view  # a network may lack what the step asked
    else:
        history.choose(view)
    if (left := session["left"]) is not None:
        _say(_("Back"), left, view)


def toolbar(view: View) -> None:
    """Undo, redo, reset and share."""
    default = state.default()
    history: History = st.session_state[_key(view)]
    with st.container(horizontal=True, gap="small", key="toolbar"):
        for by, (title, keys, help) in _STEPS.items():
            st.button(
                _(title),
                key=f"history.{title}",
                icon=f":material/{title.lower()}:",
                type="tertiary",
                shortcut=keys,
                help=_(help, keys=keys),
                disabled=not history.has(by),
                on_click=_step,
                args=(view, by, _(title)),
            )
        st.button(
            _("Reset"),
            key="history.reset",
            type="tertiary",
            disabled=settings(view) == settings(default),
            help=_("Sets everything on this page back to the start. Undo restores your settings."),
            on_click=state.choose,
            kwargs=settings(default),
        )
        with st.popover(_("Share"), type="tertiary"):
            address = st.context.url or ""
            st.markdown(_("This link opens the app as you see it now."))
            st.code(link(view, address), language=None, wrap_lines=True)
            for sentence in not_carried(view, address):
                st.caption(sentence)


def changes(before: View, after: View) -> list[str]:
    """What differs, a phrase each: ``ε 4 → 8``."""
    phrases = []
    for name in (name for name, value in vars(after).items() if value != getattr(before, name)):
        title = _(_TITLES[name])
        phrase = title[:1].lower() + title[1:]  # within a sentence
        if name not in _UNSAID:
            phrase += f" {_value(name, before)} → {_value(name, after)}"
        phrases.append(phrase)
    return phrases


def link(view: View, page_address: str) -> str:
    """The address that opens this view."""
    return f"{page_address.partition('?')[0]}?{urlencode({**encode(view), **language.in_link()})}"


def not_carried(view: View, address: str) -> list[str]:
    """What whoever opens the link may not see, a sentence each."""
    reasons = {
        _(
            "Your photo is not in the link. This server stores it for a while. After that, the "
            "link opens without it."
        ): view.image.startswith("upload:"),
        _(
            "The photo is not in the link. It lies in a folder of this server."
        ): view.image.startswith("folder:"),
        _(
            "The network is not in the link. This server stores it for a while. Until it is "
            "deleted, everyone with the link can use it."
        ): network_files.was_opened(view.model),
        _("This address works only on this machine."): urlsplit(address).hostname in _LOCAL,
    }
    return [sentence for sentence, is_so in reasons.items() if is_so]


def _step(view: View, by: int, title: str) -> None:
    session, name = st.session_state, _key(view)
    history: History = session[name]
    if not history.has(by):  # pressed twice before the page was drawn anew
        return
    history.at += by
    session[f"{name}.step"] = True
    wanted = history.views[history.at]
    state.choose(**vars(wanted))
    _say(title, view, wanted)


def _say(title: str, before: View, after: View) -> None:
    if changed := changes(before, after):
        st.toast(f"{title}: {join(changed[:3])}", icon=":material/history:")


def _value(name: str, view: View) -> str:
    value = getattr(view, name)
    if name == "model":
        return quote(network_files.title(value))
    titles = _MORE_TITLES.get(name) or rules(type(view))[name].metadata.get("titles", {})
    is_class = name in _CLASSES and value not in titles
    if is_class and (info := cache.known_models([view.model]).get(view.model)):
        value = dict(info.classes).get(value, value)
    several = isinstance(value, tuple) and value
    return join([_word(each, titles) for each in (value if several else [value])])


def _word(value: Any, titles: Mapping[Any, str]) -> str:
    if value in titles:
        return _(titles[value])
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, float):
        return f"{value:g}"
    return quote(str(value)) if value not in ("", ()) else _("none")


def _key(view: View) -> str:
    return f"history.{type(view).__name__}"
