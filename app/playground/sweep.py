"""The ε sweep of the attack studio: how strong must the attack be?"""

from dataclasses import replace

import streamlit as st

from advprop_core.compare.sweep import sweep
from advprop_core.text import NORM_UNITS
from advprop_core.types import AttackConfig, ModelInfo
from app.figures import studio as figures
from app.language.text import _, paragraph
from app.playground import words
from app.playground.view import PlaygroundView
from app.shell import cache, comparison, state, tasks
from app.shell.layout import chart
from app.shell.messages import unbroken
from app.shell.tasks import Shown, Task
from app.shell.view import STRENGTHS, View, bounds

# In the units of the sidebar, each a stop of its slider; fine where most answers change.
GRIDS = {
    "linf": (0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16),
    "l2": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.5, 3, 3.5, 4, 5),
}
# To within which bisection finds a flip, in pixel units.
PRECISIONS = {"linf": 0.05 / 255, "l2": 0.02}
_CURVE = "studio.curve"


def draw(playground: Shown) -> None:
    """Probability against epsilon, and where each branch gives way."""
    view, lens = playground.view, cache.load_lens(playground.view.model)
    task = Task.of(
        (lens.network,),
        sweep,
        lens.branches,
        playground.result.clean[None],
        about=playground.task.about,
        config=_strongest(view, playground.info),  # the strength on the left does not decide it
        epsilons=tuple(stop / NORM_UNITS[view.norm] for stop in GRIDS[view.norm]),
        attack_branch=view.attack_branch,
        true_class=playground.result.true_class,
        precision=PRECISIONS[view.norm],
        scale_step=not view.step_size or view.perturbation == "fgsm",
    )
    shown = tasks.answer("studio.sweep", task, view, playground.info)
    if shown is None:
        return
    norm, names = shown.view.norm, shown.info.class_names
    sentence = words.flips(shown.result, norm, names)
    st.markdown(unbroken(sentence))
    now = getattr(view, STRENGTHS[norm])
    titles = {b: words.flip(shown.result, b, norm, names) for b in shown.result.predictions}
    chart(
        figures.curves(shown.result, names, norm, titles, now),
        _CURVE,
        sentence,
        on_select=lambda: _go_to_click(norm),
        selection_mode="points",
    )
    _go_to_flips(shown)
    how = words.how_swept(shown.result, _strongest(shown.view, shown.info), names)
    hint = _("The thin line is the chosen strength. Click a curve to go there.")
    st.caption(paragraph([how, hint]))


def _strongest(view: PlaygroundView, info: ModelInfo) -> AttackConfig:
    """The attack at the largest radius."""
    epsilon, radius = bounds(View, "epsilon")[1], bounds(View, "radius")[1]
    return comparison.attack_config(replace(view, epsilon=epsilon, radius=radius), info)


def _go_to_click(norm: str) -> None:
    points = st.session_state[_CURVE]["selection"]["points"]
    if points:
        _go(norm, float(points[0]["x"]))


def _go(norm: str, strength: float) -> None:
    name = STRENGTHS[norm]
    low, high = bounds(View, name)
    state.choose(**{name: min(max(round(strength, 2), low), high)})


def _go_to_flips(shown: Shown) -> None:
    """What a click on the curve does, for the keyboard, and exactly where a branch flips."""
    norm, target = shown.view.norm, shown.result.target_class
    where = _("Go to {radius}, where {branch} flips")
    if target is not None:
        where = _("Go to {radius}, where {branch} says {name}")
    name = "" if target is None else shown.info.class_names[target]
    with st.container(horizontal=True):
        for flip in shown.result.flips.values():
            if flip.epsilon:
                st.button(
                    where.format(
                        radius=words.flip_radius(flip.epsilon, norm), branch=flip.branch, name=name
                    ),
                    key=f"studio.go.{flip.branch}",
                    on_click=_go,
                    args=(norm, words.reachable(flip.epsilon, norm)),
                )
