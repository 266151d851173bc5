"""What a person has chosen on a page: one frozen dataclass per page, all with the fields of `View`.

Each field says which values it takes, once for links and for widgets.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from advprop_core.attribution.methods import METHODS
from advprop_core.pictures.regions import parse_regions
from app.language.text import N_

ATTACKS = {
    "pgd": N_("PGD attack"),
    "i-fgsm": N_("I-FGSM attack"),
    "fgsm": N_("FGSM attack"),
}
PERTURBATIONS = {
    **ATTACKS,
    "gaussian": N_("Gaussian noise"),
    "poisson": N_("Poisson noise"),
    "salt-and-pepper": N_("Salt and pepper"),
    "erase": N_("Erase by hand"),
    "none": N_("None"),
}
KINDS = {
    N_("Attack"): tuple(ATTACKS),
    N_("Noise"): ("gaussian", "poisson", "salt-and-pepper"),
    N_("Erase"): ("erase",),
    N_("None"): ("none",),
}
"""Perturbations that follow a gradient, random ones, and the rest."""
STRENGTHS = {"linf": "epsilon", "l2": "radius"}
"""The field of :class:`View` with the radius, by norm; it counts in the norm's unit."""
EXPLAINED = {"own": N_("each branch's own answer"), "attacked": N_("the class under attack")}
"""What maps may explain besides a class."""
SCALES = {"each": N_("each map"), "row": N_("each branch"), "shared": N_("all maps")}
"""What has a colour scale of its own."""
MAPS = {name: method.title for name, method in METHODS.items()}
FILLS = {"grey": N_("Grey"), "black": N_("Black"), "blur": N_("Blur")}
NORMS = {"linf": N_("L∞: every pixel a little"), "l2": N_("L2: the whole change together")}


def within(default: float, low: float, high: float) -> Any:
    """A field that holds a number between two bounds, all of one type, as its slider wants them."""
    return field(default=default, metadata={"bounds": (low, high)})


def one_of(default: Any, options: Iterable[str], **more: Any) -> Any:
    """A field that holds one of the options; a mapping says what a person reads of each."""
    titles = options if isinstance(options, Mapping) else {name: name for name in options}
    return field(default=default, metadata={"titles": titles, **more})


def some_of(default: tuple[str, ...], options: Iterable[str], most: int | None = None) -> Any:
    """A field that holds different options, at most so many."""
    return one_of(default, options, most=most)


def tab_of(titles: Sequence[str]) -> Any:
    """A field that says which tab is open: no setting, so Undo and Reset do not count it."""
    return one_of(titles[0], titles, is_tab=True)


def accepted_by(check: Callable[[str], object], default: str) -> Any:
    """A field that holds a text which the check does not refuse with a ValueError."""
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True)
class View:
    """What every page about a picture shares; a page's own view adds its fields.

    Attributes:
        model: Name of a model.
        image: Where the picture comes from; see :mod:`app.shell.pictures`.
        true_class: Class id of what the person says that a picture shows, or empty.
        perturbation: A key of :data:`PERTURBATIONS`.
        norm: A key of :data:`NORMS`.
        epsilon: L-infinity radius in 1/255.
        radius: L2 radius in pixel units.
        severity: Of a noise, in pixel units or as a share of pixels.
        steps: Attack steps.
        step_size: Move per step in 1/255 (L-infinity) or pixel units (L2); 0 picks it.
        attack_branch: Whose gradient the attack follows.
        target: Class id a targeted attack wants, or empty.
        seed: Of random starts and noises.
        regions: What is erased by hand, as :mod:`advprop_core.pictures.regions` writes it.
        fill: What is put in its place.
        method: Kind of map.
        layer: Layer of the map, or empty for the method's own choice.
        explained: Class id the maps explain, or a key of :data:`EXPLAINED`.
        scale: Which maps share a colour scale; a key of :data:`SCALES`.
        opacity: Of the map over the photo, in percent.
        expert: Whether the further controls are shown.
        photos: Key of a zip of labelled photos that this person gave, or empty.
    """

    model: str = "imagenet-lite0"
    image: str = "photo:chelsea"
    true_class: str = ""
    perturbation: str = one_of("pgd", PERTURBATIONS)
    norm: str = one_of("linf", NORMS)
    epsilon: float = within(4.0, 0.0, 16.0)
    radius: float = within(1.0, 0.0, 5.0)
    severity: float = within(0.1, 0.0, 0.5)
    steps: int = within(10, 1, 100)
    step_size: float = within(0.0, 0.0, 16.0)
    attack_branch: str = "main"
    target: str = ""
    seed: int = within(0, 0, 9999)
    regions: str = accepted_by(parse_regions, "")
    fill: str = one_of("grey", FILLS)
    method: str = one_of("grad-cam", MAPS)
    layer: str = ""
    explained: str = "own"
    scale: str = one_of("each", SCALES)
    opacity: int = within(70, 0, 100)
    expert: bool = False
    photos: str = ""

    @property
    def strength(self) -> float:
        """The radius of the attack in the unit of its norm."""
        return float(getattr(self, STRENGTHS[self.norm]))

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """Every kind of map that the page shows."""
        return (self.method,)


def rules(page: type[View]) -> dict[str, Any]:
    """Name to dataclass field, of a page's view."""
    return {rule.name: rule for rule in fields(page)}


def settings(view: View) -> dict[str, Any]:
    """Name to value of what a person set, which is all but the tab that is open."""
    return {name: getattr(view, name) for name, rule in rules(type(view)).items()
            if "is_tab" not in rule.metadata}  # fmt: skip


def bounds(page: type[View], name: str) -> tuple[Any, Any]:
    """The least and the most that a number may be."""
    low, high = rules(page)[name].metadata["bounds"]
    return low, high


def fitting(page: type[View], name: str, value: Any) -> Any:
    """The value as the field takes it.

    Raises:
        ValueError: If the field does not take it: a widget would fail at it.
    """
    rule = rules(page)[name]
    kind, limits = type(rule.default), rule.metadata
    if kind is float and type(value) is int:
        value = float(value)
    if kind is tuple and type(value) is list:  # as a widget gives it
        value = tuple(value)
    if not _fits(value, kind, limits):  # link and widget each say it in words of their own
        raise ValueError(f"{name} does not take {value!r}")
    if "check" in limits:
        limits["check"](value)
    return value


def _fits(value: Any, kind: Any, limits: Mapping[str, Any]) -> bool:
    if type(value) is not kind:
        return False
    if kind is tuple:
        is_text = all(isinstance(word, str) for word in value)
        if not is_text or not len({*value}) == len(value) <= (limits.get("most") or len(value)):
            return False
    low, high = limits.get("bounds", (value, value))
    chosen = {*value} if kind is tuple else {value}
    return low <= value <= high and chosen <= {*limits.get("titles", chosen)}
