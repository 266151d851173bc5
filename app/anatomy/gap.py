"""Which layers carry the gap: the part of the Anatomy page that swaps them, and its words."""

from collections.abc import Callable
from typing import cast

import streamlit as st

from advprop_core.anatomy.gap import By, Gap, GapRow, Order
from advprop_core.anatomy.layers import stages_of_layers
from advprop_core.text import percent
from advprop_core.types import InputKind
from app.anatomy import words, work
from app.anatomy.section import Subject, choice, result
from app.figures import gap as figures
from app.figures.gap import kinds, value_of
from app.language.text import N_, _, counted, ngettext, paragraph
from app.shell import comparison, controls, samples
from app.shell.layout import chart, in_rows
from app.shell.messages import PICTURES, unbroken

SWAPPED: dict[Order, str] = {
    "alone": N_("one at a time"),
    "from_stem": N_("one after the other from the front"),
    "from_head": N_("one after the other from the back"),
}
INTRODUCTION = N_(
    "Main gets the other branch's BatchNorm stage by stage, or layer by layer. The change in its "
    "answers shows which layers cause the difference between the branches."
)
_LEAST = 0.05  # where the branches are closer than this, there is nothing to divide
_HALF = 0.5
_UNITS: dict[By, str] = {"stage": N_("stage"), "layer": N_("layer")}
_ALL: dict[By, str] = {"stage": N_("all stages"), "layer": N_("all layers")}
_SOME: dict[By, tuple[str, str]] = {
    "stage": counted("{count} stage", "{count} stages"),
    "layer": counted("{count} layer", "{count} layers"),
}


def gap(subject: Subject) -> None:
    """What swaps of stages or layers do, on this picture and, if asked for, on many."""
    view = subject.newest()
    second, by = view.second, cast("By", view.gap_by)
    st.subheader(_(words.PARTS[2]))
    st.markdown(_(INTRODUCTION))
    choice(subject, "gap_by", _("What is swapped"), words.SWAPPED_BY)
    st.markdown(_("#### On this picture"))
    used = work.reference_source(view, subject.lens.info)
    here = result("gap", subject, work.gap_here, used, second, by, about=(subject.base, second))
    if here is not None:
        _gap(subject, here, second, "here")
    st.markdown(_("#### On many pictures"))
    source = samples.source_for(subject.lens.info, work.MEASURED, view.photos)
    if source is None:
        st.markdown(samples.no_photos(samples.class_folders()))
        return
    perturbation = comparison.perturbation(subject.view, subject.lens.info)
    inputs = perturbation, subject.view.attack_branch, source, second
    about = view.model, view.calibrated, inputs
    ask = _("Measure it over {pictures}", pictures=words.pictures(source))
    over_many = result("gap_over", subject, work.gap_over, *inputs, by, about=about, ask=ask)
    if over_many is not None:
        _gap(subject, over_many, second, "over", source.title)


def _gap(subject: Subject, swaps: Gap, second: str, where: str, pictures: str = "") -> None:
    sentence = verdict(swaps, second, subject.class_name, pictures)
    st.markdown(unbroken(sentence))
    if swaps.by == "layer":
        stages = stages_of_layers(subject.lens.model)
        figure = figures.strip(swaps, second, stages)
        chart(figure, f"anatomy.gap.{where}", sentence)
    else:
        for column, order in in_rows(figures.ORDER_TITLES, 3, roomy=f"gap-{where}"):
            with column:
                figure = figures.bars(swaps, order, second)
                chart(figure, f"anatomy.gap.{where}.{order}", alt(swaps, order, second))
    is_perturbed = "adversarial" in figures.kinds(swaps)
    perturbation = controls.describe(subject.view, subject.lens.info) if is_perturbed else ""
    estimated_on = words.pictures(work.reference_source(subject.view, subject.lens.info))
    st.caption(caption(swaps, second, perturbation, estimated_on))


def verdict(gap: Gap, second: str, name: str, pictures: str = "") -> str:
    """Which stages or layers carry the gap, in words: over many pictures, where they have a name.

    ``name`` is the class that is followed on one picture.
    """
    kind, low, high = _widest(gap)
    start = _("On the {kind} picture **main** gives **{name}** {low} and **{second}** {high}.")
    if pictures and kind == "adversarial":
        start = _("Of {n} perturbed {pictures}, **main** gets {low} right and **{second}** {high}.")
    elif pictures:
        start = _("Of {n} {pictures}, **main** gets {low} right and **{second}** {high}.")
    start = start.format(
        kind=_(PICTURES[kind]),
        n=gap.n,
        pictures=_(pictures),
        name=name,
        low=percent(low),
        second=second,
        high=percent(high),
    )
    if abs(high - low) < _LEAST:
        end = _("They hardly differ here, so there is no gap to explain.")
        return paragraph([start, end])

    def made_up(row: GapRow) -> float:
        return (value_of(row.scores[kind]) - low) / (high - low)

    return paragraph([start, _alone(gap, made_up), _walks(gap, made_up)])


