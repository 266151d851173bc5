"""Whether maps can be trusted: a verdict for each kind of map, a table of all checks, curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean as mean
from typing import Any, NamedTuple

import streamlit as st

from advprop_core.attribution.methods import METHODS
from advprop_core.faithfulness.maps import Score, Undefined
from advprop_core.faithfulness.trust import Cell, Trust, measure_trust
from advprop_core.text import percent
from app.figures import maps as figures
from app.language.text import N_, _, join
from app.maps import words
from app.maps.map_set import MapSet
from app.maps.view import ask, asked
from app.shell import cache, comparison, state, tasks
from app.shell.cache import Lens
from app.shell.layout import chart, in_rows, table
from app.shell.messages import PICTURES, graded
from app.shell.tasks import Key, Shown, Task

COLUMNS = N_("""
A green ✓ speaks for the map, a violet ✗ against it; no mark means that the check is undecided.

- **Deletion**, **Insertion**: how much better the area under the curve of the class's probability
  is than for random orders (Petsiuk et al. 2018): ✓ above 0.02, ✗ below −0.02. Scattered dots
  disturb a network more than a patch does, so a map of patches may score below 0: compare maps with
  each other.
- **Infidelity**: error of the score changes that the map predicts, relative to the changes
  themselves; 0 is perfect, 1 is no better than an empty map (Yeh et al. 2019): ✓ below 0.9, ✗ above
  1.1.
- **Sensitivity**: largest change of the map under noise of at most 0.02, relative to the map's own
  length; small means stable (Yeh et al. 2019): ✓ below 0.5, ✗ above 1.
- **Random weights**: rank correlation with the map of the same network with random weights. Near
  0 the map shows what was learnt, near 1 it mostly shows the picture (Adebayo et al. 2018): ✓
  between −0.3 and 0.3, ✗ beyond 0.6 on either side.
- **Other branch**, **Under attack**: rank correlation with the other branch's map (with each, where
  there are several), and with this branch's map of the other picture. Neither is good or bad.
- **On the object**: share of the map's positive values inside the object, where the scene says
  where it is.

