"""The matrix of the attack studio: who fools whom, on this picture and on many?"""

import streamlit as st

from advprop_core.compare.matrix import attack_matrix
from app.figures import studio as figures
from app.language.text import _
from app.playground import words
from app.playground.many_pictures import MOST_IMAGES, ManyPictures, attack_many
from app.shell import cache, comparison, controls, photo_sets, samples, tasks
from app.shell.layout import chart
from app.shell.messages import unbroken
from app.shell.tasks import Shown, Task

_MANY = "studio.folder"


def draw(playground: Shown) -> None:
    """An attack through each branch, shown to each branch; then the same for many pictures."""
    view, info = playground.view, playground.info
    lens = cache.load_lens(view.model)
    task = Task.of(
        (lens.network,),
        attack_matrix,
        lens.branches,
        playground.result.clean[None],
        about=playground.task.about,
        config=comparison.attack_config(view, info),
        true_class=playground.result.true_class,
    )
    shown = tasks.answer("studio.matrix", task, view, info)
    if shown is not None:
        names = shown.info.class_names
        sentence = " ".join(words.fooled(shown.result, names))
        st.markdown(unbroken(sentence))
        chart(figures.matrix(shown.result, names), "studio.matrix", sentence)
        parts = controls.conditions(shown.view, shown.info)
        attack = _(", ").join(text for name, text in parts.items() if name != "branch")
        st.caption(
            _(
                "{attack}, through each branch in turn. Below an unexpected answer you see the "
                "probability of the expected one."
            ).format(attack=attack)
        )
    _many_pictures(playground)


# -- many pictures: measured when somebody asks for it ---------------------------------------------


def _many_pictures(playground: Shown) -> None:
    """A button, then progress, then the matrix with its intervals."""
    st.markdown(_("##### And on many pictures?"))
    task = _task_of_many(playground)
    if task is None:
        reason = samples.no_photos(samples.class_folders())
        st.caption(_("This needs photos of this network's classes.") + f" {reason}")
        photo_sets.uploader("photos", disabled=False)
        return
    asked = tasks.offer(
        _MANY,
        task,
        _("Measure on up to {count} pictures").format(count=MOST_IMAGES),
        icon=":material/play_arrow:",
        help=_(
            "Attacks many pictures through each branch and tests every branch on them. It takes a "
            "while. You can stop it."
        ),
    )
    if asked is None or asked.key.networks != task.key.networks:
        return
    # What was asked is measured to its end, whatever else is chosen meanwhile.
    shown = tasks.answer(_MANY, asked, info=playground.info)
    if shown is not None:
        _draw_many(shown, task)


def _draw_many(shown: Shown, task: Task) -> None:
    result: ManyPictures = shown.result
    sentence = words.robustness(result.cells)
    st.markdown(unbroken(sentence))
    chart(figures.accuracies(result.cells), "studio.accuracies", sentence)
    model = shown.networks[0].name
    st.caption(words.how_measured(result, model, shown.info.class_names))
    if shown.task != task.key:
        st.caption(_("The settings have changed since: measure again to compare."))


def _task_of_many(playground: Shown) -> Task | None:
    """The matrix over many pictures, or None where there are none with this network's classes."""
    info = playground.info
    source = samples.source_for(info, MOST_IMAGES, playground.view.photos)
    if source is None:
        return None
    lens = cache.load_lens(playground.view.model)
    config = comparison.attack_config(playground.view, info)
    return Task.of(
        (lens.network,),
        attack_many,
        lens.model,
        info,
        about="images",
        is_long=True,
        data=source.name,
        config=config,
    )
