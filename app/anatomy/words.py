"""Words of the Anatomy page; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import percent, radius
from advprop_core.types import AttackConfig, Comparison, InputKind
from app.anatomy.calibrating import ATTACK
from app.language.text import N_, _, join, paragraph
from app.shell.messages import PICTURES
from app.shell.samples import Source, no_photos

if TYPE_CHECKING:
    from advprop_core.anatomy.dial import Blended, Curve, Moved, Way
    from advprop_core.anatomy.distance import LayerDistance, Measure
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
UNITS: dict[Measure, str] = {"divergence": " nats", "mean_shift": " σ"}
EXPLAINED: dict[Measure, str] = {
    "mean_shift": N_("How far the running mean moves, in standard deviations σ of the channel."),
    "log_variance_ratio": N_(
        "Natural logarithm of the ratio of the variances: 0.69 is twice the variance, −0.69 half."
    ),
    "divergence": N_(
        "Symmetric Kullback-Leibler divergence of two normal distributions that have the "
        "branches' means and variances, in nats: two means one σ apart give 0.5."
    ),
    "gamma_change": N_("Change of the trained scale γ."),
    "beta_change": N_("Change of the trained shift β."),
    "output_change": N_(
        "How much the layer's output changes for main's inputs: root mean square, in output "
        "units. Large changes of statistics, γ and β may cancel out here."
    ),
}
CALIBRATED_GAIN = N_(
    "Expect little effect, because γ and β decide the robustness: of 300 photos under PGD-10 at "
    "2/255, imagenette-vanilla gets 0.3 % right and its calibrated branch 0.7 %."
)
ALONE = N_(
    "#### This network has one set of BatchNorm, **main**. There is no second branch to compare."
)
PROFILE = N_(
    "Mean absolute change over the channels of each layer, from input to output. Click a bar to "
    "see the channels."
)
_MOVING: dict[Moved, str] = {"statistics": N_("mean and variance"), "affine": N_("γ and β")}


def place(way: Way, t: float) -> str:
    """Where the dial stands."""
    if t == 0:
        return _("At **main** itself")
    if t == 1 and way.whole:
        return _("At **{branch}** itself").format(branch=way.second)
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
            "they move along with γ and β instead."
        ).format(pictures=pictures(source))
    if way.moved != "both":
        return _(
            ":material/warning: **Misleading.** Only {moving} move and no longer fit the other "
            "values. Accuracy falls for either half, so this does not show which half matters. "
            "*Both* estimates mean and variance again."
        ).format(moving=_(_MOVING[way.moved]))
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
            answers[kind] = _("**{name}** ({share})").format(**values)
        else:
            answers[kind] = _("**{name}** ({share}; {truth}, the true class, {true_share})").format(
                **values,
                truth=names[truth],
                true_share=percent(float(answer.probabilities[truth])),
            )
    return _(
        "{place}, the network says {clean} for the clean picture and {perturbed} for the "
        "perturbed picture."
    ).format(
        place=place(blend.way, blend.t),
        clean=answers["clean"],
        perturbed=answers["adversarial"],
    )


def curve(line: Curve, class_index: int, name: str, is_true: bool) -> str:
    """How the probability of one class changes along the way."""
    phrases = []
    for kind, shares in line.shares.items():
        values = shares[:, class_index].tolist()
        best = max(range(len(values)), key=values.__getitem__)
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
    between = _("the network at {share}").format(share=percent(blend.t))
    answers = {
        "main": comparison.predictions[kind, "main"],
        between: blend.predictions[kind],
        blend.way.second: comparison.predictions[kind, blend.way.second],
    }
    phrases = [
        _("{branch} says {answer}").format(
            branch=who, answer=f"{names[answer.class_index]} {percent(answer.confidence)}"
        )
        for who, answer in answers.items()
    ]
    return _("On the {kind} picture {answers}.").format(
        kind=_(PICTURES[kind]), answers=_(", ").join(phrases)
    )


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
    title = _(MEASURES[measure])
    if not differs(distances, measure):
        return _("**{measure}**: no layer differs at all.").format(measure=title)
    unit = UNITS.get(measure, "")
    most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    stages: dict[str, list[float]] = {}
    for distance in distances:
        if distance.layer in sizes:
            stages.setdefault(distance.stage, []).append(sizes[distance.layer])
    means = {stage: sum(within) / len(within) for stage, within in stages.items()}
    top = max(means, key=means.__getitem__)
    return _(
        "**{measure}**: stage **{stage}** differs most on average ({mean}). Of single layers, "
        "`{most}` differs most ({largest}) and `{least}` least ({smallest})."
    ).format(
        measure=title,
        stage=top,
        mean=f"{means[top]:.2g}{unit}",
        most=most,
        largest=f"{sizes[most]:.2g}{unit}",
        least=least,
        smallest=f"{sizes[least]:.2g}{unit}",
    )


def without(distance: LayerDistance, measure: Measure) -> str:
    """That a layer does not have what is measured."""
    return _("`{layer}` has no values for this measure ({measure}).").format(
        layer=distance.layer, measure=_(MEASURES[measure])
    )


def alike(distance: LayerDistance, measure: Measure) -> str:
    """That no channel of a layer differs, as in an auxiliary branch that is main's copy."""
    return _("No channel of `{layer}` differs by this measure ({measure}).").format(
        layer=distance.layer, measure=_(MEASURES[measure])
    )