The limits of ✓ and ✗ are this app's own: no paper fixes them.
""")


class _Check(NamedTuple):
    """One check that speaks for a map or against it.

    Attributes:
        title: Of its column.
        value: What it found of a map.
        good: The figure from which on it speaks for the map.
        bad: That from which on it speaks against it.
        sign: Of the way its figure is written: a plus where gains are meant.
    """

    title: str
    value: Callable[[Trust], Any]
    good: float
    bad: float
    sign: str = ""

    def direction(self, trust: Trust) -> int:
        """1 for the map, −1 against it, 0 where it does not tell."""
        value = self.value(trust)
        if value is None or isinstance(value, Undefined):
            return 0
        if self.title == "Random weights":  # a map that turned round is as much the old one
            value = abs(value)
        more = 1 if self.good > self.bad else -1
        return int(more * value > more * self.good) - int(more * value < more * self.bad)


# Where curves and infidelity are undefined, so are their gains.
_CHECKS = (
    _Check(N_("Deletion"), lambda t: getattr(t.curves, "deletion_gain", None), 0.02, -0.02, "+"),
    _Check(N_("Insertion"), lambda t: getattr(t.curves, "insertion_gain", None), 0.02, -0.02, "+"),
    _Check(N_("Infidelity"), lambda t: getattr(t.infidelity, "relative", None), 0.9, 1.1),
    _Check(N_("Sensitivity"), lambda t: t.sensitivity, 0.5, 1.0),
    _Check(N_("Random weights"), lambda t: t.randomisation.kept, 0.3, 0.6),
)


def show(shown: Shown, map_set: MapSet, current: bool) -> None:
    """What the checks found that were asked for, and a button for those that were not."""
    st.subheader(_("Can these maps be trusted?"))
    st.markdown(_(words.TRUST))
    to_check = [method for method in map_set.methods if method in asked(shown.view)]
    checks = _checked(shown, map_set, to_check)
    if others := [_(METHODS[method].title) for method in map_set.methods if method not in to_check]:
        st.button(
            _("Check {others} too", others=join(others)) if to_check else _("Check these maps"),
            key="maps.check",
            icon=":material/fact_check:",
            disabled=not current,
            on_click=state.choose,  # in the link, so that a reload finds it
            kwargs={"checked": ask(shown.view)},
        )
    if not checks:
        return
    titles = {cell[0]: _(METHODS[cell[0]].title) for cell in checks}
    for method in titles:
        st.markdown(verdict(checks, method))
    table(row(*check) for check in checks.items())
    for sentence in _undefined(checks):
        st.caption(sentence)
    st.markdown(_("#### What the columns mean"))
    st.markdown(_(COLUMNS))
    st.markdown(_("#### How does the probability of the class change, pixel by pixel?"))
    for tab, (method, title) in zip(st.tabs([*titles.values()]), titles.items(), strict=True):
        lines = {
            (kind, branch): checked.curves
            for (name, kind, branch), checked in checks.items()
            if name == method and not isinstance(checked.curves, Undefined)
        }
        with tab:
            for column, walk in in_rows(figures.WALKS, 2, "large", roomy=f"curves-{method}"):
                with column:
                    walk_title = _(walk.title())
                    st.markdown(f"**{walk_title}**")
                    figure = figures.curves(lines, map_set.comparison.branches, walk)
                    alt = _("{walk} curves of {title}", walk=walk_title, title=title)
                    chart(figure, f"curves.{method}.{walk}", alt)
            st.caption(_(words.CURVES))


def _checked(shown: Shown, map_set: MapSet, methods: Sequence[str]) -> Mapping[Cell, Trust]:
    """What the checks of these maps found so far.

    Each kind of map is a task of its own, so that another kind beside it does not undo it. The
    first that is still coming shows its progress; those behind it show when it is done.
    """
    lens = cache.load_lens(shown.view.model)
    named = {f"trust.{method}": _check(shown, map_set, lens, method) for method in methods}
    jobs = {
        slot: tasks.submit(slot, task)
        for slot, task in named.items()
        if not tasks.is_stopped(slot, task)
    }
    checks: dict[Cell, Trust] = {}
    for slot, task in named.items():
        shown_check = tasks.answer(slot, task, same_inputs=True)
        if shown_check is not None:
            checks |= shown_check.result
        elif slot in jobs and not jobs[slot].done:
            break
    return checks


def _check(shown: Shown, map_set: MapSet, lens: Lens, method: str) -> Task:
    """The checks of one kind of map; what other kinds stand beside it does not matter."""
    view, info = shown.view, lens.info
    about = (
        shown.task.about,
        comparison.layer_of(view, lens, [method]),
        comparison.explained(view, info, one_class=True),
        *comparison.perturbing(view, info).values(),
    )
    maps = {(method, *cell): drawn for cell, drawn in map_set.of(method).items()}
    pictures = comparison.inputs(map_set.comparison)
    mask = cache.mask(view.image, info.input_size)
    call = partial(measure_trust, lens.branches, pictures, maps, mask=mask)
    return Task(Key((lens.network,), "trust", about, (method,)), call)


def verdict(checks: Mapping[Cell, Trust], method: str) -> str:
    """Whether one kind of map holds up here, over its branches and pictures, in a sentence."""
    trusts = [trust for cell, trust in checks.items() if cell[0] == method]
    sides: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for check in _CHECKS:
        share = mean(check.direction(trust) for trust in trusts)
        sides[(share > 0.5) - (share < -0.5)].append(_(check.title).lower())
    passed, failed, undecided = sides[1], sides[-1], sides[0]
    if len(failed) > len(passed):
        conclusion = _("should not be trusted here")
    elif failed:
        conclusion = _("is doubtful here")
    elif len(passed) > len(undecided):
        conclusion = _("can be trusted here, as far as these checks show")
    else:
        conclusion = _("is neither confirmed nor refuted here")
    named = ((passed, _("for it")), (failed, _("against it")), (undecided, _("undecided")))
    listed = _("; ").join(
        _("{what}: {figures}", what=side, figures=join(titles)) for titles, side in named if titles
    )
    return _(
        "**{title}** {verdict} ({listed}).",
        title=_(METHODS[method].title),
        verdict=conclusion,
        listed=listed,
    )


def row(cell: Cell, trust: Trust) -> dict[str, str]:
    """What was checked of one map, by column."""
    method, kind, branch = cell
    line = {
        _("Map"): _(METHODS[method].title),
        _("Branch"): branch,
        _("Picture"): _(PICTURES[kind]),
    }
    for check in _CHECKS:
        text = _number(check.value(trust), check.sign)
        line[_(check.title)] = graded(text, check.direction(trust), "✓✗")
    line[_("Other branch")] = _others(trust)
    line[_("Under attack")] = _number(getattr(trust.under_attack, "rank_correlation", None))
    if (share := trust.inside_object) is not None:
        line[_("On the object")] = "–" if isinstance(share, Undefined) else percent(share)
    return line


def _undefined(checks: Mapping[Cell, Trust]) -> list[str]:
    """Why some figures are missing."""
    reasons = {
        f"{_(METHODS[method].title)}, {branch}, {_(PICTURES[kind])}: {trust.curves.reason}"
        for (method, kind, branch), trust in checks.items()
        if isinstance(trust.curves, Undefined)
    }
    sentence = _("– where there is no figure. {reason}.")
    return [sentence.format(reason=reason) for reason in sorted(reasons)]


def _number(value: Score | None, sign: str = "") -> str:
    if value is None or isinstance(value, Undefined):
        return "–"
    return f"{value:{sign}.2f}".replace("-", "−")


def _others(trust: Trust) -> str:
    """The agreement with the other branch, or with each of them by name."""
    others = {name: _number(o.rank_correlation) for name, o in trust.across_branches.items()}
    if len(others) > 1:
        return ", ".join(f"{name} {number}" for name, number in others.items())
    return next(iter(others.values()), "–")
