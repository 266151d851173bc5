"""Transfer: which network learns a new task best from few images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.models import bundle
from advprop_core.transfer import results_file
from advprop_core.types import ModelInfo
from app.language.text import N_, _
from app.shell import results_page, runs
from app.shell.jobs import Report
from app.shell.public import is_public
from app.shell.results_page import Run
from app.transfer import controls, results, words
from app.transfer.request import TransferRequest, request_of
from app.transfer.view import TransferView


def _bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, those that answer most first."""
    folder = bundle.bundle_dir() / "assets" / "results"
    paths = {path.stem: path for path in sorted(folder.glob("transfer*.json"))}
    return {name: paths[name] for name in dict.fromkeys([*words.BUNDLED, *paths]) if name in paths}


def _ask(view: TransferView, models: Mapping[str, ModelInfo]) -> Run:
    request = request_of(view)
    work = runs.task(request.networks, transfer, request)
    return Run(work, words.plan(request), request.passes, _("{sentence}."))


def transfer(
    request: TransferRequest, files: Mapping[str, Path], progress: Report
) -> dict[str, Any]:
    """Done by a worker."""
    from app.transfer import work  # here: it loads torch

    return work.transfer(request, files, progress=progress)


results_page.show_page(
    TransferView,
    N_("Which network learns from few images?"),
    words.LEAD,
    slot="transfer",
    field="learned",
    bundled={name: words.bundled(name) for name in _bundled()},
    read=lambda name: results_file.parse(name, _bundled()[name].read_bytes()),
    settle=controls.settle,
    controls=controls.show,
    ask=_ask,
    file=_("A results.json, as `advprop transfer … --out DIR` writes it"),
    parse=results_file.parse,
    show=results.show,
    closed=_(words.NOT_HERE) if is_public() else "",
)