def channels(distance: LayerDistance, measure: Measure, marked: Sequence[int], second: str) -> str:
    """How the channels of a layer differ."""
    values, unit = distance.changes[measure], UNITS.get(measure, "")
    first, fewer = marked[0], int((values < 0).sum())
    sentence = _(
        "Channel by channel, `{layer}`: half of its {count} channels differ by less than "
        "{median}; channel {channel} differs most ({largest})."
    ).format(
        layer=distance.layer,
        count=distance.channels,
        median=f"{float(values.abs().quantile(0.5)):.2g}{unit}",
        channel=first,
        largest=f"{float(values[first]):+.2g}".replace("-", "−") + unit,
    )
    if not fewer:
        return sentence
    signs = _("**{branch}** has more than main in {more} channels and less in {fewer}.").format(
        branch=second, more=int((values > 0).sum()), fewer=fewer
    )
    return paragraph([sentence, signs])


def excited(layer: str, numbers: Sequence[int]) -> str:
    """What the maps of channels show."""
    return _(
        "Activations of the channels that differ most ({channels}): the output of `{layer}` "
        "through each branch, green above 0 and violet below. Each channel has a scale of its own."
    ).format(channels=join([*map(str, numbers)]), layer=layer)


def offer(source: Source | None, folders: Sequence[str]) -> str:
    """What can be done for a network without an auxiliary branch."""
    if source is None:
        sentence = _("With photos, the app can add an auxiliary branch.")
        return paragraph([sentence, no_photos(folders)])
    offered = _(
        "An auxiliary branch can be **calibrated** here. It is a copy of main whose means and "
        "variances are measured again on adversarial images, made from at most {pictures}."
    ).format(pictures=pictures(source))
    limits = _(
        "This is not training: the weights, γ and β stay those of main. The file of the network "
        "does not change."
    )
    return f"{offered}\n\n{paragraph([limits, _(CALIBRATED_GAIN)])}"


def attack(config: AttackConfig) -> str:
    """``PGD-10 (ε = 2/255)``."""
    return _("{attack} (ε = {radius})").format(
        attack=config.name, radius=radius(config.epsilon, config.norm)
    )


def pictures(source: Source | None) -> str:
    """``128 drawn scenes``; empty where there are none."""
    return "" if source is None else counted_pictures(source.limit, source.title)


def counted_pictures(n: int, title: str) -> str:
    """So many pictures of a kind, which is the title of a source."""
    return _("{count} {pictures}").format(count=n, pictures=_(title))


def calibrated(n: int, source: Source) -> str:
    """What a calibrated branch is."""
    sentence = _(
        "**aux** is calibrated, not trained: its means and variances were measured on {pictures} "
        "under attack through main, {attack}. Weights, γ and β are main's."
    ).format(pictures=counted_pictures(n, source.title), attack=attack(ATTACK))
    return paragraph([sentence, _(CALIBRATED_GAIN)])
