"""Words of the Anatomy page; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import join, percent, radius
from advprop_core.types import AttackConfig, InputKind
from app.anatomy.calibrating import ATTACK
from app.language.text import N_
from app.shell.messages import PICTURES
from app.shell.samples import no_photos

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Curve, Moved, Way
    from advprop_core.anatomy.distance import LayerDistance, Measure
    from advprop_core.types import Comparison
    from app.shell.samples import Source

QUESTION = N_("What tells the two BatchNorms apart?")
INTRODUCTION = N_(
    "**main** and **aux** share every weight but those of their BatchNorm layers: a mean, a "
    "variance, a scale γ and a shift β per channel. Turn one into the other:"
)
PARTS = ("Which half matters?", "Where do they differ?", "Which layers carry the gap?")
"""Tabs below the dial."""
MOVED: dict[Moved, str] = {
    "both": "Both",
    "statistics": "Mean and variance",
    "affine": "γ and β",
}
MEASURES: dict[Measure, str] = {
    "mean_shift": "Mean",
    "log_variance_ratio": "Variance",
    "divergence": "Mean and variance together",
    "gamma_change": "Scale γ",
    "beta_change": "Shift β",
    "output_change": "Effect on the output",
}
UNITS: dict[Measure, str] = {"divergence": " nats", "mean_shift": " σ"}
EXPLAINED: dict[Measure, str] = {
    "mean_shift": "How far the running mean moves, in standard deviations σ of the channel.",
    "log_variance_ratio": "Natural logarithm of the ratio of the variances: 0.69 is twice the "
    "variance, −0.69 half.",
    "divergence": "Symmetric Kullback-Leibler divergence of two normal distributions that have "
    "the branches' means and variances, in nats: two means one σ apart give 0.5.",
    "gamma_change": "Change of the trained scale γ.",
    "beta_change": "Change of the trained shift β.",
    "output_change": "How much the layer's output changes when it meets main's inputs: root mean "
    "square, in output units. Statistics, γ and β may change much and cancel out here.",
}
CALIBRATED_GAIN = (
    "Expect little, because γ and β carry the robustness: of 300 photos under PGD-10 at 2/255, "
    "imagenette-vanilla gets 0.3 % right and its calibrated branch 0.7 %."
)
ALONE = "#### This network has one set of BatchNorm, **main**: there is nothing to tell apart."
PROFILE = "Mean size of the change over a layer's channels, front to back; click a bar to look in."
_MOVING: dict[Moved, str] = {
    "both": "what is",
    "statistics": "mean and variance",
    "affine": "γ and β",
}


def place(way: Way, t: float) -> str:
    """Where the dial stands."""
    if t == 0:
        return "At **main** itself"
    if t == 1 and way.whole:
        return f"At **{way.second}** itself"
    where = f" in {join(way.layers)}" if way.layers else ""
    only = (
        ""
        if way.moved == "both" and not where
        else f", with only {_MOVING[way.moved]}{where} moving"
    )
    return f"At {percent(t)} of the way from **main** to **{way.second}**{only}"


def statistics(way: Way, source: Source | None, folders: Sequence[str]) -> str:
    """Where mean and variance come from along the way; ``folders`` are those of the person."""
    if way.estimated and source is not None:
        return (
            f"Mean and variance are estimated again on {pictures(source)} at every "
            "place, because they fit only the weights that they were collected with. The grey "
            "lines move them along with γ and β instead."
        )
    if way.moved != "both":
        return (
            f":material/warning: **Misleading.** Only {_MOVING[way.moved]} move and no longer fit "
            "the rest, so accuracy falls for either half. That does not show which half matters. "
            "*Both* estimates mean and variance again."
        )
    return (
        "Mean and variance move along with γ and β here. With photos they are estimated again at "
        f"every place, as they should be. {no_photos(folders)}"
    )


def dial(comparison: Comparison, blend: Blended, names: Sequence[str]) -> str:
    """What the network says there, of both pictures."""
    phrases, truth = [], comparison.true_class
    for kind, word in PICTURES.items():
        answer = blend.predictions[kind]
        phrase = (
            f"**{names[answer.class_index]}** ({percent(answer.confidence)}) of the {word} picture"
        )
        if truth is not None and truth != answer.class_index:
            share = float(answer.probabilities[truth])
            phrase += f", where it gives {names[truth]}, the true class, {percent(share)}"
        phrases.append(phrase)
    return f"{place(blend.way, blend.t)}, the network says {join(phrases)}."


def curve(line: Curve, class_index: int, name: str, is_true: bool) -> str:
    """How the probability of one class changes along the way."""
    role = "the true class" if is_true else "the class under attack"
    phrases = []
    for kind, shares in line.shares.items():
        values = shares[:, class_index].tolist()
        best = max(range(len(values)), key=values.__getitem__)
        phrase = (
            f"from {percent(values[0])} to {percent(values[-1])} on the {PICTURES[kind]} picture"
        )
        if 0 < best < len(values) - 1 and values[best] > max(values[0], values[-1]) + 0.01:
            phrase += f" (at most {percent(values[best])}, at {percent(line.places[best])})"
        phrases.append(phrase)
    return f"Along the way, the probability of **{name}**, {role}, goes {join(phrases)}."


def bars_alt(comparison: Comparison, blend: Blended, kind: InputKind, names: Sequence[str]) -> str:
    """What three networks say of one picture."""
    answers = {
        "main": comparison.predictions[kind, "main"],
        f"the network at {percent(blend.t)}": blend.predictions[kind],
        blend.way.second: comparison.predictions[kind, blend.way.second],
    }
    phrases = [
        f"{who} says {names[p.class_index]} {percent(p.confidence)}" for who, p in answers.items()
    ]
    return f"On the {PICTURES[kind]} picture {join(phrases)}."


def most_different(distances: Sequence[LayerDistance], measure: Measure) -> LayerDistance:
    """The layer whose mean channel differs most; the first where none differs."""

    def size(distance: LayerDistance) -> float:
        summary = distance.summary(measure)
        return summary.mean if summary else -1.0

    return max(distances, key=size)


def differs(distances: Sequence[LayerDistance], measure: Measure) -> bool:
    """Whether the branches differ by a measure at all."""
    return any(bool(d.changes[measure].any()) for d in distances if measure in d.changes)


def differing(distances: Sequence[LayerDistance], measure: Measure) -> str:
    """Where the branches differ most and least, by the mean channel of each layer."""
    sizes = {d.layer: summary.mean for d in distances if (summary := d.summary(measure))}
    title = MEASURES[measure]
    if not differs(distances, measure):
        return f"**{title}**: no layer differs at all."
    unit = UNITS.get(measure, "")
    most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    stages: dict[str, list[float]] = {}
    for distance in distances:
        if distance.layer in sizes:
            stages.setdefault(distance.stage, []).append(sizes[distance.layer])
    means = {stage: sum(within) / len(within) for stage, within in stages.items()}
    top = max(means, key=means.__getitem__)
    return (
        f"**{title}**: stage **{top}** differs most on average ({means[top]:.2g}{unit}). Of single "
        f"layers, `{most}` differs most ({sizes[most]:.2g}{unit}) and `{least}` least "
        f"({sizes[least]:.2g}{unit})."
    )


def without(distance: LayerDistance, measure: Measure) -> str:
    """That a layer does not have what is measured."""
    return f"`{distance.layer}` has nothing to compare by this measure ({MEASURES[measure]})."


def alike(distance: LayerDistance, measure: Measure) -> str:
    """That no channel of a layer differs, as in an auxiliary branch that is main's copy."""
    return f"No channel of `{distance.layer}` differs by this measure ({MEASURES[measure]})."


