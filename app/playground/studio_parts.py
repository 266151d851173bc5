"""The parts of the attack studio: work, sentence, figure, and how it was obtained."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from app.playground import studio_pictures as studio_folder
from app.playground import words
from app.playground.studio_subject import Subject, answer, work_on
from app.shell import controls, messages, state
from app.shell.workbench import Shown, dark

_CURVE = "studio.curve"


def sweep(subject: Subject) -> None:
    """Probability against epsilon, and where each branch gives way."""
    from app.figures import studio, style
    from app.playground import work as studio_requests

    request = studio_requests.sweep_request(subject.view, subject.info, subject.true_class)
    found = answer("sweep", subject, work_on(subject, request, studio_requests.run_sweep))
    if found is None:
        return
    norm, names = found.view.norm, found.info.class_names
    sentence = words.flips(found.result, norm, names)
    st.markdown(sentence)
    now = subject.view.epsilon if norm == "linf" else subject.view.radius
    st.plotly_chart(
        studio.curves(found.result, names, norm, now, dark=dark()),
        key=_CURVE,
        config=style.CONFIG,
        alt=messages.plain(sentence),
        on_select=lambda: _go_to_click(norm),
        selection_mode="points",
    )
    _go_to_flips(found)
    config = studio_requests.sweep_request(found.view, found.info, None).config
    st.caption(
        f"{words.how_swept(found.result, config, names)} The thin line is the strength on the "
        "left; a click on a curve goes there."
    )


def _go_to_click(norm: str) -> None:
    points = st.session_state[_CURVE]["selection"]["points"]
    if points:
        _go(norm, float(points[0]["x"]))


def _go(norm: str, strength: float) -> None:
    name = "epsilon" if norm == "linf" else "radius"
    low, high = state.BOUNDS[name]
    state.choose(**{name: min(max(round(strength, 2), low), high)})


def _go_to_flips(found: Shown) -> None:
    """What a click on the curve does, for the keyboard, and exactly where a branch flips."""
    norm = found.view.norm
    flips = [one for one in found.result.flips.values() if one.epsilon]
    if not flips:
        return
    target = found.result.target_class
    verb = "flips" if target is None else f"says {found.info.class_names[target]}"
    with st.container(horizontal=True):
        for flip in flips:
            st.button(
                f"Go to {words.flip_radius(flip.epsilon, norm)}, where {flip.branch} {verb}",
                key=f"studio.go.{flip.branch}",
                on_click=_go,
                args=(norm, words.reachable(flip.epsilon, norm)),
            )


def film(subject: Subject) -> None:
    """The attack step by step."""
    from advprop_core.attribution.methods import METHODS
    from app.elements.film import film as show
    from app.playground import work as studio_requests

    layer = subject.lens.default_layer
    request = studio_requests.film_request(subject.view, subject.info, subject.true_class, layer)
    found = answer("film", subject, work_on(subject, request, studio_requests.run_film))
    if found is None:
        return
    names = found.info.class_names
    described = _described(found)
    show(found.result)
    method = METHODS[studio_requests.film_method(found.view)]
    st.caption(words.how_filmed(found.result, described, method.title, names))
    if method.name != found.view.method:
        st.caption(f"{METHODS[found.view.method].title} would take too long for every frame.")
    with st.container(horizontal=True):
        _save(found, "WEBP", f"{found.title}. {described}", "Small, with exact colours.")
        _save(found, "GIF", f"{found.title}. {described}", "Larger, and works everywhere.")


def _described(found: Shown) -> str:
    """The attack in words, and what it wants."""
    target = found.view.target
    towards = f", towards {dict(found.info.classes)[target]}" if target else ""
    return f"{controls.describe(found.view)}{towards}"


def _save(found: Shown, kind: Literal["WEBP", "GIF"], title: str, why: str) -> None:
    reel: Any = found.result

    def data() -> bytes:
        from app.figures.animation import to_animation

        return to_animation(reel, kind, title)

    st.download_button(
        f"Save as {'WebP' if kind == 'WEBP' else kind}",
        data,
        file_name=f"attack.{kind.lower()}",
        mime=f"image/{kind.lower()}",
        icon=":material/download:",
        key=f"studio.save.{kind.lower()}",
        on_click="ignore",
        help=f"An animated picture of all steps. {why}",
    )


def matrix(subject: Subject) -> None:
    """An attack through each branch, shown to each branch; then the same for many pictures."""
    from app.figures import studio, style
    from app.playground import work as studio_requests

    request = studio_requests.matrix_request(subject.view, subject.info, subject.true_class)
    found = answer("matrix", subject, work_on(subject, request, studio_requests.run_matrix))
    if found is not None:
        names = found.info.class_names
        sentence = " ".join(words.fooled(found.result, names))
        st.markdown(sentence)
        st.plotly_chart(
            studio.matrix(found.result, names, dark=dark()),
            key="studio.matrix",
            config=style.CONFIG,
            alt=messages.plain(sentence),
        )
        once = _described(found).replace(f", through {found.view.attack_branch}", "")
        st.caption(
            f"{once}, each time through another branch. Where an answer is not what it should be, "
            "the probability of what it should be stands below it."
        )
    studio_folder.show(subject)
