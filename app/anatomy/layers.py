"""How far apart two branches are: the part of the Anatomy page on layers and channels."""

from collections.abc import Sequence
from statistics import fmean
from typing import cast

import streamlit as st

from advprop_core.anatomy.distance import LayerDistance, Measure
from app.anatomy import words, work
from app.anatomy.section import Subject, choice, result
from app.anatomy.view import AnatomyView
from app.figures import map_tables
from app.figures import norm_layers as figures
from app.language.text import N_, _, join, paragraph
from app.shell import state
from app.shell.layout import chart

_MARKED = 4  # channels that are looked into

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
PROFILE = N_(
    "Mean absolute change over the channels of each layer, from input to output. Click a bar to "
    "see the channels."
)


def layers(subject: Subject) -> None:
    """How far apart the branches are in every layer, and in every channel of one of them."""
    view = subject.newest()
    st.subheader(_("How far apart are they, layer by layer?"))
    about = view.model, view.calibrated, view.second
    distances = result("distances", subject, work.distances, view.second, about=about)
    if distances is None:
        return
    measure = cast("Measure", view.measure)
    summary = st.container()  # above the control, though it depends on it
    choice(subject, "measure", _("What differs"), words.MEASURES)
    sentence = differing(distances, measure)
    summary.markdown(sentence)
    if not any(_sizes(distances, measure).values()):
        return
    most = most_different(distances, measure)
    chosen = view.norm_layer or most.layer
    chart(
        figures.profile(distances, measure, chosen, UNITS.get(measure, "")),
        "anatomy.profile",
        sentence,
        on_select=_take_click if subject.current else "ignore",
        selection_mode="points",
    )
    st.caption(paragraph([_(PROFILE), _(EXPLAINED[measure])]))
    by_name = {distance.layer: distance for distance in distances}
    of_itself = _("the one that differs most")
    st.selectbox(
        _("Layer"),
        ["", *by_name],
        # A title that is another one at another measure would be taken for another choice.
        format_func=lambda name: name or of_itself,
        help=_("Or click a bar of the chart."),
        **subject.widget("norm_layer"),
    )
    _channels(subject, by_name.get(chosen, most), view)


def _take_click() -> None:
    points = st.session_state["anatomy.profile"].selection.points
    if points:
        state.choose(norm_layer=points[0]["customdata"])


def _channels(subject: Subject, distance: LayerDistance, view: AnatomyView) -> None:
    measure = cast("Measure", view.measure)
    if missing := without(distance, measure):
        st.caption(missing)
        return
    marked = distance.top_channels(measure, _MARKED)
    sentence = channels(distance, measure, marked, view.second)
    st.markdown(sentence)
    figure = figures.channels(distance, measure, marked, UNITS.get(measure, ""))
    chart(figure, "anatomy.channels", sentence)
    about = subject.base, view.second
    maps = result(
        "excited", subject, work.excited, view.second, distance.layer, marked, about=about
    )
    if maps is not None:
        shown = next(iter(maps.values()))
        st.markdown(excited(shown.layer, shown.channels))
        st.html(map_tables.excited_table(subject.comparison, maps, view.opacity / 100))


def most_different(distances: Sequence[LayerDistance], measure: Measure) -> LayerDistance:
    """The layer whose mean channel differs most; the first where none differs."""
    sizes = _sizes(distances, measure)
    return max(distances, key=lambda distance: sizes.get(distance.layer, -1.0))


def differing(distances: Sequence[LayerDistance], measure: Measure) -> str:
    """Where the branches differ most and least, by the mean channel of each layer."""
    sizes, title = _sizes(distances, measure), _(words.MEASURES[measure])
    if not any(sizes.values()):
        return _("**{measure}**: no layer differs at all.", measure=title)
    stages: dict[str, list[float]] = {}
    for distance in distances:
        if distance.layer in sizes:
            stages.setdefault(distance.stage, []).append(sizes[distance.layer])
    means = {stage: fmean(within) for stage, within in stages.items()}
    top, most = (max(shares, key=shares.__getitem__) for shares in (means, sizes))
    least = min(sizes, key=sizes.__getitem__)
    return _(
        "**{measure}**: stage **{stage}** differs most on average ({mean}). Of single layers, "
        "`{most}` differs most ({largest}) and `{least}` least ({smallest}).",
        measure=title,
        stage=top,
        mean=_in_units(means[top], measure),
        most=most,
        largest=_in_units(sizes[most], measure),
        least=least,
        smallest=_in_units(sizes[least], measure),
    )


def _sizes(distances: Sequence[LayerDistance], measure: Measure) -> dict[str, float]:
    """Layer to the mean change of its channels, where it has what is measured."""
    return {d.layer: summary.mean for d in distances if (summary := d.summary(measure))}


def without(distance: LayerDistance, measure: Measure) -> str:
    """That a layer has nothing of what is measured, or that none of its channels differs.

    The latter holds in an auxiliary branch that is main's copy. Empty where one does.
    """
    sentence = _("`{layer}` has no values for this measure ({measure}).")
    if measure in distance.changes:
        if distance.changes[measure].any():
            return ""
        sentence = _("No channel of `{layer}` differs by this measure ({measure}).")
    return sentence.format(layer=distance.layer, measure=_(words.MEASURES[measure]))


def _in_units(value: float, measure: Measure, sign: str = "") -> str:
    return f"{value:{sign}.2g}".replace("-", "−") + UNITS.get(measure, "")


def channels(distance: LayerDistance, measure: Measure, marked: Sequence[int], second: str) -> str:
    """How the channels of a layer differ."""
    values = distance.changes[measure]
    first, fewer = marked[0], int((values < 0).sum())
    sentence = _(
        "Channel by channel, `{layer}`: half of its {count} channels differ by less than "
        "{median}; channel {channel} differs most ({largest}).",
        layer=distance.layer,
        count=distance.channels,
        median=_in_units(float(values.abs().quantile(0.5)), measure),
        channel=first,
        largest=_in_units(float(values[first]), measure, "+"),
    )
    if not fewer:
        return sentence
    signs = _(
        "**{branch}** has more than main in {more} channels and less in {fewer}.",
        branch=second,
        more=int((values > 0).sum()),
        fewer=fewer,
    )
    return paragraph([sentence, signs])


def excited(layer: str, numbers: Sequence[int]) -> str:
    """What the maps of channels show."""
    return _(
        "Activations of the channels that differ most ({channels}): the output of `{layer}` "
        "through each branch, green above 0 and violet below. Each channel has a scale of its own.",
        channels=join([*map(str, numbers)]),
        layer=layer,
    )
