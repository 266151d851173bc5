"""Robustness: how often each branch is right, over many images and under many conditions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.evaluation import results_file
from advprop_core.types import ModelInfo
from app.language.text import N_, _
from app.robustness import bundled, controls, cost, measurement, results, study, words
from app.robustness.measurement import RunRequest
from app.robustness.view import RobustnessView
from app.shell import results_page, runs
from app.shell.jobs import Report
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
        cost.passes(request, infos),
        cost.besides(request),
        help=_("Figures from earlier runs are used again and cost no time."),
        saved=_("Finished figures are saved: Run continues from there."),
    )


def measure(request: RunRequest, files: Mapping[str, Path], progress: Report) -> Outcome:
    """Done by a worker."""
    from app.robustness import work  # here: it loads torch

    return work.measure(request, files, progress=progress)


def _show(result: Content | Outcome) -> None:
    if not isinstance(result, Mapping):
        results.show(result.content, result)
    elif bundled.is_study(result):
        study.show(result)
    else:
        results.show(result, None)


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
