"""What pages about one picture share: its choice, its network, and a result of both."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.types import Comparison, ModelInfo
from app.language.text import _
from app.shell import (
    cache,
    comparison,
    controls,
    defects,
    gallery,
    history,
    messages,
    network_files,
    opening,
    state,
    tasks,
)
from app.shell.cache import Lens
from app.shell.messages import plain
from app.shell.pictures import suggested
from app.shell.state import key
from app.shell.tasks import Shown, Task
from app.shell.view import View


def _outline(view: View, info: ModelInfo) -> None:
    st.markdown(_("## The network is being loaded …"))
    title = _(cache.picture(view.image, info.input_size).title)
    st.image(
        cache.preview(view.image, info.input_size),
        caption=_("Clean: {title}", title=title),
        width=300,  # px: a phone has room for it
        output_format="PNG",
        alt=plain(title),
    )


def show_page(
    page: type[View],
    question: str,
    introduction: str,
    *,
    slot: str,
    controls_of: Callable[[ModelInfo], DeltaGenerator | None] = controls.of_picture,
    settle: Callable[[Lens], None] = lambda lens: None,
    task: Callable[[Any, Lens], Task],
    draw: Callable[[Shown, bool], None],
    outline: Callable[[View, ModelInfo], None] = _outline,
    needs_picture: Callable[[], bool] = lambda: True,
) -> None:
    """A page that answers one question about one picture.

    Args:
        page: What its widgets and its link decide.
        question: Its heading.
        introduction: A sentence or two below it.
        slot: Under which its result is kept.
        controls_of: Draws widgets that need no network loaded; returns the slot of the layer
            picker, or None where there is none.
        settle: Replaces what the page asks for and the network does not have.
        task: From the view and the network to what is to be computed.
        draw: Draws a result; the second argument is false while a newer one is being computed.
        outline: Draws what can be shown before torch is there; by default the picture alone. It
            draws no columns and no containers. Streamlit may send outline and result together.
            A part of the result then replaces what has its place in the outline, before the block
            that it belongs to. Within a block of the outline the browser fails at that.
        needs_picture: Whether what is chosen is about a picture; else none can be chosen.
    """
    models = begin(page, question, introduction)
    if not models:
        return
    info = controls.settle(models)
    with st.sidebar:
        toolbar = st.container()
        controls.model_picker(models)
        chooser = st.popover(
            _("Choose a picture"),
            icon=":material/image:",
            width="stretch",
            disabled=not needs_picture(),
            key=gallery.OPEN,
            on_change="rerun",  # so that a choice can close it
        )
        layer_slot = controls_of(info)
    view = state.current()
    opening.show()  # before the network is loaded, for which the person need not wait
    refusal = st.session_state.pop(gallery.REFUSAL, None)  # said once
    if refusal:
        st.error(refusal)
    complaints = st.container()
    result_slot = st.empty()
    lens = _load(view, info, None if tasks.shown(slot) else result_slot, outline)
    if lens is not None:
        controls.layer_picker(layer_slot, view, lens)
        settle(lens)
        view = state.current()
    history.record(view)
    with toolbar:
        history.toolbar(view)
    for complaint in state.complaints():
        complaints.warning(complaint)
    if lens is not None or tasks.shown(slot):  # else it is said already why there is nothing
        with result_slot.container():
            _answer(slot, view, lens, task, draw)
    if chooser.open:
        with chooser:
            gallery.show(view, info, refusal)


def _answer(
    slot: str,
    view: View,
    lens: Lens | None,
    task_of: Callable[[Any, Lens], Task],
    draw: Callable[[Shown, bool], None],
) -> None:
    """The result, or progress above the previous one while it is being computed."""
    progress = st.container()  # it comes and goes without moving what is below it
    task, shown = None, tasks.shown(slot)
    try:
        if lens is not None:
            title = cache.picture(view.image, lens.info.input_size).title
            task = task_of(view, lens)
            with progress:
                shown = tasks.answer(slot, task, view, lens.info, title)
    except defects.MISTAKES as error:
        shown = tasks.refused(slot, error)
    if shown is not None:
        asked = None if task is None else task.key
        draw(shown, (shown.task, shown.view) == (asked, view))


def say_verdict(result: Comparison, view: View, info: ModelInfo) -> None:
    """What happened, as a heading, and what each branch said, a line each."""
    target = comparison.target_class(view, info)
    heading, answers = messages.verdict(result, info.class_names, target)
    st.markdown(f"## {heading}")
    lines = (f"**{branch}** {messages.unbroken(answer)}" for branch, answer in answers.items())
    st.markdown("  \n".join(lines))
    for sentence in messages.close_classes(result, info):
        st.caption(messages.unbroken(sentence))


def second_network(fits: Callable[[ModelInfo], bool], help: str, *, is_shown: bool = True) -> None:
    """Which other network stands beside, of those that fit; the view's field ``second_model``."""
    chosen = state.value("model")
    models = cache.known_models(network_files.opened())
    titles = {"": _("none")}
    for name, info in models.items():
        if name != chosen and fits(info):
            titles[name] = network_files.title(name)
    state.keep_within("second_model", list(titles))
    if is_shown:
        st.selectbox(
            _("Network beside it"),
            list(titles),
            format_func=titles.__getitem__,
            key=key("second_model"),
            help=help,
        )


def both_lenses(view: Any, lens: Lens) -> list[Lens]:
    """The network of a view and, where there is one, the second."""
    return [lens, cache.load_lens(view.second_model)] if view.second_model else [lens]


def begin(page: type[View], question: str, introduction: str = "") -> dict[str, ModelInfo]:
    """A page's heading, and its view as it was left or linked.

    Returns the networks by name; none where there is none, which is said.
    """
    st.title(_(question))
    if introduction:
        st.markdown(_(introduction))
    opening.take_up()
    models = cache.known_models(network_files.opened())
    if models:
        default = page()
        if default.model not in models:  # the person's own is offered first
            default = page(model=next(iter(models)))
        asked = st.query_params.get("model", default.model)  # by an address that is no link of ours
        linked = models.get(asked, models[default.model])
        # Reset comes back to the first network and its picture, whichever the link names.
        opened, first = (
            replace(default, image=suggested(info) or default.image)
            for info in (linked, models[default.model])
        )
        state.restore(opened, first)
    else:
        st.error(_("No network is here: the bundled checkpoints are missing. Install again."))
    return models


def _load(
    view: View,
    info: ModelInfo,
    empty: DeltaGenerator | None,
    outline: Callable[[View, ModelInfo], None],
) -> Lens | None:
    """The network; where nothing is shown yet, the picture is there before it."""
    if empty is not None:
        with empty.container():
            try:
                outline(view, info)
            except defects.MISTAKES:
                empty.empty()  # said in full once the network is there
    try:
        with st.spinner(_("Loading the network…"), show_time=True):
            return cache.load_lens(view.model)
    except defects.MISTAKES as error:
        if empty is not None:
            empty.empty()
        defects.tell(error, _(" Choose another network."))
        return None
