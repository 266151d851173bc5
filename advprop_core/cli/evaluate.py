"""Data sets: ``evaluate``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advprop_core.cli import evaluate_options as eo
from advprop_core.cli import evaluate_tables, values
from advprop_core.cli import options as o
from advprop_core.cli.conditions import (
    read_attacks,
    read_corruptions,
    read_probes,
    read_smallest,
    read_stored,
)
from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.model_options import open_models, with_model_settings
from advprop_core.cli.output import Report, command_line
from advprop_core.cli.progress import counting
from advprop_core.errors import InputError
from advprop_core.models.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advprop_core.datasets.folders import Unreadable
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.data import DataRequest
    from advprop_core.evaluation.store import CellStore
    from advprop_core.evaluation.suite import Evaluation, Suite
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.processes import Processes

_LISTED = 20  # unreadable files that are listed by name
_CELLS = "cells"  # in a report's folder: what is finished


@with_model_settings
def evaluate(
    model: o.ModelsOption,
    data: eo.DataOption,
    clean: eo.CleanOption = None,
    branch: o.BranchOption = None,
    attack: eo.AttacksOption = None,
    norm: o.NormOption = "linf",
    epsilon: eo.EpsilonsOption = None,
    step_size: o.StepSizeOption = None,
    steps: o.StepsOption = None,
    restarts: eo.RestartsOption = None,
    attack_branch: eo.AttackBranchOption = None,
    sanity: eo.SanityOption = False,
    smallest_epsilon: eo.SmallestOption = None,
    corruptions: eo.CorruptionsOption = None,
    severity: eo.SeveritiesOption = None,
    probe: eo.ProbesOption = None,
    limit: o.LimitOption = None,
    strict: eo.StrictOption = False,
    download: eo.DownloadOption = False,
    seed: o.SeedOption = 0,
    *,
    settings: ModelSettings,
    report_dir: eo.ReportOption = None,
    json_file: o.JsonOption = None,
) -> None:
    r"""Measure each branch on clean, attacked, corrupted and probed images.

    Accuracies come with 95 % Wilson intervals, losses with Student's, calibration and the mean
    corruption error with bootstrap intervals; files hold fractions, not percentages. Each branch is
    attacked through itself unless --attack-branch names one. The mean corruption error is a plain
    mean of errors on corruptions that are made here: it is not the mCE of articles. That one, and
    relative mCE, follow for networks with ImageNet's 1000 classes on the files of ImageNet-C. On
    ImageNet-A and -R answers are among the 200 classes these have, as their articles have it. On
    shapes-conflict the shape bias follows, with a Wilson interval: answers by shape among those by
    shape or texture (Geirhos et al., arXiv 1811.12231). Networks run on a GPU where there is one;
    torchrun or accelerate launch shares the batches out to several processes, with the same
    answers.

    ```
    advprop evaluate --model imagenette-advprop --data photos/val \
        --attack pgd --epsilon 2/255,4/255 --steps 10 --json result.json
    advprop evaluate --model imagenette-vanilla,imagenette-advprop \
        --data photos/val --attack pgd --epsilon 1/255 --epsilon 2/255 \
        --corruptions all --severity 1,3,5 --limit 500 --report results
    advprop evaluate --model shapes-vanilla,shapes-advprop \
        --data shapes-conflict --limit 500 --probe all
    advprop evaluate --model resnet50.a1_in1k --data imagenet-c:sets/imagenet-c \
        --clean sets/imagenet/val --report resnet50-c
    torchrun --nproc-per-node 8 -m advprop_core.cli evaluate --model resnet50.a1_in1k \
        --data imagenet:sets/imagenet --attack autoattack --epsilon 2/255 --report resnet50
    ```
    """
    report = Report(json_file)
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}")
    smallest = read_smallest(
        smallest_epsilon, norm=norm, step_size=step_size, steps=steps, seed=seed
    )
    search_alone = smallest is not None and not attack  # then the steps are those of the search
    attacks = read_attacks(
        attack,
        norm=norm,
        epsilons=epsilon,
        step_size=None if search_alone else step_size,
        steps=None if search_alone else steps,
        restarts=restarts,
        attack_branch=attack_branch,
        seed=seed,
        sanity=sanity,
    )
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.data import DataRequest, open_images, open_stored
    from advprop_core.evaluation.suite import Suite
    from advprop_core.evaluation.summary import summarise
    from advprop_core.processes import are_several, joined

    request = DataRequest(data, clean, limit, strict, download)
    stored = request.stored_corruptions()
    conditions = [Condition(), *attacks]
    if stored is None:
        conditions += read_corruptions(corruptions, severity, seed)
    conditions += read_probes(probe, seed)
    if stored is not None:
        conditions = _require_clean(request, conditions, searched=smallest is not None)
        conditions += read_stored(corruptions, severity, stored)
    _require_usable(report_dir)
    if download and are_several():
        raise InputError("--download is for one process: fetch the set first, then start several")
    keep_freed_memory()
    files = open_models(model, settings)
    branches = {name: _branches(name, one, branch, attack_branch) for name, one in files.items()}
    opened = {name: one.without_copies() for name, one in files.items()}
    if stored is not None:
        tested = open_stored(request, opened, branches, conditions)
    else:
        tested = open_images(request, opened, branches, with_photos=bool(corruptions))
    _name_unreadable(report, tested.unreadable)
    for name, checkpoint in files.items():
        if checkpoint.copies:
            report.say(f"{name}: trained with one set of norm layers, so only main is evaluated")
    for note in tested.notes:
        report.say(note)
    suite = Suite(tested.models, conditions, smallest, data, seed, tested.notes, tested.with_mce)
    with joined() as processes:
        evaluation = _measure(report, suite, report_dir, processes)
    _report_left_out(report, evaluation, strict=strict)
    if processes.is_first:
        _finish(report, summarise(evaluation, command_line()), report_dir)


def _require_clean(
    request: DataRequest, conditions: list[Condition], *, searched: bool
) -> list[Condition]:
    """What needs clean photos: nothing where a set has none and none were given."""
    if request.clean is not None:
        return conditions
    if len(conditions) > 1 or searched:
        raise InputError(
            f"attacks and probes need clean photos, and {request.name} has none: give --clean DIR "
            "(for imagenet-c), or leave them out"
        )
    return []


def _require_usable(folder: Path | None) -> None:
    """Refuse a report's folder now rather than after the work."""
    from advprop_core.evaluation.results_file import read_json, require_format

    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--report must be a folder, {folder} is a file")
    if (earlier := folder / "results.json").exists():
        require_format(str(earlier), read_json(earlier.read_bytes()))
    cells = folder / _CELLS
    try:
        cells.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cells).close()
    except OSError as error:
        raise InputError(
            f"--report: nothing can be written to {cells} ({error.strerror})"
        ) from None


