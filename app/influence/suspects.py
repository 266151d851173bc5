"""Training images whose labels look wrong: they can be flagged, and the list exported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.influence import words
from app.influence.tiles import tiles
from app.influence.view import InfluenceView
from app.language.text import _, ngettext
from app.shell import cache, state, tasks
from app.shell.tasks import Shown, Task

if TYPE_CHECKING:
    from app.influence.work import Example

_SLOT = "influence.suspects"


def show(shown: Shown, current: bool) -> None:
    """The suspects of the network's main branch, and what was flagged."""
    from app.influence.work import TrainingSet, find_suspects  # here: it loads torch

    view: InfluenceView = shown.view
    st.markdown(_(words.SUSPECTS))
    lens = cache.load_lens(view.model)
    training = TrainingSet(view.trained_on, view.training_images)
    task = Task.of((lens.network,), find_suspects, lens, about=training, training=training)
    suspects = tasks.answer(_SLOT, task, same_inputs=True)
    if suspects is None:
        return
    _export(view, suspects.result)
    flag = partial(_flag, view=view, current=current)
    tiles("suspects", suspects.result, view.model, lens.info.input_size, flag)


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


def _export(view: InfluenceView, suspects: tuple[Example, ...]) -> None:
    count = len(view.flagged)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Export the list"),
            words.flagged_file(view.flagged, suspects),
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
