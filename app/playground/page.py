"""Playground: perturb a picture and compare what the branches make of it."""

import streamlit as st

from app.language.text import N_, _
from app.playground import glance, studio, words
from app.playground.view import PlaygroundView
from app.shell import erasing, messages, state, workbench
from app.shell.comparison import comparison_task, target_class
from app.shell.tasks import Shown

_ERASER = 360  # px


def _draw(shown: Shown, current: bool) -> None:
    """Pictures, answers and maps on one screen; then what explains them."""
    from app.playground import saving  # here: it loads torch

    if state.value("perturbation") == "erase":
        _eraser(shown)
    is_alone = not shown.view.beside
    drawn = glance.show(shown, "playground") if is_alone else glance.show_beside(shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            _(
                "Double-click a picture to enlarge all of them, and drag to move. Press 0 to see "
                "all of it."
            )
        )
        if is_alone:
            glance.offer_beside(shown)
    if drawn is not None:
        glance.say_of_maps(drawn)
    st.subheader(_("How large is this perturbation?"))
    info = shown.info
    sentences = messages.honesty(shown.result, info)
    sentences.append(messages.learnt(info, shown.result.true_class is not None))
    if (target := target_class(shown.view, info)) is not None:
        sentences.insert(0, words.reached(shown.result, target, info.class_names))
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    saving.show(shown, drawn)


def _eraser(shown: Shown) -> None:
    """The clean picture, to be drawn on."""
    from app.figures.pictures import to_png  # here: it loads torch

    title = _(shown.title)
    caption = _("Mark what to erase: {title}", title=title)
    alt = _("The clean picture: {title}", title=title)
    png = to_png(shown.result.clean.numpy())
    with st.container(width=_ERASER):
        erasing.on_picture(png, caption, alt)


workbench.show_page(
    PlaygroundView,
    N_("What do the two BatchNorms see in this picture?"),
    N_(
        "AdvProp trains **main** on clean images and **aux** on adversarial ones. See what each "
        "branch of this network answers, and where it looks."
    ),
    slot="playground",
    task=comparison_task,
    draw=_draw,
    outline=glance.outline,
)
studio.show()
