"""Influence: which training images a prediction rests on, and which of their labels look wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.report.colours import branch_colour
from advprop_core.text import percent
from advprop_core.types import ModelInfo
from app.influence import words
from app.influence.view import PARTS, SETS, InfluenceView, sets_for
from app.language.text import _, ngettext
from app.shell import cache, comparison, network_files, state, tasks, workbench
from app.shell.cache import Lens
from app.shell.fields import number, segments, slider
from app.shell.layout import in_rows, page_button, small_picture, tabs
from app.shell.messages import learnt, plain, safe, unbroken
from app.shell.pictures import key_of
from app.shell.state import key
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.influence.work import BranchRest, Example

_PICTURE = 120  # px
_TILE = 96  # px: four beside each other in half a page, three on a phone
_FITTING = "shapes-advprop"  # a bundled network whose training images can be drawn


def _controls(info: ModelInfo) -> None:
    """Which training images, how many, and which network stands beside."""
    sets = sets_for(info)
    state.keep_within("trained_on", sets or ["scenes"])
    if len(sets) > 1:
        segments(_("Training images"), {name: SETS[name] for name in sets}, "trained_on")
    help = _(
        "The largest number of images, spread over the classes. Their features are computed once "
        "for each network and then stored."
    )
    number(_("How many training images"), "training_images", help, step=100)
    is_traced = st.session_state[key("influence_part")] == PARTS[0]  # these do nothing elsewhere
    if is_traced:
        help = _("Helpful ones of each branch, and as many harmful ones.")
        slider(_("Images to show"), "shown_images", help)
    help = _("Compare a network with another one on the same training images.")
    workbench.second_network(lambda info: bool(sets_for(info)), help, is_shown=is_traced)


def _task(view: InfluenceView, lens: Lens) -> Task:
    from app.influence.work import no_training_images, trace_picture  # here: it loads torch

    if not sets_for(lens.info):
        return Task.of((lens.network,), no_training_images, about=None)
    lenses = workbench.both_lenses(view, lens)
    index = comparison.true_class(view, lens.info)
    label = None if index is None else lens.info.class_ids[index]
    return Task.of(
        tuple(each.network for each in lenses),
        trace_picture,
        lenses,
        [cache.pixels(view.image, each.info.input_size) for each in lenses],
        about=key_of(view.image),
        label=cache.picture(view.image, lens.info.input_size).label or label,
        kind=view.trained_on,
        limit=view.training_images,
        shown=view.shown_images,
    )


def _draw(shown: Shown, current: bool) -> None:
    if not shown.result.branches:
        _alone()
        return
    place, part = tabs(PARTS, "influence_part")
    with place:
        if part == PARTS[0]:
            _rests(shown)
        else:
            _suspects(shown.view, current)


def _rests(shown: Shown) -> None:
    result, view, info = shown.result, shown.view, cache.model_info(shown.view.model)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        png = cache.preview(view.image, info.input_size)
        title = _(cache.picture(view.image, info.input_size).title)
        st.image(png, width=_PICTURE, output_format="PNG", alt=plain(title))
        sentences = [words.meant(result, view.trained_on), words.verdict(result)]
        st.markdown("\n\n".join(sentences))
    if not result.is_known:  # it may show none of the classes
        st.caption(learnt(info, true_class_known=False))
    for row, rest in enumerate(result.branches):
        _branch(rest, row, several=words.are_several(result))
    with st.expander(_("How it is measured")):
        st.markdown(_(words.METHOD))


def _branch(rest: BranchRest, row: int, *, several: bool) -> None:
    network = f" · {safe(network_files.title(rest.model))}" if several else ""
    colour = branch_colour(rest.branch)
    st.html(f'<hr style="border:0;border-top:4px solid {colour};margin:0.5rem 0 0">')
    says = _(
        "{branch} with a new last layer says {name} {share}",
        branch=rest.branch,
        name=rest.answer,
        share=percent(rest.probability),
    )
    st.markdown(f"## {unbroken(safe(says))}{network}")
    sides = (
        ("helpful", _("Helpful (change of the loss without it)"), rest.helpful),
        ("harmful", _("Harmful (change of the loss without it)"), rest.harmful),
    )
    for column, (side, title, examples) in in_rows(sides, 2, "large", roomy=f"rest-{row}"):
        with column:
            st.markdown(f"**{title}**")
            _tiles(f"{row}.{side}", examples, rest.model)


def _tiles(
    name: str,
    examples: Sequence[Example],
    model: str,
    more: Callable[[Example, str], None] = lambda example, key: None,
) -> None:
    """Training images in a row that wraps; each opens in the Playground, with a network.

    ``more`` draws what stands below an image, under a key of its own.
    """
    if not examples:
        st.caption(_("There is none."))
        return
    size = cache.model_info(model).input_size
    with st.container(horizontal=True, gap="small", key=f"tiles-{name}"):
        for row_index, example in enumerate(examples):
            with st.container(width=_TILE, gap=None):
                alt = _(
                    "Training image labelled {label}, {title}",
                    label=example.label,
                    title=example.title,
                )
                small_picture(example.source, size, _TILE, alt)
                score = f"{example.score:+#.2g}".replace("-", "−")
                st.markdown(f"**{example.label}**  \n{score}")
                page_button(
                    _("Open"),
                    "playground",
                    {"model": model, "image": example.source, "true_class": ""},
                    key=f"influence.open.{name}.{row_index}",
                    icon=":material/open_in_new:",
                    help=_(
                        "{title}: opens in the Playground, with {model}.",
                        title=example.title,
                        model=model,
                    ),
                    type="tertiary",
                )
                more(example, f"{name}.{row_index}")


def _suspects(view: InfluenceView, current: bool) -> None:
    """Training images whose labels look wrong to main: they can be flagged, and exported."""
    from app.influence.work import find_suspects  # here: it loads torch

    st.markdown(_(words.SUSPECTS))
    lens = cache.load_lens(view.model)
    task = Task.of(
        (lens.network,),
        find_suspects,
        lens,
        about=(view.trained_on, view.training_images),  # of others, no earlier result is shown
        kind=view.trained_on,
        limit=view.training_images,
    )
    suspects = tasks.answer("influence.suspects", task, same_inputs=True)
    if suspects is None:
        return
    count = len(view.flagged)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Export the list"),
            words.flagged_file(view.flagged, suspects.result),
            "mislabelled.csv",
            "text/csv",
            key="influence.export",
            icon=":material/download:",
            disabled=not count,
        )
        st.button(
            _("Forget the flags"),
            key="influence.forget",
            type="tertiary",
            disabled=not count,
            on_click=state.choose,
            kwargs={"flagged": ()},
        )
        sentence = ngettext("{count} image is flagged.", "{count} images are flagged.", count)
        st.caption(sentence.format(count=count) if count else _("No images are flagged."))
    _tiles("suspects", suspects.result, view.model, partial(_flag, view=view, current=current))


def _flag(example: Example, key: str, *, view: InfluenceView, current: bool) -> None:
    is_flagged = example.source in view.flagged
    others = tuple(source for source in view.flagged if source != example.source)
    st.button(
        _("Flagged") if is_flagged else _("Flag"),
        key=f"influence.flag.{key}",
        icon=":material/flag:" if is_flagged else ":material/outlined_flag:",
        help=_("Take the flag away.") if is_flagged else _("Its label is wrong."),
        type="primary" if is_flagged else "secondary",
        width="stretch",
        disabled=not current,
        on_click=state.choose,
        kwargs={"flagged": others if is_flagged else (*view.flagged, example.source)},
    )


def _alone() -> None:
    """What can be done for a network whose training images are not here."""
    st.info(_(words.ALONE), icon=":material/info:")
    st.markdown(
        _(
            "Start the app with `advprop app --images DIR`, where DIR has a folder for each "
            "class. Or choose a network that learnt drawn scenes: the app can draw these again."
        )
    )
    if _FITTING in cache.model_files():
        st.button(
            _("Use {network}", network=_FITTING),
            type="primary",
            on_click=state.choose,
            kwargs={"model": _FITTING, "image": InfluenceView().image, "true_class": ""},
        )


workbench.show_page(
    InfluenceView,
    words.QUESTION,
    words.INTRODUCTION,
    slot="influence",
    controls_of=_controls,
    task=_task,
    draw=_draw,
)
