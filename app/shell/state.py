"""What a person has chosen on the Playground: typed, in the session, and in the link.

A link holds a version and whatever differs from that version's defaults, so that a changed
default does not change an old link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.pictures.regions import FILLS, parse_regions
from app.shell.messages import quote

VERSION = 1


@dataclass(frozen=True)
class View:
    """Everything that decides what the Playground shows.

    Attributes:
        model: Name of a model.
        image: Where the picture comes from; see :mod:`app.shell.pictures`.
        perturbation: A key of :data:`app.shell.controls.PERTURBATIONS`.
        norm: ``linf`` or ``l2``.
        epsilon: L-infinity radius in 1/255.
        radius: L2 radius in pixel units.
        severity: Of a noise, in pixel units or as a share of pixels.
        steps: Attack steps.
        step_size: Move per step in 1/255 (L-infinity) or pixel units (L2); 0 picks it.
        attack_branch: Whose gradient the attack follows.
        target: Class id a targeted attack wants, or empty.
        seed: Of random starts and noises.
        regions: What is erased by hand, as :mod:`advprop_core.pictures.regions` writes it.
        fill: What is put in its place; one of :data:`advprop_core.pictures.regions.FILLS`.
        method: Kind of map.
        layer: Layer of the map, or empty for the method's own choice.
        explained: Class id the maps explain, or empty for the class under attack.
        opacity: Of the map over the photo, in percent.
        expert: Whether the further controls are shown.
        studio: Which part of the attack studio is open, or empty.
        maps: Kinds of map that the Maps page shows beside each other.
        second: The branch that the Anatomy page compares with main.
        dial: How far the blend of the two is from main, in percent.
        moved: What moves with the dial: ``both``, ``statistics`` or ``affine``.
        moved_layers: Stages and layers that move with it, or none for all.
        measure: How the distance of norm layers is measured.
        norm_layer: The norm layer that is looked into, or empty for the one that differs most.
        gap_by: Whether a ``stage`` or a ``layer`` is swapped at a time.
        calibrated: Whether a network with main alone is given a calibrated auxiliary branch.
        tested: Networks that the Robustness page measures; empty until it is opened.
        data: What it measures them on; a key of :data:`app.robustness.measurement.DATA`, or empty
            for the first that the networks know.
        images: Number of images.
        attacks: Kinds of attack.
        ball: Their norm.
        radii: Their radii, as people write them.
        attack_steps: Steps of attacks that take several.
        restarts: Random starts of PGD.
        through_each: Whether attacks go through each branch in turn.
        sanity: Whether it is checked that gradients are not masked.
        searched: Whether the smallest radius that turns each image is searched for.
        probed: Whether images are shown without outlines, colour and the like.
        corrupted: Whether corruptions are measured.
        severities: Which of theirs.
        results: ``run``, ``file`` or the name of bundled results; empty for what is there.
    """

    model: str = "shapes-advprop"
    image: str = "scene:2"
    perturbation: str = "pgd"
    norm: str = "linf"
    epsilon: float = 4.0
    radius: float = 1.0
    severity: float = 0.1
    steps: int = 10
    step_size: float = 0.0
    attack_branch: str = "main"
    target: str = ""
    seed: int = 0
    regions: str = ""
    fill: str = "grey"
    method: str = "grad-cam"
    layer: str = ""
    explained: str = ""
    opacity: int = 60
    expert: bool = False
    studio: str = ""
    maps: tuple[str, ...] = ("grad-cam", "smoothgrad")
    second: str = "aux"
    dial: int = 50
    moved: str = "both"
    moved_layers: tuple[str, ...] = ()
    measure: str = "mean_shift"
    norm_layer: str = ""
    gap_by: str = "stage"
    calibrated: bool = False
    tested: tuple[str, ...] = ()
    data: str = ""
    images: int = 64
    attacks: tuple[str, ...] = ("pgd",)
    ball: str = "linf"
    radii: str = "1/255, 2/255, 4/255"
    attack_steps: int = 10
    restarts: int = 1
    through_each: bool = False
    sanity: bool = False
    searched: bool = False
    probed: bool = False
    corrupted: bool = False
    severities: tuple[str, ...] = ("1", "3", "5")
    results: str = ""


# What a link of each version leaves unsaid. An entry is never changed once links exist.
DEFAULTS: dict[int, View] = {1: View()}

_FIELDS = {field.name: type(getattr(View(), field.name)) for field in fields(View)}
# What lies outside is refused here, for a widget would fail: the widgets have the same bounds.
BOUNDS: dict[str, tuple[float, float]] = {
    "epsilon": (0, 16),
    "radius": (0, 5),
    "severity": (0, 0.5),
    "steps": (1, 100),
    "step_size": (0, 16),
    "seed": (0, 9999),
    "opacity": (0, 100),
    "dial": (0, 100),
    "images": (10, 2000),
    "attack_steps": (1, 100),
    "restarts": (1, 20),
}
MOST_MAPS = 6
_CHOICES: dict[str, tuple[str, ...]] = {
    "perturbation": (
        "pgd",
        "i-fgsm",
        "fgsm",
        "gaussian",
        "poisson",
        "salt-and-pepper",
        "erase",
        "none",
    ),
    "norm": ("linf", "l2"),
    "method": tuple(METHODS),
    "fill": FILLS,
    "studio": ("", "sweep", "film", "matrix"),
    "maps": tuple(METHODS),
    "moved": ("both", "statistics", "affine"),
    "measure": (
        "mean_shift",
        "log_variance_ratio",
        "divergence",
        "gamma_change",
        "beta_change",
        "output_change",
    ),
    "gap_by": ("stage", "layer"),
    "attacks": ("pgd", "i-fgsm", "fgsm", "autoattack"),
    "ball": ("linf", "l2"),
    "severities": ("1", "2", "3", "4", "5"),
}


def encode(view: View) -> dict[str, str]:
    """A view as query parameters: the version, then what differs from its defaults."""
    base = DEFAULTS[VERSION]
    changed = {
        name: _write(getattr(view, name))
        for name in _FIELDS
        if getattr(view, name) != getattr(base, name)
    }
    return {"v": str(VERSION), **changed}


def decode(parameters: Mapping[str, str], default: View | None = None) -> tuple[View, list[str]]:
    """Query parameters as a view, and what of them could not be used.

    Args:
        parameters: Of the address; without ``v`` it is no link of ours and the newest defaults
            hold.
        default: What a page without any parameter shows.

    Returns:
        The view, and one sentence for each parameter that was left out.
    """
    complaints = []
    version = parameters.get("v", str(VERSION))
    if version not in map(str, DEFAULTS):
        complaint = f"This link is of version {quote(version)}, which is not known here."
        return default or View(), [complaint]
    base = DEFAULTS[int(version)] if "v" in parameters else default or DEFAULTS[VERSION]
    values: dict[str, Any] = {}
    for name, text in parameters.items():
        if name in _FIELDS:
            try:
                values[name] = _read(name, text)
            except ValueError:
                complaints.append(_complaint(name, text))
    return replace(base, **values), complaints


def _complaint(name: str, text: str) -> str:
    return f"The link asks for {name} = {quote(text)}, which cannot be had here."


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _read(name: str, text: str) -> str | int | float | bool | tuple[str, ...]:
    kind = _FIELDS[name]
    if kind is bool:
        if text not in ("0", "1"):
            raise InputError(name)
        return text == "1"
    if kind is tuple:
        words = tuple(text.split(",")) if text else ()
        if len(set(words)) != len(words) or not {*words} <= {*_CHOICES.get(name, words)}:
            raise InputError(name)
        if name == "maps" and len(words) > MOST_MAPS:
            raise InputError(name)
        return words
    value: str | int | float = kind(text)
    if name in BOUNDS and not BOUNDS[name][0] <= value <= BOUNDS[name][1]:  # type: ignore[operator]
        raise InputError(name)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise InputError(name)
    if name == "regions":
        parse_regions(text)
    return value


# -- the session ---------------------------------------------------------------------------------


def key(name: str) -> str:
    """The widget key of a field."""
    return f"view.{name}"


def restore(default: View) -> None:
    """Put the view into the session before the widgets are drawn.

    The first run of a session takes it from the link. Later ones give back to a widget that was
    hidden, or is on another page, the value it had, which Streamlit forgets.
    """
    if "view" not in st.session_state:
        parameters = {name: st.query_params[name] for name in st.query_params}
        view, st.session_state["complaints"] = decode(parameters, default)
        st.session_state["view"] = st.session_state["linked"] = view
    for name in _FIELDS:
        kept = getattr(st.session_state["view"], name)
        # Set anew each time: another page has other widgets, which would start from their own.
        st.session_state[key(name)] = st.session_state.get(key(name), kept)


def complaints() -> list[str]:
    """What of the link could not be used, one sentence each, until something else is chosen."""
    untouched = st.session_state["view"] == st.session_state["linked"]
    return list(st.session_state["complaints"]) if untouched else []


def current() -> View:
    """The view as the widgets have it now; it is remembered and written into the link."""
    values = {name: st.session_state[key(name)] for name in _FIELDS}
    view = View(**{name: _FIELDS[name](value) for name, value in values.items()})
    st.session_state["view"] = view
    wanted = encode(view)
    if wanted != {name: st.query_params[name] for name in st.query_params}:
        st.query_params.from_dict(wanted)
    return view


def choose(**values: Any) -> None:
    """Set fields from a callback, before the widgets are drawn again."""
    for name, value in values.items():
        st.session_state[key(name)] = value


def keep_within(name: str, options: Sequence[Any], fallback: Any) -> None:
    """Replace a choice that the options do not hold, such as another model's class.

    Where it was the link that asked for it, that is a complaint.
    """
    asked = _FIELDS[name](st.session_state[key(name)])
    if asked in options:
        return
    st.session_state[key(name)] = fallback
    linked = st.session_state["linked"]
    if st.session_state["view"] == linked:
        kept = replace(linked, **{name: fallback})
        st.session_state["view"] = st.session_state["linked"] = kept
        st.session_state["complaints"].append(_complaint(name, _write(asked)))
