"""Widgets to values; loads no torch, so that they are there before the networks are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.models.class_names import distinct_names
from advprop_core.types import ModelInfo
from app.shell import cache, erasing, state
from app.shell.messages import tame
from app.shell.pictures import PHOTOS, SCENES
from app.shell.state import View, key

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

PERTURBATIONS = {
    "pgd": "PGD attack",
    "i-fgsm": "I-FGSM attack",
    "fgsm": "FGSM attack",
    "gaussian": "Gaussian noise",
    "poisson": "Poisson noise",
    "salt-and-pepper": "Salt and pepper",
    "erase": "Erase by hand",
    "none": "None",
}
ATTACKS = ("pgd", "i-fgsm", "fgsm")
OWN = "Your folder"
"""The group of a person's own photos."""
NORMS = {"linf": "L∞: every pixel a little", "l2": "L2: the whole change together"}


def settle(models: Mapping[str, ModelInfo]) -> ModelInfo:
    """Replace what the chosen network does not have; call it before the widgets, shown or hidden.

    Returns:
        What is known of the network.
    """
    state.keep_within("model", list(models), next(iter(models)))
    info = models[st.session_state[key("model")]]
    branches = list(info.branches)
    state.keep_within("attack_branch", branches, branches[0])
    for name in ("target", "explained"):
        state.keep_within(name, ["", *info.class_ids], "")
    return info


def model_picker(models: Mapping[str, ModelInfo]) -> None:
    """Which network looks at the picture."""
    st.selectbox(
        "Network",
        list(models),
        key=key("model"),
        help="A trained checkpoint. Those named advprop have two sets of BatchNorm: main, trained "
        "on clean images, and aux, trained on adversarial ones. The others have main alone.",
    )


def perturbation(info: ModelInfo) -> None:
    """How the picture is changed, with the few controls that matter most."""
    st.selectbox(
        "Perturbation",
        list(PERTURBATIONS),
        format_func=PERTURBATIONS.__getitem__,
        key=key("perturbation"),
        help="An attack follows the network's own gradient to change its mind; a noise is "
        "random. FGSM takes one step, I-FGSM several, PGD several from a random start. Erasing "
        "takes parts of the picture away that you mark.",
    )
    kind = st.session_state[key("perturbation")]
    if kind in ATTACKS:
        _strength()
        _attack_branch(info)
    elif kind == "erase":
        erasing.controls()
    elif kind != "none":
        st.slider(
            "Strength of the noise",
            0.0,
            0.5,
            step=0.01,
            key=key("severity"),
            help="Gaussian: standard deviation, where 1 is from black to white. Poisson: the "
            "same at white, less in the dark. Salt and pepper: share of pixels replaced.",
        )


def _strength() -> None:
    if st.session_state[key("norm")] == "linf":
        st.slider(
            "Strength ε, in 1/255",
            0.0,
            16.0,
            step=0.5,
            key=key("epsilon"),
            help="How far each colour value may move, in steps of an 8-bit picture: 4 means "
            "at most 4 of 255. Up to about 8 the eye hardly sees it.",
        )
    else:
        st.slider(
            "Strength ε (L2)",
            0.0,
            5.0,
            step=0.1,
            key=key("radius"),
            help="The Euclidean length of the whole change, where 1 moves a single colour "
            "value from black to white.",
        )


def _attack_branch(info: ModelInfo) -> None:
    st.segmented_control(
        "Attack through",
        list(info.branches),
        key=key("attack_branch"),
        required=True,
        help="Whose gradient makes the perturbation. AdvProp trains with attacks through aux; "
        "attacking main shows whether aux resists what fools main.",
    )


def expert(info: ModelInfo) -> bool:
    """The switch for further controls, and those of the perturbation; returns whether it is on."""
    st.toggle(
        "Expert controls",
        key=key("expert"),
        help="Norm, steps, target class, kind of map and the rest.",
    )
    if not st.session_state[key("expert")]:
        return False
    kind = st.session_state[key("perturbation")]
    if kind in ATTACKS:
        _expert_attack(info, kind)
    if kind not in ("erase", "none"):
        st.number_input(
            "Seed",
            0,
            9999,
            step=1,
            key=key("seed"),
            help="Of the random start or the noise: the same seed gives the same picture.",
        )
    return True


