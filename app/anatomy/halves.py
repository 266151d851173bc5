"""Which half of the norm carries robustness: measured mixtures beside the dial, and their words."""

from collections.abc import Sequence

import streamlit as st

from advprop_core.anatomy.dial import Way
from advprop_core.anatomy.halves import ENDS, NAIVE, Mixture, MixtureAccuracy
from advprop_core.text import percent, points
from advprop_core.types import INPUT_KINDS
from app.anatomy import words, work
from app.anatomy.section import Subject, result
from app.anatomy.work import Halves
from app.figures import halves as figures
from app.language.text import N_, Sentence, _, paragraph
from app.shell import cache, samples
from app.shell.layout import chart, in_rows
from app.shell.messages import unbroken

INTRODUCTION = N_(
    "A norm layer has two halves. γ and β are trained. Mean and variance are collected. This test "
    "takes γ and β of one branch and estimates mean and variance again, on clean or on attacked "
    "pictures. The accuracy shows which half makes a branch robust."
)
BUNDLED = N_("Measured once, with 512 training pictures for mean and variance.")
PICTURES = N_("validation pictures")


def halves(subject: Subject, way: Way, t: float) -> None:
    """Accuracies along the dial, and of γ and β with statistics of four kinds."""
    st.subheader(_("Which half makes a branch robust?"))
    st.markdown(_(INTRODUCTION))
    rows, pictures, origin = None, PICTURES, BUNDLED
    name, second = subject.lens.network.name, way.second
    if not subject.view.calibrated and name in cache.model_files():  # no branch that was made here
        rows = work.bundled_halves(cache.file_of(name), name, second)
    if rows is None:
        source = samples.source_for(subject.lens.info, work.MEASURED, subject.view.photos)
        if source is None:
            st.markdown(samples.no_photos(samples.class_folders()))
            return
        pictures, origin = source.title, ""
        about = subject.lens.network, subject.view.calibrated
        ask = _("Measure both halves over {pictures}", pictures=words.pictures(source))
        rows = result("halves", subject, work.halves_over, source, second, about=about, ask=ask)
    if rows is None:
        return
    attack = words.attack(work.ATTACK)
    st.markdown(unbroken(verdict(rows, second, attack, pictures)))
    for column, branch in in_rows(("main", second), 2, "large", roomy="halves"):
        lines = table(rows, branch, second)
        with column:
            chart(figures.bars(lines, branch), f"anatomy.halves.{branch}", alt(branch, lines))
    how = _(
        "Share of right answers; plain: clean, hatched: under {attack} through the mixture itself; "
        "error bars: 95 % Wilson intervals.",
        attack=attack,
    )
    see = _("See Zhang et al., [arXiv 2403.19150](https://arxiv.org/abs/2403.19150).")
    st.caption(paragraph([how, *filter(None, [_(origin)]), see]))
    sentence = line(rows, second)
    st.markdown(unbroken(sentence))
    here = t if way.whole else None
    figure = figures.line(rows, Way(second), here)
    chart(figure, "anatomy.accuracies", sentence)


def table(rows: Halves, branch: str, second: str) -> list[tuple[str, MixtureAccuracy]]:
    """Networks with the γ and β of one branch: what their statistics are, and accuracies.

    What they are is in English, for files, and can be translated.
    """
    affine = 0.0 if branch == "main" else 1.0
    other = second if branch == "main" else "main"
    statistics = {
        N_("as trained"): affine,
        N_("of clean pictures"): "clean",
        N_("of attacked pictures"): "adversarial",
        Sentence("{branch}'s, naive", branch=other): 1.0 - affine,
    }
    return [(title, rows[Mixture(affine, kind)]) for title, kind in statistics.items()]  # type: ignore[arg-type]


def verdict(rows: Halves, second: str, attack: str, pictures: str) -> str:
    """What each half changes, in words."""
    clean, attacked = (
        [rows[Mixture(affine, kind)].share("adversarial") for affine in (0.0, 1.0)]
        for kind in INPUT_KINDS
    )
    by_affine = (clean[1] + attacked[1] - clean[0] - attacked[0]) / 2
    by_statistics = max((a - c for a, c in zip(attacked, clean, strict=True)), key=abs)
    main, naive = rows[ENDS[0]], [rows[mixture].share("clean") for mixture in NAIVE]
    measured = _(
        "On {pictures} under {attack}: **{second}**'s γ and β instead of main's change the "
        "accuracy by **{by_affine}**. Mean and variance of attacked instead of clean pictures "
        "change it by at most **{by_statistics}**.",
        pictures=words.counted_pictures(main.n, pictures),
        attack=attack,
        second=second,
        by_affine=_points(by_affine),
        by_statistics=_points(by_statistics),
    )
    misleading = _(
        "Swapping one half without estimating again misleads. Clean accuracy falls from {main} to "
        "{statistics} (mean and variance swapped) and to {affine} (γ and β swapped). So both "
        "halves look important, but only because mean and variance fit only the weights that they "
        "were collected with.",
        statistics=percent(naive[0]),
        affine=percent(naive[1]),
        main=percent(main.share("clean")),
    )
    return paragraph([measured, misleading])


def line(rows: Halves, second: str) -> str:
    """How accuracies change along the way."""
    main, other = (rows[mixture] for mixture in ENDS)
    return _(
        "Along the whole dial: from {start} at **main** to {end} at **{second}** (n = {n}, 95 % "
        "Wilson intervals; grey: mean and variance moved along instead).",
        start=_both(main),
        end=_both(other),
        second=second,
        n=main.n,
    )


def alt(branch: str, rows: Sequence[tuple[str, MixtureAccuracy]]) -> str:
    """The bars of one branch's γ and β, one by one."""
    phrases = [
        _("mean and variance {origin}: {shares}", origin=_(title), shares=_both(accuracy))
        for title, accuracy in rows
    ]
    return _("γ and β of {branch}; {figures}.", branch=branch, figures=_("; ").join(phrases))


def _both(accuracy: MixtureAccuracy) -> str:
    return _(
        "{clean} clean and {attacked} attacked",
        clean=percent(accuracy.share("clean")),
        attacked=percent(accuracy.share("adversarial")),
    )


def _points(share: float) -> str:
    return _("{change} points", change=points(share))