def alt(gap: Gap, order: Order, second: str) -> str:
    """The bars of one order, one by one."""
    figures = []
    for kind in kinds(gap):
        values = [percent(value_of(row.scores[kind])) for row in gap.rows[order]]
        figures.append(f"{_(PICTURES[kind])} {_(', ').join(values)}")
    return _(
        "Swapped {order}, from main to {second}: {figures}.",
        order=_(SWAPPED[order]),
        second=second,
        figures=_("; ").join(figures),
    )


def caption(gap: Gap, second: str, perturbation: str, estimated_on: str) -> str:
    """How to read the bars or the strip.

    ``perturbation`` and ``estimated_on`` say in words what made the perturbed pictures and what
    statistics were estimated on; empty where nothing did, or they were not.
    """
    measured = _("Probability of the class.")
    if gap.n > 1:
        measured = _("Share of right answers, with 95 % Wilson intervals (n = {n}).", n=gap.n)
    statistics = [
        _(
            "Each swapped layer brings its own mean and variance. They do not fit the layers "
            "before it, and this causes part of every loss."
        )
    ]
    if gap.naive is not None:
        estimated = _(
            "After each swap, mean and variance are estimated again on {pictures}. This is also "
            "done at both ends, so the ends can differ a little from the branches above."
        )
        statistics = [estimated.format(pictures=estimated_on)]
        if gap.by == "stage":
            statistics.append(_("Short lines: the same swap without estimated statistics."))
    sentences = [
        measured,
        _("Plain bars: clean; hatched: perturbed.")
        if gap.by == "stage"
        else _("Hover for numbers."),
        _(
            "Main gets **{second}**'s layers in three ways: one at a time, one after the other "
            "from the front, and one after the other from the back.",
            second=second,
        ),
        *statistics,
        _("Layers depend on one another, so the effects of single layers may not add up."),
    ]
    if perturbation:
        sentences.append(
            _(
                "The perturbed pictures ({perturbation}) do not change. A swapped network may be "
                "right on them and still be fooled by an attack that is made for it.",
                perturbation=perturbation,
            )
        )
    return paragraph(sentences)


def _widest(gap: Gap) -> tuple[InputKind, float, float]:
    """The perturbed picture with main's and the second's value, or the clean one if more differs.

    What a perturbation does is the point, unless the branches do not differ on it at all.
    """
    ends = gap.rows["alone"][0].scores, gap.rows["alone"][-1].scores
    values = {kind: (value_of(ends[0][kind]), value_of(ends[1][kind])) for kind in kinds(gap)}
    wide = [kind for kind, (low, high) in values.items() if abs(high - low) >= _LEAST]
    kind = (wide or list(values))[-1]
    return kind, *values[kind]


def _alone(gap: Gap, made_up: Callable[[GapRow], float]) -> str:
    shares = {row.unit: made_up(row) for row in gap.rows["alone"][1:-1]}
    best = max(shares, key=shares.__getitem__)
    if shares[best] <= 0:
        sentence = _("No single {unit} closes any of this gap.")
    elif shares[best] < _HALF:
        sentence = _(
            "No single {unit} closes half of this gap: **{best}** closes most, {share} of it."
        )
    elif shares[best] > 1:
        sentence = _("**{best}** alone closes more than this gap.")
    else:
        sentence = _("**{best}** alone closes {share} of this gap.")
    return sentence.format(unit=_(_UNITS[gap.by]), best=best, share=percent(shares[best]))


def _walks(gap: Gap, made_up: Callable[[GapRow], float]) -> str:
    """From which swap on half of the gap stays made up: on the way there it may come and go."""
    walks = []
    for walk in (gap.rows["from_stem"], gap.rows["from_head"]):
        rows = walk[1:]
        short = [index for index, row in enumerate(rows) if made_up(row) < _HALF]
        count = short[-1] + 2 if short else 1
        number = ngettext(*_SOME[gap.by], count).format(count=count)
        if count == len(rows) > 1:
            number = _(_ALL[gap.by])
        walks.append((number, rows[count - 1].unit))
    (front, front_end), (back, back_end) = walks
    return _(
        "Half of the gap is closed, and stays closed, with {front} from the front (up to "
        "**{front_end}**) or {back} from the back (up to **{back_end}**).",
        front=front,
        front_end=front_end,
        back=back,
        back_end=back_end,
    )
