"""The images on which the branches of a network disagree; each opens in the Playground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.evaluation.conditions import Condition
from advprop_core.text import NORM_UNITS, radius
from advprop_core.types import AttackConfig
from app.language.text import N_, _, english
from app.robustness import words
from app.robustness.measurement import SEED
from app.robustness.view import INNER, choose
from app.shell import defects, network_files, state
from app.shell.layout import page_button, small_picture
from app.shell.view import STRENGTHS, View, bounds

if TYPE_CHECKING:
    from advprop_core.evaluation.disagreement import Case, Disagreement
    from app.robustness.work import Outcome

_PER_PAGE = 12
_WIDTH = 168  # px
_DIFFER, _WRONG = N_("Branches differ"), N_("Confidently wrong")


@defects.fragment
@state.remembered(*INNER)
def show(outcome: Outcome) -> None:
    """Which images, of which network, under which condition."""
    from advprop_core.evaluation.disagreement import disagreement

    left, right = st.columns(2)
    models = sorted(outcome.infos, key=lambda name: len(outcome.infos[name].branches) < 2)
    titles = {name: network_files.title(name) for name in models}
    model = choose(_("Network"), titles, "gallery_network", widget=left.selectbox)
    with english():  # as links name them
        conditions = {words.condition(asked): asked for asked in outcome.conditions}
        first = words.condition(_first_shown(outcome.conditions))
    name = choose(
        _("How images were changed"),
        {name: words.condition(asked) for name, asked in conditions.items()},
        "gallery_condition",
        default=first,
        widget=right.selectbox,
    )
    condition = conditions[name]
    answers = outcome.answers(model, condition)
    clean = None if condition.kind == "clean" else outcome.answers(model, outcome.conditions[0])
    sorted_cases = disagreement(answers, outcome.labels[model], clean)
    groups = _groups(sorted_cases, clean is not None)
    counted = {
        name: _("{title} ({count})", title=title, count=len(cases))
        for name, (title, cases) in groups.items()
    }
    group = choose(
        _("Which images"),
        counted,
        "gallery_group",
        widget=partial(st.segmented_control, required=True),
    )
    st.caption(words.gallery(condition, list(answers), sorted_cases.n))
    _cases(groups[group][1], outcome, model, condition)


def _groups(sorted_cases: Disagreement, attacked: bool) -> dict[str, tuple[str, tuple[Case, ...]]]:
    """What links name a group, to what a person reads of it and its images."""
    wrong = {_WRONG: (_(_WRONG), sorted_cases.wrong)}
    if len(sorted_cases.alone) < 2:
        return wrong
    only = N_("Only {branch} survives") if attacked else N_("Only {branch} is right")
    alone = {
        only.format(branch=branch): (_(only, branch=branch), cases)
        for branch, cases in sorted_cases.alone.items()
    }
    return {_DIFFER: (_(_DIFFER), sorted_cases.differing), **alone, **wrong}


def _first_shown(conditions: Sequence[Condition]) -> Condition:
    """At first the widest attack of the first kind, which the heading is about."""
    attacks = [(c.attack, c) for c in conditions if c.attack]
    if not attacks:
        return conditions[-1]
    alike = [(config, c) for config, c in attacks if config.name == attacks[0][0].name]
    return max(alike, key=lambda pair: pair[0].epsilon)[1]


def _cases(cases: tuple[Case, ...], outcome: Outcome, model: str, condition: Condition) -> None:
    if not cases:
        st.markdown(_("There is no such image."))
        return
    first, info = 0, outcome.infos[model]
    if (pages := -(-len(cases) // _PER_PAGE)) > 1:
        first = (st.pagination(pages, key="robustness.gallery.page") - 1) * _PER_PAGE
    with st.container(horizontal=True, gap="medium"):
        for case in cases[first : first + _PER_PAGE]:
            source = outcome.sources[model][case.index]
            fields, opened_with = _opening(case, condition)
            with st.container(width=_WIDTH):
                alt = words.case_alt(case, info.class_names)
                small_picture(source, info.input_size, _WIDTH, alt)
                st.markdown(words.case(case, info.class_names))
                page_button(
                    _("Playground"),
                    "playground",
                    {"model": model, "image": source, "target": "", **fields},
                    key=f"robustness.open.{source}",
                    icon=":material/open_in_new:",
                    width="stretch",
                    help=_(
                        "Opens this image there, with this network and {opened_with}.",
                        opened_with=opened_with,
                    ),
                )


def _opening(case: Case, condition: Condition) -> tuple[Mapping[str, Any], str]:
    """What of the condition the Playground can show: fields of its view, and words.

    It is the same attack, through a branch that it fools.
    """
    config = condition.attack
    if not isinstance(config, AttackConfig):
        return {"perturbation": "none"}, _("no perturbation")
    name, unit = STRENGTHS[config.norm], NORM_UNITS[config.norm]
    most = bounds(View, name)[1]
    opened_with = _("this attack")
    if config.random_start:
        opened_with = _("this attack from another random start")
    if config.epsilon * unit > most:
        limited = _("{attack} at ε = {radius}, the largest possible")
        opened_with = limited.format(attack=opened_with, radius=radius(most / unit, config.norm))
    fooled = [opinion.branch for opinion in case.opinions if not opinion.right]
    fields = {
        name: min(config.epsilon * unit, most),
        "perturbation": "pgd" if config.random_start else "i-fgsm",
        "norm": config.norm,
        "attack_branch": [*fooled, case.opinions[0].branch][0],
        "step_size": 0.0,
        "seed": SEED,
        "steps": config.steps,
    }
    if config.name == "FGSM":
        del fields["steps"]
        fields["perturbation"] = "fgsm"
    return fields, opened_with
