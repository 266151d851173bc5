"""Words of the Anatomy page; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import percent, radius
from advprop_core.types import AttackConfig, Comparison, InputKind
from app.language.text import N_, _, join, paragraph
from app.shell.messages import PICTURES
from app.shell.samples import Source, no_photos

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Curve, Moved, Way
    from advprop_core.anatomy.distance import Measure
    from advprop_core.anatomy.gap import By

QUESTION = N_("How do the two BatchNorms differ?")
INTRODUCTION = N_(
    "**main** and **aux** share every weight except those of their BatchNorm layers: a mean, a "
    "variance, a scale γ and a shift β per channel. Move the dial from one branch to the other."
)
PARTS = (
    N_("Which half matters?"),
    N_("Where do they differ?"),
    N_("Which layers carry the gap?"),
)
"""Tabs below the dial."""
MOVED: dict[Moved, str] = {
    "both": N_("Both"),
    "statistics": N_("Mean and variance"),
    "affine": N_("γ and β"),
}
SWAPPED_BY: dict[By, str] = {"stage": N_("Stages"), "layer": N_("Layers")}
MEASURES: dict[Measure, str] = {
    "mean_shift": N_("Mean"),
    "log_variance_ratio": N_("Variance"),
    "divergence": N_("Mean and variance together"),
    "gamma_change": N_("Scale γ"),
    "beta_change": N_("Shift β"),
    "output_change": N_("Effect on the output"),
}
MOVED_HELP = N_(
    "Mean and variance describe the inputs of a channel. γ and β scale and shift the normalised "
    "values. Moving only one half misleads, because mean and variance fit only their own γ and β."
)
CALIBRATED_ON = 256  # pictures
CALIBRATED_UNDER = AttackConfig.pgd(4 / 255, steps=5)  # what these pictures are attacked with
CALIBRATED_GAIN = N_(
    "Expect little effect, because γ and β decide the robustness: of 300 photos under PGD-10 at "
    "2/255, imagenette-vanilla gets 0.3 % right and its calibrated branch 0.7 %."
)
ALONE = N_(
    "#### This network has one set of BatchNorm, **main**. There is no second branch to compare."
)
_MOVING: dict[Moved, str] = {"statistics": N_("mean and variance"), "affine": N_("γ and β")}


def place(way: Way, t: float) -> str:
    """Where the dial stands."""
    if t == 0:
        return _("At **main** itself")
    if t == 1 and way.whole:
        return _("At **{branch}** itself", branch=way.second)
    if way.whole:
        sentence = _("At {share} of the way from **main** to **{branch}**")
    elif way.moved == "both":
        sentence = _(
            "At {share} of the way from **main** to **{branch}**, with only what is in {layers} "
            "moving"
        )
    elif way.layers:
        sentence = _(
            "At {share} of the way from **main** to **{branch}**, with only {moving} in {layers} "
            "moving"
        )
    else:
        sentence = _(
            "At {share} of the way from **main** to **{branch}**, with only {moving} moving"
        )
    return sentence.format(
        share=percent(t),
        branch=way.second,
        moving=_(_MOVING.get(way.moved, "")),
        layers=join(way.layers),
    )


def statistics(way: Way, source: Source | None, folders: Sequence[str]) -> str:
    """Where mean and variance come from along the way; ``folders`` are those of the person."""
    if way.estimated and source is not None:
        return _(
            "At every position of the dial, mean and variance are estimated again on {pictures}, "
            "because they fit only the weights that they were collected with. For the grey lines "
            "they move along with γ and β instead.",
            pictures=pictures(source),
        )
    if way.moved != "both":
        return _(
            ":material/warning: **Misleading.** Only {moving} move and no longer fit the other "
            "values. Accuracy falls for either half, so this does not show which half matters. "
            "*Both* estimates mean and variance again.",
            moving=_(_MOVING[way.moved]),
        )
    sentence = _(
        "Mean and variance move along with γ and β here. With photos, the app estimates them "
        "again at every position, which is better."
    )
    return paragraph([sentence, no_photos(folders)])


def dial(comparison: Comparison, blend: Blended, names: Sequence[str]) -> str:
    """What the network says there, of both pictures."""
    answers, truth = {}, comparison.true_class
    for kind, answer in blend.predictions.items():
        values = {"name": names[answer.class_index], "share": percent(answer.confidence)}
        if truth is None or truth == answer.class_index:
            answers[kind] = _("**{name}** ({share})", **values)
        else:
            answers[kind] = _(
                "**{name}** ({share}; {truth}, the true class, {true_share})",
                **values,
                truth=names[truth],
                true_share=percent(float(answer.probabilities[truth])),
            )
    return _(
        "{place}, the network says {clean} for the clean picture and {perturbed} for the "
        "perturbed picture.",
        place=place(blend.way, blend.t),
        clean=answers["clean"],
        perturbed=answers["adversarial"],
    )


def curve(line: Curve, class_index: int, name: str, is_true: bool) -> str:
    """How the probability of one class changes along the way."""
    phrases = []
    for kind, shares in line.shares.items():
        values = shares[:, class_index].tolist()
        best = values.index(max(values))
        phrase = _("from {start} to {end} on the {kind} picture")
        if 0 < best < len(values) - 1 and values[best] > max(values[0], values[-1]) + 0.01:
            phrase = _("from {start} to {end} on the {kind} picture (at most {most}, at {where})")
        phrases.append(
            phrase.format(
                start=percent(values[0]),
                end=percent(values[-1]),
                kind=_(PICTURES[kind]),
                most=percent(values[best]),
                where=percent(line.places[best]),
            )
        )
    sentence = _("Along the way, the probability of **{name}**, the class under attack: {changes}.")
    if is_true:
        sentence = _("Along the way, the probability of **{name}**, the true class: {changes}.")
    return sentence.format(name=name, changes=_(", ").join(phrases))


def bars_alt(comparison: Comparison, blend: Blended, kind: InputKind, names: Sequence[str]) -> str:
    """What three networks say of one picture."""
    between = _("the network at {share}", share=percent(blend.t))
    answers = {
        "main": comparison.predictions[kind, "main"],
        between: blend.predictions[kind],
        blend.way.second: comparison.predictions[kind, blend.way.second],
    }
    phrases = [
        _(
            "{branch} says {answer}",
            branch=who,
            answer=" ".join((names[answer.class_index], percent(answer.confidence))),
        )
        for who, answer in answers.items()
    ]
    return _(
        "On the {kind} picture {answers}.", kind=_(PICTURES[kind]), answers=_(", ").join(phrases)
    )


def offer(source: Source | None, folders: Sequence[str]) -> str:
    """What can be done for a network without an auxiliary branch."""
    if source is None:
        sentence = _("With photos, the app can add an auxiliary branch.")
        return paragraph([sentence, no_photos(folders)])
    offered = _(
        "An auxiliary branch can be **calibrated** here. It is a copy of main whose means and "
        "variances are measured again on adversarial images, made from at most {pictures}.",
        pictures=pictures(source),
    )
    limits = _(
        "This is not training: the weights, γ and β stay those of main. The file of the network "
        "does not change."
    )
    return f"{offered}\n\n{paragraph([limits, _(CALIBRATED_GAIN)])}"


def attack(config: AttackConfig) -> str:
    """``PGD-10 (ε = 2/255)``."""
    return _(
        "{attack} (ε = {radius})", attack=config.name, radius=radius(config.epsilon, config.norm)
    )


def pictures(source: Source | None) -> str:
    """``128 drawn scenes``; empty where there are none."""
    return "" if source is None else counted_pictures(source.limit, source.title)


def counted_pictures(n: int, title: str) -> str:
    """So many pictures of a kind, which is the title of a source."""
    return _("{count} {pictures}", count=n, pictures=_(title))


def calibrated(n: int, source: Source) -> str:
    """What a calibrated branch is."""
    sentence = _(
        "**aux** is calibrated, not trained: its means and variances were measured on {pictures} "
        "under attack through main, {attack}. Weights, γ and β are main's.",
        pictures=counted_pictures(n, source.title),
        attack=attack(CALIBRATED_UNDER),
    )
    return paragraph([sentence, _(CALIBRATED_GAIN)])
