"""Robustness: how often each branch is right, over many images and under many conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.evaluation import results_file
from advprop_core.report import pages, plots
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
from advprop_core.types import ModelInfo
from app.language.text import N_, _, english, paragraph
from app.robustness import bundled, controls, measurement, parts, study, words
from app.robustness.measurement import RunRequest
from app.robustness.parts import Results
from app.robustness.view import INNER, RobustnessView
from app.shell import chart_saving, defects, results_page, runs, state
from app.shell.jobs import Report
from app.shell.layout import chart, tabs
from app.shell.messages import emphasised, safe
from app.shell.results_page import Run
from app.shell.runs import Content

if TYPE_CHECKING:
    from app.robustness.work import Outcome


def _ask(view: RobustnessView, models: Mapping[str, ModelInfo]) -> Run | str:
    infos = {name: models[name] for name in view.tested}
    request, images = measurement.request_of(view), measurement.data_for(infos)
    if view.data not in images:
        return measurement.no_data(infos)
    return Run(
        runs.task(request.models, measure, request),
        words.plan(request, _(images[request.data])),
        measurement.passes(request, infos),
        words.besides(request),
        help=_("Figures from earlier runs are used again and cost no time."),
        saved=_("Finished figures are saved: Run continues from there."),
    )


def measure(request: RunRequest, files: Mapping[str, Path], progress: Report) -> Outcome:
    """Done by a worker."""
    from app.robustness import work  # here: it loads torch

    return work.measure(request, files, progress=progress)


def _show(result: Content | Outcome) -> None:
    """The answer and its figure, then the rest in tabs."""
    outcome = None if isinstance(result, Mapping) else result
    content: Content = result if isinstance(result, Mapping) else result.content
    if bundled.is_study(content):
        study.show(content)
        return
    named = with_short_names(content)
    with english():  # files say it
        chart_saving.tell(words.source(content))
    st.caption(words.measured(content))
    sentences = headline(named)
    if sentences:
        st.markdown(f"## {emphasised(sentences[0])}")
    if sentences != [_(DIFFERENT_IMAGES)]:
        ranked = hardest(named) or of_kind(named["results"], "clean")
        st.markdown(emphasised(verdict(ranked)))
    for warning in content.get("warnings", ()):
        st.warning(safe(warning["text"]), icon=":material/visibility_off:")
    _at_a_glance(named)
    _more(Results(named, outcome))
    st.caption(paragraph([words.source(content), *([words.reused(outcome)] if outcome else [])]))
    if checked := gradients_checked(content):
        st.caption(f":material/check: {checked}")
    runs.offer_files(content, "results.json", pages.page)


def _at_a_glance(content: Mapping[str, Any]) -> None:
    """One figure: every branch before and under the strongest attack, or its shape bias."""
    from app.figures import robustness as figures

    clean, hit = of_kind(content["results"], "clean"), hardest(content)
    biased = content.get("shape_bias", {}).get("results", ())
    if not hit and biased:
        alt = shape_biases({"results": biased})
        chart(plots.shape_biases(biased), "robustness.glance", alt, "Shape bias of each branch")
        st.caption(_("Share of answers by shape, of those by shape or texture; 95 % intervals."))
    elif clean or hit:
        attack = describe_attack(hit[0]) if hit else ""
        heading = "Right answers on clean images"
        if hit:
            heading = f"Right answers when clean and under {attack}"
        alt = accuracies(own_attacks([*clean, *hit]))
        chart(figures.standings(clean, hit), "robustness.glance", alt, heading)
        st.caption(words.standings(attack))


@defects.fragment
def _more(results: Results) -> None:
    """Everything else, a tab at a time."""
    makers = parts.parts(results)
    with state.remembered(*INNER):
        tab, title = tabs(list(makers), "part")
        with tab:
            makers[title](results)


results_page.show_page(
    RobustnessView,
    N_("How robust is each branch?"),
    slot="robustness",
    field="results",
    bundled=bundled.questions(bundled.bundled()),
    read=lambda name: bundled.read(bundled.bundled()[name]),
    settle=controls.settle,
    controls=controls.show,
    ask=_ask,
    file=_("A results.json, as `advprop evaluate … --report DIR` writes it"),
    parse=results_file.parse,
    show=_show,
)
