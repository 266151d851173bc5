"""The attack studio below the Playground: nothing of it is computed until a part is opened."""

import streamlit as st

from app.language.text import N_, _
from app.playground.view import STUDIO
from app.shell import cache, controls, state, tasks
from app.shell.fields import segments
from app.shell.state import key
from app.shell.view import ATTACKS, PERTURBATIONS

QUESTIONS = {
    "sweep": N_("How strong must the attack be?"),
    "film": N_("How does the attack get there?"),
    "matrix": N_("Who fools whom?"),
}
_TARGET = "studio.target"


def show() -> None:
    """The whole section, once the comparison has a result."""
    playground = tasks.shown("playground")
    if playground is None:
        return
    st.divider()
    st.subheader(_("Attack studio"))
    help = _(
        "ε sweep: each branch's answer at every strength, and where it changes. Film: the attack "
        "step by step. Matrix: an attack through each branch, tested on each branch. Nothing is "
        "computed until you open one of them."
    )
    part = segments(_("A closer look at the attack on this picture"), STUDIO, "studio", help)
    if part not in QUESTIONS:
        return
    from app.playground import film, matrix, sweep  # here: they load torch

    st.markdown(f"##### {_(QUESTIONS[part])}")
    if (perturbation := playground.view.perturbation) not in ATTACKS:
        st.info(
            _(
                "The chosen perturbation is not an attack: {perturbation}. The studio needs an "
                "attack, which follows a network's gradient.",
                perturbation=_(PERTURBATIONS[perturbation]),
            )
        )
        st.button(
            _("Attack with PGD"),
            key="studio.pgd",
            on_click=state.choose,
            kwargs={"perturbation": "pgd"},
        )
        return
    # The target class, here too: the expert controls have the same. It is one of the network that
    # is chosen, which may not be the one yet whose result is shown.
    st.session_state[_TARGET] = st.session_state[key("target")]
    info = cache.model_info(st.session_state[key("model")])

    def take_target() -> None:
        state.choose(target=st.session_state[_TARGET])

    controls.target_class(info, _TARGET, on_change=take_target, width=360)
    {"sweep": sweep, "film": film, "matrix": matrix}[part].draw(playground)
