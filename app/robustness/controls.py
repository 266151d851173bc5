"""Widgets of the Robustness page; loads no torch.

While a run is on they cannot be moved: the link then names the run, and a reload finds it.
"""

from collections.abc import Iterable, Mapping

import streamlit as st

from advprop_core.attacks.named import AUTOATTACK
from advprop_core.types import ModelInfo
from app.language.text import N_, _, listing, titled
from app.robustness.measurement import DATA, data_for
from app.robustness.view import RobustnessView
from app.shell import network_files, runs, samples, state
from app.shell.fields import number, select, slider
from app.shell.messages import safe
from app.shell.state import key
from app.shell.view import ATTACKS as GRADIENT_ATTACKS
from app.shell.view import NORMS

ATTACKS = {**GRADIENT_ATTACKS, AUTOATTACK: N_("AutoAttack (slow)")}
BALLS = {"linf": "1/255, 2/255, 4/255", "l2": "0.5, 1, 2"}
MOST_MODELS = 6
_NAMED = 6  # class folders, of many
_PAIR = ("shapes-vanilla", "shapes-advprop")


def settle(models: Mapping[str, ModelInfo]) -> None:
    """Replace what is not available, before the widgets."""
    tested = _first(models, state.default().model)
    image_sets = _sets(models, tested)
    state.opens_with(tested=tested, data=next(iter(image_sets or DATA)))
    pair = _first(models, st.session_state[key("model")])
    runs.settle_networks("tested", models, MOST_MODELS, pair)
    image_sets = _sets(models, st.session_state[key("tested")])
    state.settle("data", list(image_sets or DATA))


def _sets(models: Mapping[str, ModelInfo], names: Iterable[str]) -> dict[str, str]:
    return data_for({name: models[name] for name in names})


def _first(models: Mapping[str, ModelInfo], playground: str) -> tuple[str, ...]:
    """The Playground's network, where there are images for it; else a pair that has some."""
    can_be_measured = playground in models and _sets(models, [playground])
    if {*_PAIR} <= {*models} and (playground in _PAIR or not can_be_measured):
        return _PAIR
    return (playground if playground in models else next(iter(models)),)


def show(models: Mapping[str, ModelInfo], view: RobustnessView, busy: bool) -> None:
    """All that decides a run."""
    titles = {name: network_files.title(name) for name in models}
    help = _("Every branch of every network is measured on the same images.")
    runs.networks("tested", titles, MOST_MODELS, help, disabled=busy)
    image_sets = _sets(models, view.tested)
    help = _(
        "Scenes are drawn by this project, and were not used for training. Your own folder is the "
        "one that `advprop app --images` names. It needs a folder for each class. If it has the "
        "folders train and val with these class folders, val is measured. You can also upload "
        "photos as a zip, below."
    )
    is_fixed = busy or not image_sets
    select(_("Test images"), image_sets or DATA, "data", help, disabled=is_fixed)
    samples.uploader("data", disabled=busy)
    for key_of_set, title in samples.offered().items():
        if key_of_set not in image_sets:
            folders = listing([*map(safe, samples.classes_of(key_of_set))], _NAMED)
            sentence = _("No folder of {title} is a class of these networks: {folders}.")
            st.caption(sentence.format(title=safe(title), folders=folders))
    help = _("More images make intervals narrower: half as wide with four times as many.")
    number(_("Number of images, 10 to 2000"), "images", help, disabled=busy)
    st.multiselect(
        _("Attacks"),
        list(ATTACKS),
        format_func=titled(ATTACKS),
        key=key("attacks"),
        placeholder=_("No attack"),
        disabled=busy,
        help=_(
            "PGD is the strongest quick attack. If FGSM fools more images than PGD, the gradient "
            "is masked, and the page says so. AutoAttack, an ensemble without settings, takes up "
            "to 490 times as long as PGD: some seconds for each image that it does not fool."
        ),
    )
    if view.attacks:
        help = _("Radii with commas between them, such as 1/255, 2/255, or 0.5, 1 for L2.")
        st.text_input(_("Strengths ε"), key=key("radii"), disabled=busy, help=help)
    help = _("Noise, blur, weather and more: the 15 kinds of ImageNet-C, made by this app.")
    _switch(_("Corruptions"), "corrupted", help, busy)
    if view.corrupted:
        st.pills(
            _("Severities"),
            ["1", "2", "3", "4", "5"],
            selection_mode="multi",
            key=key("severities"),
            disabled=busy,
            help=_("1 is mild, 5 severe."),
        )
    help = _(
        "Images with something removed: outlines (shuffled patches), colour, surfaces (only "
        "edges stay), fine detail or coarse structure."
    )
    _switch(_("Probes"), "probed", help, busy)
    help = _(
        "For each image the smallest radius at which PGD fools a branch, up to 16/255 (L∞) "
        "or 4 (L2). It takes about as long as ten attacks."
    )
    _switch(_("Smallest ε"), "searched", help, busy)
    if view.attacks:
        _expert(view, busy)


def _switch(title: str, field: str, help: str, busy: bool) -> None:
    st.toggle(title, key=key(field), disabled=busy, help=help)


def _expert(view: RobustnessView, busy: bool) -> None:
    help = _("Norm, steps, restarts and attack branch.")
    st.toggle(_("Expert controls"), key=key("expert"), help=help)
    if not view.expert:
        return
    help = _(
        "Each branch is attacked through its own gradient. With this, each attack also "
        "uses the gradients of the network's other branches: whose perturbation harms whom?"
    )
    _switch(_("Attack through each branch"), "through_each", help, busy)
    help = _(
        "Also measures noise of every ε, and PGD with no limit on ε. Noise must fool fewer "
        "images than attacks, and with no limit every image must be fooled. Otherwise the "
        "gradient is masked, and the page says so."
    )
    _switch(_("Check the gradients"), "sanity", help, busy)

    def other_ball() -> None:  # radii of one norm mean nothing in another
        state.choose(radii=BALLS[st.session_state[key("ball")]])

    help = _(
        "What ε measures: the largest change of any value (L∞), or the length of the whole "
        "change (L2)."
    )
    select(_("Norm"), NORMS, "ball", help, disabled=busy, on_change=other_ball)
    if {*view.attacks} & {"pgd", "i-fgsm"}:
        slider(_("Steps"), "attack_steps", _("Gradient steps of PGD and I-FGSM."), disabled=busy)
    if "pgd" in view.attacks:
        help = _("Random starts of PGD: an image counts as robust only if every start fails.")
        slider(_("Restarts"), "restarts", help, disabled=busy)
