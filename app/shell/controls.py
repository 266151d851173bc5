"""Widgets to values; loads no torch, so that they are there before the networks are."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.attribution.methods import METHODS
from advprop_core.models.class_names import distinct_names, find_class
from advprop_core.text import NORM_TITLES, NORM_UNITS, radius
from advprop_core.types import ModelInfo
from app.language.text import N_, _, reader
from app.shell import erasing, network_files, opening, state
from app.shell.cache import Lens
from app.shell.fields import ends, number, segments, select, slider
from app.shell.messages import FEW_CLASSES, NETWORK_GONE
from app.shell.pictures import suggested
from app.shell.state import key
from app.shell.view import (
    ATTACKS,
    EXPLAINED,
    KINDS,
    MAPS,
    NORMS,
    PERTURBATIONS,
    SCALES,
    STRENGTHS,
    View,
)

_STRENGTHS = {
    "linf": (
        N_("Strength ε, in 1/255"),
        0.5,
        N_(
            "How far each colour value may move, in steps of an 8-bit picture: 4 means at most 4 "
            "of 255. Up to about 8 it is hardly visible."
        ),
    ),
    "l2": (
        N_("Strength ε (L2)"),
        0.1,
        N_(
            "The Euclidean length of the whole change, where 1 moves a single colour value from "
            "black to white."
        ),
    ),
}
_LIMITS = {
    "linf": N_("ε: no colour value changes by more than {strength:g} of 255 levels."),
    "l2": N_("ε: the length of the whole change is at most {strength:g}."),
}
"""The strength, for whoever meets ε for the first time."""
_STEP_SIZES = {"linf": N_("Step size, in 1/255"), "l2": N_("Step size (L2)")}

_KIND = "perturbation.kind"
_WHICH = {"Attack": N_("Kind of attack"), "Noise": N_("Kind of noise")}
_IN_WORDS = {
    "pgd": N_("Many small steps from a random start, each away from the answer."),
    "i-fgsm": N_("Several steps, each away from the answer."),
    "fgsm": N_("One step away from the answer."),
    "gaussian": N_("Random: every colour value is shifted up or down."),
    "poisson": N_("Random: as in a photo taken with little light."),
    "salt-and-pepper": N_("Random: some pixels turn black or white."),
}
_TARGETED = {
    "pgd": N_("Many small steps from a random start, each towards the target class."),
    "i-fgsm": N_("Several steps, each towards the target class."),
    "fgsm": N_("One step towards the target class."),
}


def settle(models: Mapping[str, ModelInfo]) -> ModelInfo:
    """Replace what the chosen network does not have; call it before the widgets, shown or hidden.

    Returns what is known of the network.
    """
    reason = _(NETWORK_GONE) if network_files.was_opened(state.value("model")) else ""
    state.keep_within("model", list(models), reason)
    info = models[state.value("model")]
    state.keep_within("attack_branch", list(info.branches))
    state.keep_within("target", ["", *info.class_ids])
    state.keep_within("true_class", ["", *info.class_ids])
    state.keep_within("explained", [*EXPLAINED, *info.class_ids])
    return info


def model_picker(models: Mapping[str, ModelInfo]) -> None:
    """Which network looks at the picture."""
    st.selectbox(
        _("Network"),
        list(models),
        format_func=network_files.title,
        key=key("model"),
        on_change=_suit_picture,
        args=(models,),
        help=_(
            "A trained checkpoint. imagenet-lite0 and networks named advprop have two sets of "
            "BatchNorm: main, trained on clean images, and aux, trained on adversarial images. "
            "The other bundled networks have only main."
        ),
    )
    opening.button("opening.sidebar", type="tertiary")


def _suit_picture(models: Mapping[str, ModelInfo]) -> None:
    """A picture that the app proposed gives way to one that the new network knows, if any."""
    fields, now = st.session_state["fields"], models[state.value("model")]
    before = models.get(fields["model"])
    names = dict(before.classes) if before else {}
    for field in ("target", "true_class"):  # they stay where the new network has that name
        if (name := names.get(fields[field])) is not None:
            index = find_class(now.classes, name)
            state.choose(**{field: "" if index is None else now.class_ids[index]})
    proposals = {*map(suggested, models.values())}
    picture, shown = suggested(now) or View().image, state.value("image")
    if shown in proposals and picture != shown:
        choose_picture(picture)
        st.toast(_("The picture changed with the network."), icon=":material/image:")


def choose_picture(source: str) -> None:
    """Take another picture; what was said of the one before is not true of it."""
    state.choose(image=source, true_class="")


def _perturbation_kind() -> None:
    chosen = state.value("perturbation")
    kind = next(kind for kind, members in KINDS.items() if chosen in members)
    st.session_state[_KIND] = kind
    st.segmented_control(
        _("Change the picture by"),
        list(KINDS),
        format_func=reader(),
        key=_KIND,
        required=True,
        on_change=lambda: state.choose(perturbation=KINDS[st.session_state[_KIND]][0]),
        help=_(
            "An attack follows the network's gradient to change its answer. Noise is random. "
            "To erase, mark parts of the picture."
        ),
    )
    if len(KINDS[kind]) > 1:
        titles = {name: PERTURBATIONS[name] for name in KINDS[kind]}
        select(_(_WHICH[kind]), titles, "perturbation", label_visibility="collapsed")
        towards = state.value("target") and kind == "Attack"
        st.caption(_(_TARGETED[chosen] if towards else _IN_WORDS[chosen]))


def _strength() -> None:
    """A slider to feel it, a number to type, and what it means."""
    norm = state.value("norm")
    field, (title, step, help) = STRENGTHS[norm], _STRENGTHS[norm]
    strength, typed = state.value(field), f"typed.{field}"
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    with left:
        slider(_(title), field, _(help), step=step, format="%g")
    st.session_state[typed] = strength  # anew at each run, for the slider may have moved
    right.number_input(
        _("{title}, typed", title=_(title)),
        step=step,
        key=typed,
        format="%g",
        label_visibility="collapsed",
        on_change=lambda: state.choose(**{field: st.session_state[typed]}),
        **ends(field),
    )
    limit = _(_LIMITS[norm], strength=strength)
    st.caption(limit if strength else _("At 0 nothing changes."))


def perturbation(info: ModelInfo) -> None:
    """How the picture is changed, with the few controls that matter most."""
    _perturbation_kind()
    kind = state.value("perturbation")
    if kind in ATTACKS:
        _strength()
        branch = segments(
            _("Attack through"),
            {branch: branch for branch in info.branches},
            "attack_branch",
            _(
                "The branch whose gradient the attack follows. AdvProp trains with attacks "
                "through aux. Attack main to see whether aux resists what fools main."
            ),
        )
        sentence = _("The attack uses the gradient of {branch}. All branches see the same picture.")
        st.caption(sentence.format(branch=branch))
    elif kind == "erase":
        erasing.controls()
    elif kind != "none":
        slider(
            _("Strength of the noise"),
            "severity",
            _(
                "Gaussian: standard deviation, where 1 is the step from black to white. Poisson: "
                "standard deviation at white; dark pixels have less noise. Salt and pepper: share "
                "of replaced pixels."
            ),
            step=0.01,
        )


def expert(info: ModelInfo) -> bool:
    """The switch for further controls, and those of the perturbation; returns whether it is on."""
    help = _("Norm, steps, target class, kind of map and the rest.")
    if not st.toggle(_("Expert controls"), key=key("expert"), help=help):
        return False
    kind = state.value("perturbation")
    if kind in ATTACKS:
        help = _(
            "What the strength measures: the largest change of any value (L∞), or the length "
            "of the whole change (L2)."
        )
        select(_("Norm"), NORMS, "norm", help)
        if kind != "fgsm":
            help = _("Gradient steps. More steps find a stronger perturbation of the same size.")
            slider(_("Steps"), "steps", help)
            _step_size()
        target_class(info, key("target"))
    if kind not in ("erase", "none"):
        number(
            _("Seed"), "seed", _("The same seed gives the same random start, or the same noise.")
        )
    return True


def _step_size() -> None:
    """How far a step moves; an empty field means what follows from strength and steps."""
    session = st.session_state
    norm, typed = state.value("norm"), "typed.step_size"
    session[typed] = state.value("step_size") or None
    automatic = 2.5 * state.value(STRENGTHS[norm]) / state.value("steps")
    st.number_input(
        _(_STEP_SIZES[norm]),
        step=0.25,
        format="%g",
        key=typed,
        placeholder=_("automatic: {size:.3g}", size=automatic),
        help=_("How far one step moves. An empty field picks 2.5 × strength / steps."),
        on_change=lambda: state.choose(step_size=session[typed] or 0.0),
        **ends("step_size"),
    )


def target_class(info: ModelInfo, widget: str, **options: Any) -> None:
    """The class that a targeted attack wants."""
    class_picker(
        info,
        _("Target class"),
        {"": _("none: any wrong class")},
        key=widget,
        help=_("A targeted attack drives the prediction towards this class."),
        **options,
    )


def of_picture(info: ModelInfo, *, one_class: bool = False) -> DeltaGenerator | None:
    """How the picture is changed and which map is made; returns the slot of the layer picker.

    ``one_class`` is that of :func:`explained_class`.
    """
    perturbation(info)
    if not expert(info):
        return None
    select(
        _("Map"),
        MAPS,
        "method",
        _(
            "The method that shows where a branch looked. The text below the maps says what the "
            "method measures, and what it cannot show."
        ),
    )
    slot = st.container()
    explained_class(info, one_class=one_class)
    opacity()
    return slot


def true_class(info: ModelInfo) -> None:
    """What a person knows of a picture whose class nothing else tells."""
    class_picker(
        info,
        _("What does it show?"),
        {"": _("not known")},
        key=key("true_class"),
        help=_(
            "The attack moves the answer away from this class. ✓ marks this class among the "
            "answers."
        ),
    )


def explained_class(info: ModelInfo, *, one_class: bool) -> None:
    """What the maps are about; with ``one_class`` all are about the same."""
    besides = EXPLAINED
    if one_class:  # where each branch's own answer is chosen, it is the class under attack
        chosen = state.value("explained")
        besides = {chosen if chosen in EXPLAINED else "attacked": EXPLAINED["attacked"]}
    class_picker(
        info,
        _("The maps explain"),
        {choice: _(title) for choice, title in besides.items()},
        key=key("explained"),
        help=_(
            "A map shows the evidence for one class. This can be the answer of its branch to its "
            "picture, or the same class in all maps, so that you can compare them."
        ),
    )


def class_picker(info: ModelInfo, title: str, besides: Mapping[str, str], **options: Any) -> None:
    """A class of the network, or one of the keys of ``besides``, whose values stand there."""
    names = distinct_names(info.classes)  # of two equal texts a browser would take the last
    if info.num_classes > FEW_CLASSES:  # typing searches this text: by id as well as by name
        names = {
            identity: name if identity in name else f"{name} ({identity})"
            for identity, name in names.items()
        }
    titles = {**names, **besides}
    st.selectbox(title, [*besides, *info.class_ids], format_func=titles.__getitem__, **options)


def scale() -> None:
    """Which maps share a colour scale."""
    segments(
        _("One colour scale for"),
        SCALES,
        "scale",
        _(
            "On its own scale, every map shows where a branch looked. On one scale for all, the "
            "maps also show how strongly."
        ),
    )


def opacity() -> None:
    """How much of the photo shows through."""
    slider(
        _("Opacity of the maps"),
        "opacity",
        _("0 shows the photo alone, 100 the map alone."),
        step=5,
        format="%d %%",
    )


def layer_picker(slot: DeltaGenerator | None, view: View, lens: Lens) -> None:
    """Which layer a layer map is made at; drawn in its slot once the network is loaded.

    Without a slot, only a layer that this network does not have is replaced.
    """
    layers, default = lens.layers, lens.default_layer
    state.keep_within("layer", ["", *layers])
    if slot is None or not any(METHODS[name].needs_layer for name in view.map_kinds):
        return
    none = _("{default} (default)", default=default) if default else _("none")
    slot.selectbox(
        _("Layer"),
        ["", *layers],
        format_func=lambda name: layers.get(name, none),
        key=key("layer"),
        help=_(
            "Early layers see edges in fine detail, late ones see objects coarsely. The default "
            "is the deepest stage whose map is fine enough to point at something."
        ),
    )


def conditions(view: View, info: ModelInfo) -> dict[str, str]:
    """The perturbation in words: its kind, and of an attack strength, branch and target."""
    if view.perturbation == "erase":
        return {"kind": erasing.describe(view)}
    parts = {"kind": _(PERTURBATIONS[view.perturbation])}
    if view.perturbation in ATTACKS:
        strength = radius(view.strength / NORM_UNITS[view.norm], view.norm)
        parts["strength"] = f"{NORM_TITLES[view.norm]} ε = {strength}"
        parts["branch"] = _("through {branch}", branch=view.attack_branch)
        if view.target:
            name = dict(info.classes)[view.target]
            parts["target"] = _("towards {name}", name=name)
    return parts


def describe(view: View, info: ModelInfo) -> str:
    """The perturbation in words, for captions."""
    return _(", ").join(conditions(view, info).values())