def _branches(
    name: str, checkpoint: Checkpoint, branch: list[str] | None, attack_branch: str | None
) -> tuple[str, ...]:
    """The branches to evaluate, before any work; an error says which model it is about."""
    from advprop_core.evaluation.conditions import EACH

    through = [] if attack_branch in (None, EACH) else [attack_branch]
    try:
        for source in through:
            checkpoint.model.branch(source)
        branches = values.read_branches(checkpoint.model, branch)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    named = {*values.split_list(branch), *through}
    if copied := [copy for copy in checkpoint.copies if copy in named]:
        raise InputError(
            f"{name}: {', '.join(copied)} is a copy of main, because the network was trained with "
            "one set of norm layers: its results are those of main"
        )
    return tuple(each for each in branches if each not in checkpoint.copies)


def _measure(report: Report, suite: Suite, folder: Path | None, processes: Processes) -> Evaluation:
    from advprop_core.evaluation.store import CellStore
    from advprop_core.evaluation.suite import evaluate

    store = None
    if folder is not None:
        store = CellStore(folder / _CELLS, suite.digests, device=processes.device.type)
    try:
        with counting("evaluate", 1) as progress:
            evaluation = evaluate(suite, store=store, progress=progress, processes=processes)
    except KeyboardInterrupt:
        if store:
            report.say(f"interrupted; {_reused(store)}: the same command continues from there")
        raise
    if store and store.failure:
        report.say(f"results are complete, but not kept for a later run: {store.failure}")
    if store and (store.reused or store.extended):
        report.say(_reused(store))
    return evaluation


def _reused(store: CellStore) -> str:
    parts = f" and parts of {store.extended}" if store.extended else ""
    taken = f"{store.reused} finished figures{parts} were taken from {store.folder}"
    return f"{taken}, {store.written} files were added"


def _name_unreadable(report: Report, files: Sequence[Unreadable]) -> None:
    for file in files[:_LISTED]:
        report.say(f"left out {file.path}: {file.reason}")
    if (more := len(files) - _LISTED) > 0:
        report.say(f"left out {more} more unreadable images")


def _report_left_out(report: Report, evaluation: Evaluation, *, strict: bool) -> None:
    """Name the images that cannot be read under some condition.

    Raises:
        InputError: With ``strict``, if there are some: found by an earlier run, whose figures
            were taken from the report's folder.
    """
    for name, count in (evaluation.left_out or {}).items():
        if count and strict:
            raise InputError(f"{name}: {count} images cannot be read: replace or remove them")
        if count:
            report.say(f"{name}: left out {count} images that cannot be read in every folder")
    _name_unreadable(report, evaluation.unreadable)


def _finish(report: Report, content: dict[str, Any], folder: Path | None) -> None:
    from advprop_core.report.words import gradients_checked

    for title, table in evaluate_tables.tables(content):
        report.say(title)
        report.show(table)
    for warning in content["warnings"]:
        report.say(f"look twice: {warning['text']}")
    if folder is not None:
        from advprop_core.report.files import write_report  # here: it loads plotly

        for path in write_report(folder, content):
            report.say(f"wrote {path}")
    if checked := gradients_checked(content):
        report.say(checked)
    report.finish(content)
