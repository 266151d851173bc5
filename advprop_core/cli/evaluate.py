"""Data sets: ``evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli import values
from advprop_core.cli.conditions import ConditionOptions
from advprop_core.cli.fields import DataSet, Names, Number, option_set, with_options
from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.options import ModelsOptions, ReportOptions
from advprop_core.cli.output import Json, Report, command_line, make_folder, try_file
from advprop_core.cli.progress import counting
from advprop_core.errors import InputError, about
from advprop_core.evaluation.conditions import EACH, Condition
from advprop_core.report import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advprop_core.datasets.listed import Unreadable
    from advprop_core.evaluation.processes import Processes
    from advprop_core.evaluation.store import CellStore
    from advprop_core.evaluation.suite import Evaluation, Suite
    from advprop_core.models.checkpoints import Checkpoint

_LISTED = 20  # unreadable files that are listed by name
_CELLS = "cells"  # in a report's folder: what is finished
_MEASURES = ("mean_corruption_error", "imagenet_c", "smallest_epsilon", "shape_bias")


@option_set
class _EvaluateOptions(ReportOptions, ConditionOptions, ModelsOptions):
    data: DataSet
    """A folder that has a folder for each class (CLASS/IMAGE, where CLASS is an id or a name of the
    model's classes); a built-in name: shapes, shapes-conflict; or an unpacked published set as
    KIND:DIR. KIND is imagenet, imagenet-a, imagenet-r, imagenet-sketch, imagenet-stylized,
    imagenet-c, tiny-imagenet, imagenette, cifar10, cifar10-c, cifar100, svhn, mnist, fashion-mnist
    or kmnist. If the folder shows its own layout, it needs no KIND."""
    clean: DataSet | None = None
    """ImageNet's validation photos, for imagenet-c:DIR, which does not contain them. Clean
    accuracy, attacks, probes and relative mCE need these photos."""
    branch: Names | None = None
    """Branch that predicts: main, aux, aux2 … For several, repeat the option or use commas. By
    default all branches."""
    limit: Number | None = None
    """At most this many images, spread evenly over the classes."""
    data_classes_only: bool = False
    """Let networks choose only among classes that the data has. For example, on photos of ten
    classes a network of ImageNet's 1000 classes then chooses among these ten."""
    strict: bool = False
    """Stop at unreadable images, unknown class folders and files that are not pictures, instead of
    leaving them out."""
    download: bool = False
    """Download the data set if it is missing: imagenette:DIR, or a set of small images such as
    cifar10:DIR."""
    report_dir: Annotated[Path | None, typer.Option("--report", metavar="DIR")] = None
    """Folder for results.json, results.csv and report.html, which opens offline. Finished figures
    are saved there at once: the same command, or one with more conditions, continues where an
    earlier one ended."""


@with_options
def evaluate(options: _EvaluateOptions) -> None:
    r"""Measure each branch on clean, attacked, corrupted and probed images.

    Accuracies have 95 % Wilson intervals, losses have Student's, and calibration and the mean
    corruption error have bootstrap intervals. Files contain fractions, not percentages. Each branch
    is attacked through itself unless --attack-branch names another.

    The mean corruption error is a plain mean of errors on corruptions that this command makes. It
    is not the mCE that articles report. For networks with ImageNet's 1000 classes on the files of
    ImageNet-C, the command also gives that mCE and relative mCE. On ImageNet-A and -R a network
    chooses among the set's 200 classes, as in their articles. On shapes-conflict the command also
    gives the shape bias with a Wilson interval: the share of answers by shape among answers by
    shape or texture (Geirhos et al., arXiv 1811.12231).

    Networks run on a GPU if there is one. torchrun or accelerate launch divides the batches among
    several processes, with the same answers.

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
    report = Report(options.json_file)
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit must be at least 1, got {options.limit}")
    # What is wrong in the options is said before torch is loaded, which takes seconds.
    smallest, attacks = options.read_smallest(), options.read_attacks()
    from advprop_core.evaluation.data import DataRequest, open_images, open_stored
    from advprop_core.evaluation.processes import are_several, joined
    from advprop_core.evaluation.suite import Suite
    from advprop_core.evaluation.summary import summarise

    request = DataRequest(
        options.data,
        options.clean,
        options.limit,
        options.strict,
        options.download,
        options.data_classes_only,
    )
    stored = request.stored_corruptions()
    conditions = [Condition(), *attacks]
    if stored is None:
        conditions += options.read_corruptions()
    conditions += options.read_probes()
    if stored is not None:
        if request.data_classes_only:
            raise InputError(
                f"--data-classes-only is for clean photos, and {request.name} holds corruptions"
            )
        if request.clean is None:
            if len(conditions) > 1 or smallest is not None:
                raise InputError(
                    f"attacks and probes need clean photos, and {request.name} has none: give "
                    "--clean DIR (for imagenet-c), or leave them out"
                )
            conditions = []
        conditions += options.read_stored(stored)
    _require_usable(options.report_dir)
    # Several processes would write the same files.
    if options.download and are_several():
        raise InputError("--download is for one process: fetch the set first, then start several")
    keep_freed_memory()
    files = options.open()
    branches = {name: _branches(name, checkpoint, options) for name, checkpoint in files.items()}
    opened = {name: checkpoint.without_copies() for name, checkpoint in files.items()}
    if stored is not None:
        tested = open_stored(request, opened, branches, conditions)
    else:
        tested = open_images(request, opened, branches, with_photos=bool(options.corruptions))
    _name_unreadable(report, tested.unreadable)
    for name, checkpoint in files.items():
        if checkpoint.copies:
            report.say(f"{name}: trained with one set of norm layers, so only main is evaluated")
    for note in tested.notes:
        report.say(note)
    seed, notes = options.seed, tested.notes
    suite = Suite(tested.models, conditions, smallest, options.data, seed, notes, tested.with_mce)
    with joined() as processes:
        evaluation = _measure(report, suite, options.report_dir, processes)
    _report_left_out(report, evaluation, strict=options.strict)
    if processes.is_first:
        _finish(report, summarise(evaluation, command_line()), options.report_dir)


def _require_usable(folder: Path | None) -> None:
    """Refuse a report's folder now rather than after the work."""
    from advprop_core.evaluation.results_file import read_json, require_format

    if folder is None:
        return
    if (earlier := make_folder(folder, "--report") / "results.json").exists():
        require_format(str(earlier), read_json(earlier.read_bytes()))
    try_file(folder / _CELLS / "trial", "--report")


def _branches(name: str, checkpoint: Checkpoint, options: _EvaluateOptions) -> tuple[str, ...]:
    """The branches to evaluate, before any work; an error says which model it is about."""
    source = options.attack_branch
    through = [] if source in (None, EACH) else [source]
    with about(name):
        for attacker in through:
            checkpoint.model.branch(attacker)
        branches = values.read_branches(checkpoint.model, options.branch)
    named = {*values.split_list(options.branch), *through}
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
    """Name the images that cannot be read under some condition."""
    for name, count in evaluation.left_out.items():
        if count and strict:  # found by an earlier run, whose figures were taken from the folder
            raise InputError(f"{name}: {count} images cannot be read: replace or remove them")
        if count:
            report.say(f"{name}: left out {count} images that cannot be read in every folder")
    _name_unreadable(report, evaluation.unreadable)


def _finish(report: Report, content: Json, folder: Path | None) -> None:
    from advprop_core.report.words import gradients_checked

    for model in content["models"]:
        part: Json = {"results": _of(content["results"], model)}
        for name in _MEASURES:
            if name in content and (rows := _of(content[name]["results"], model)):
                part[name] = {"results": rows}
        for table in tables.tables(part):
            if not table.is_long:
                # Outside of its table, which would fold it to its own width.
                report.say(f"{model}: {table.title}")
                report.show(table)
    for warning in content["warnings"]:
        report.say(f"check this: {warning['text']}")
    if folder is not None:
        from advprop_core.report.pages import write_report

        for path in write_report(folder, content):
            report.say(f"wrote {path}")
    if checked := gradients_checked(content):
        report.say(checked)
    report.finish(content)


def _of(rows: list[Json], model: str) -> list[Json]:
    return [row for row in rows if row["model"] == model]