def _expert_attack(info: ModelInfo, kind: str) -> None:
    st.selectbox(
        "Norm",
        list(NORMS),
        format_func=NORMS.__getitem__,
        key=key("norm"),
        help="What the strength measures: the largest change of any value (L∞), or the length "
        "of the whole change (L2).",
    )
    if kind != "fgsm":
        st.slider(
            "Steps",
            1,
            100,
            key=key("steps"),
            help="Gradient steps. More steps find a stronger perturbation of the same size.",
        )
        linf = st.session_state[key("norm")] == "linf"
        st.number_input(
            "Step size, in 1/255" if linf else "Step size (L2)",
            0.0,
            16.0,
            step=0.25,
            key=key("step_size"),
            help="How far one step moves. 0 picks 2.5 × strength / steps.",
        )
    st.selectbox(
        "Target class",
        ["", *info.class_ids],
        format_func=_class_names(info, "none: anything but the right one"),
        key=key("target"),
        help="A targeted attack drives the prediction towards this class.",
    )


def map_picker(info: ModelInfo) -> DeltaGenerator:
    """Which map, of which class; returns the slot of the layer picker."""
    st.selectbox(
        "Map",
        list(METHODS),
        format_func=lambda name: METHODS[name].title,
        key=key("method"),
        help="How to show where a branch looked. What the chosen one measures, and what it cannot "
        "tell, is said below the maps.",
    )
    slot = st.container()
    explained_class(info)
    opacity()
    return slot


def explained_class(info: ModelInfo) -> None:
    """The class all maps are about."""
    st.selectbox(
        "Class the maps explain",
        ["", *info.class_ids],
        format_func=_class_names(info, "the class under attack"),
        key=key("explained"),
        help="All maps explain the same class, so that they can be compared.",
    )


def opacity() -> None:
    """How much of the photo shows through."""
    st.slider(
        "Opacity of the maps",
        0,
        100,
        step=5,
        format="%d %%",
        key=key("opacity"),
        help="0 shows the photo alone, 100 the map alone.",
    )


def layer_picker(
    slot: DeltaGenerator | None, methods: Sequence[str], layers: Mapping[str, str], default: str
) -> None:
    """Which layer a layer map is made at; drawn once the network is loaded.

    Without a slot, only a layer that this network does not have is replaced.

    Args:
        slot: Where to draw it.
        methods: The maps that are chosen.
        layers: Name to what a person reads, shallow to deep.
        default: Layer that is taken when none is named.
    """
    state.keep_within("layer", ["", *layers], "")
    if slot is None or not any(METHODS[name].needs_layer for name in methods):
        return
    slot.selectbox(
        "Layer",
        ["", *layers],
        format_func=lambda name: layers.get(name, f"{default} (default)" if default else "none"),
        key=key("layer"),
        help="Early layers see edges in fine detail, late ones see objects coarsely. The default "
        "is the deepest stage whose map is fine enough to point at something.",
    )


def _class_names(info: ModelInfo, empty: str) -> Callable[[str], str]:
    names = distinct_names(info.classes)  # of two equal texts a browser would take the last
    return lambda identity: names.get(identity, empty)


def sample_sources() -> dict[str, list[tuple[str, str]]]:
    """Group title to (source, title) of the pictures on offer."""
    groups = {
        "Scenes": [(f"scene:{i}", f"Scene {i + 1}") for i in range(SCENES)],
        "Texture conflicts": [(f"conflict:{i}", f"Conflict {i + 1}") for i in range(SCENES)],
        "Photos": [(f"photo:{name}", title) for name, title in PHOTOS.items()],
    }
    if own := cache.own_photos().names:
        groups[OWN] = [(f"folder:{name}", tame(name)) for name in own]
    return groups


def describe(view: View) -> str:
    """The perturbation in words, for captions."""
    if view.perturbation == "erase":
        return erasing.describe(view)
    if view.perturbation not in ATTACKS:
        return PERTURBATIONS[view.perturbation]
    radius = f"{view.epsilon:g}/255" if view.norm == "linf" else f"{view.radius:g}"
    norm = "L∞" if view.norm == "linf" else "L2"
    return f"{PERTURBATIONS[view.perturbation]}, {norm} ε = {radius}, through {view.attack_branch}"