def channels(distance: LayerDistance, measure: Measure, marked: Sequence[int], second: str) -> str:
    """How the channels of a layer differ."""
    values, unit = distance.changes[measure], UNITS.get(measure, "")
    first, fewer = marked[0], int((values < 0).sum())
    sentence = (
        f"Channel by channel, `{distance.layer}`: half of its {distance.channels} channels differ "
        f"by less than {float(values.abs().quantile(0.5)):.2g}{unit}; channel {first} differs most "
        f"({f'{float(values[first]):+.2g}'.replace('-', '−')}{unit})."
    )
    if fewer:
        more = int((values > 0).sum())
        sentence += f" **{second}** has more than main in {more} channels and less in {fewer}."
    return sentence


def excited(layer: str, numbers: Sequence[int]) -> str:
    """What the maps of channels show."""
    return (
        f"Activations of the channels that differ most ({join([*map(str, numbers)])}): the output "
        f"of `{layer}` through each branch, green above 0 and violet below. Each channel has a "
        "scale of its own."
    )


def offer(source: Source | None, folders: Sequence[str]) -> str:
    """What can be done for a network without an auxiliary branch."""
    if source is None:
        return f"An auxiliary branch could be made from photos. {no_photos(folders)}"
    return (
        "An auxiliary branch can be **calibrated** here: a copy of main whose means and variances "
        f"are measured anew on adversarial images, made from at most {source.limit} {source.title}."
        "\n\nThat is not training: the weights, γ and β stay main's. Nothing is written to the "
        f"file of the network. {CALIBRATED_GAIN}"
    )


def attack(config: AttackConfig) -> str:
    """``PGD-10, L∞ ε = 2/255``."""
    return f"{config.name} (ε = {radius(config.epsilon, config.norm)})"


def pictures(source: Source | None) -> str:
    """``128 drawn scenes``; empty where there are none."""
    return "" if source is None else f"{source.limit} {source.title}"


def calibrated(n: int, source: Source) -> str:
    """What a calibrated branch is."""
    return (
        f"**aux** is calibrated, not trained: its means and variances were measured on {n} "
        f"{source.title} under attack through main, {attack(ATTACK)}. Weights, γ and β are "
        f"main's. {CALIBRATED_GAIN}"
    )
