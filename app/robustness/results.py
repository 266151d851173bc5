"""Results of an evaluation: the answer and its figure, then the rest in tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.report import plots
from advprop_core.report.pages import page
from advprop_core.report.sections import with_short_names
from advprop_core.report.sentences import (
    DIFFERENT_IMAGES,
    accuracies,
    hardest,
    headline,
    shape_biases,
    verdict,
)
from advprop_core.report.words import describe_attack, gradients_checked, of_kind, own_attacks
from app.language.text import _, english, paragraph
from app.robustness import parts, words
from app.robustness.parts import Results
from app.robustness.view import INNER
from app.shell import chart_saving, defects, messages, runs, state
from app.shell.layout import chart, tabs
from app.shell.messages import emphasised

if TYPE_CHECKING:
    from app.robustness.work import Outcome


def show(content: Mapping[str, Any], outcome: Outcome | None) -> None:
    """The content of a ``results.json``; and, measured here, the answers image by image."""
    named = with_short_names(content)
    with english():  # files say it
        chart_saving.tell(words.source(content))
    st.caption(words.measured(content))
    _answer(named)
    for warning in content.get("warnings", ()):
        st.warning(messages.safe(warning["text"]), icon=":material/visibility_off:")
    _at_a_glance(named)
    _more(Results(named, outcome))
    st.caption(paragraph([words.source(content), *([words.reused(outcome)] if outcome else [])]))
    if checked := gradients_checked(content):
        st.caption(f":material/check: {checked}")
    runs.offer_files(content, "results.json", page)


def _answer(content: Mapping[str, Any]) -> None:
    """One sentence."""
    sentences = headline(content)
    if sentences:
        st.markdown(f"## {emphasised(sentences[0])}")
    if sentences != [_(DIFFERENT_IMAGES)]:
        ranked = hardest(content) or of_kind(content["results"], "clean")
        st.markdown(emphasised(verdict(ranked)))


def _at_a_glance(content: Mapping[str, Any]) -> None:
    """One figure: every branch before and under the strongest attack, or its shape bias."""
    from app.figures import robustness as figures

    clean, hit = of_kind(content["results"], "clean"), hardest(content)
    biased = content.get("shape_bias", {}).get("results", ())
    if not hit and biased:
        alt = shape_biases({"results": biased})
        chart(plots.shape_biases(biased), "robustness.glance", alt, "Shape bias of each branch")
        st.caption(_("Share of answers by shape, of those by shape or texture; 95 % intervals."))
        return
    if not clean and not hit:
        return
    alt = accuracies(own_attacks([*clean, *hit]))
    heading = "Right answers on clean images"
    if hit:
        heading = f"Right answers when clean and under {describe_attack(hit[0])}"
    chart(figures.standings(clean, hit), "robustness.glance", alt, heading)
    st.caption(words.standings(describe_attack(hit[0]) if hit else ""))


@defects.fragment
def _more(results: Results) -> None:
    """Everything else, a tab at a time."""
    makers = parts.parts(results)
    with state.remembered(*INNER):
        tab, title = tabs(list(makers), "part")
        with tab:
            makers[title](results)
