"""Data sets: ``evaluate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.commands import evaluate_tables, values
from advprop_core.commands import options as o
from advprop_core.commands.conditions import read_attacks, read_corruptions
from advprop_core.commands.output import Report, command_line
from advprop_core.commands.progress import counting

if TYPE_CHECKING:
    from advprop_core.checkpoints import Checkpoint
    from advprop_core.datasets.named import Images
    from advprop_core.evaluation import Condition
    from advprop_core.evaluation.cells import Cell, Subject
    from advprop_core.evaluation.results import Answers
    from advprop_core.evaluation.store import CellStore

_SHOWN = 20  # unreadable files that are listed by name

Classes = tuple[tuple[str, str], ...]
DataOption = Annotated[
    str,
    typer.Option(
        metavar="DIR",
        help="Folder of class folders (CLASS/IMAGE; ids or names of the model's classes), or a "
        "built-in name: shapes, shapes-conflict.",
    ),
]
AttacksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attack",
        metavar="KIND",
        help="pgd (random start), i-fgsm (no random start) or fgsm (one step of size epsilon); "
        "repeat it or write commas. Clean images are always measured.",
    ),
]
EpsilonsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--epsilon",
        metavar="E",
        help="Radii of the attacks in pixel units on [0, 1], such as 2/255,4/255; one condition "
        "each. By default 4/255 for linf and 1 for l2.",
    ),
]
CorruptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES",
        help="all, which are the 15 kinds of ImageNet-C, or names such as fog,snow; also its four "
        "extra kinds speckle_noise, gaussian_blur, spatter, saturate. They are made here, at 224 "
        "pixels, and resized to the network's input afterwards.",
    ),
]
SeveritiesOption = Annotated[
    list[str] | None,
    typer.Option(metavar="S", help="Severities of corruptions, such as 1,3,5. By default all 5."),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Folder for results.json, results.csv and report.html, which opens without a "
        "network. What is finished is kept there at once: the same command, or one with more "
        "conditions, goes on where an earlier one was.",
    ),
]


def evaluate(
    model: o.ModelsOption,
    data: DataOption,
    branch: o.BranchOption = None,
    attack: AttacksOption = None,
    norm: o.NormOption = "linf",
    epsilon: EpsilonsOption = None,
    step_size: o.StepSizeOption = None,
    steps: o.StepsOption = None,
    attack_branch: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Branch whose gradient makes the perturbation. By default each branch is "
            "attacked through itself (white box).",
        ),
    ] = None,
    sanity: Annotated[
        bool,
        typer.Option(
            "--sanity",
            help="Also show noise of each radius and PGD without a bound, and warn where they "
            "tell of a masked gradient. What can be told without them is told anyway.",
        ),
    ] = False,
    corruptions: CorruptionsOption = None,
    severity: SeveritiesOption = None,
    limit: o.LimitOption = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Refuse unreadable images and unknown class folders instead of leaving them out.",
        ),
    ] = False,
    seed: o.SeedOption = 0,
    arch: o.ArchOption = None,
    report_dir: ReportOption = None,
    json_file: o.JsonOption = None,
) -> None:
    r"""Measure each branch on clean, attacked and corrupted images.

    Accuracies come with 95 % Wilson intervals, calibration and the mean corruption error with
    bootstrap intervals; files hold fractions, not percentages. Each branch is attacked through
    itself unless --attack-branch names one. The mean corruption error is a plain mean of errors
    on corruptions that are made here: it is not the mCE of articles.

    ```
    advprop evaluate --model imagenette-advprop --data photos/val \
        --attack pgd --epsilon 2/255,4/255 --steps 10 --json result.json
    advprop evaluate --model imagenette-vanilla,imagenette-advprop \
        --data photos/val --attack pgd --epsilon 1/255 --epsilon 2/255 \
        --corruptions all --severity 1,3,5 --limit 500 --report results
    advprop evaluate --model shapes-vanilla,shapes-advprop \
        --data shapes-conflict --limit 500
    ```
    """
    report = Report(json_file)
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    conditions = _conditions(
        read_attacks(
            attack,
            norm=norm,
            epsilons=epsilon,
            step_size=step_size,
            steps=steps,
            attack_branch=attack_branch,
            seed=seed,
            sanity=sanity,
        ),
        read_corruptions(corruptions, severity, seed),
    )
    _require_usable(report_dir)
    opened = values.open_models(model, arch)
    branches = {name: _branches(name, one, branch, attack_branch) for name, one in opened.items()}
    subjects = _subjects(
        report, opened, branches, data, limit, strict, with_photos=bool(corruptions)
    )
    found, digests = _measure(report, opened, subjects, conditions, report_dir)
    _finish(report, found, data, seed, digests, report_dir)


def _conditions(attacks: list[Condition], corrupted: list[Condition]) -> list[Condition]:
    from advprop_core.evaluation import Condition

    return [Condition(), *attacks, *corrupted]


def _require_usable(folder: Path | None) -> None:
    """Refuse a report's folder now rather than after the work."""
    from advprop_core.evaluation.content import read_content

    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--report must be a folder, {folder} is a file")
    if (earlier := folder / "results.json").exists():
        read_content(earlier)


def _branches(
    name: str, one: Checkpoint, branch: list[str] | None, attack_branch: str | None
) -> tuple[str, ...]:
    """The branches to evaluate, before any work; an error says which model it is about."""
    try:
        if attack_branch is not None:
            one.model.branch(attack_branch)
        return values.read_branches(one.model, branch)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _subjects(
    report: Report,
    opened: Mapping[str, Checkpoint],
    branches: Mapping[str, tuple[str, ...]],
    data: str,
    limit: int | None,
    strict: bool,
    *,
    with_photos: bool,
) -> list[Subject]:
    """Each model with its images; models of one size and with the same classes share them."""
    from advprop_core.evaluation.cells import PHOTO_SIZE, Subject

    known: dict[tuple[int, Classes], Images] = {}

    def images(one: Checkpoint, size: int) -> Images:
        key = (size, one.info.classes)
        if key not in known:
            quiet = any(classes == one.info.classes for _, classes in known)
            known[key] = _load(report, data, one, size, limit, strict, quiet=quiet)
        return known[key]

    return [
        Subject(
            name,
            one.model,
            images(one, one.info.input_size).pixels,
            images(one, one.info.input_size).labels,
            branches[name],
            images(one, PHOTO_SIZE).pixels if with_photos else None,
        )
        for name, one in opened.items()
    ]


def _load(
    report: Report,
    data: str,
    one: Checkpoint,
    size: int,
    limit: int | None,
    strict: bool,
    *,
    quiet: bool,
) -> Images:
    from advprop_core.datasets.named import load_images

    images = load_images(data, size, classes=one.info.classes, limit=limit, strict=strict)
    if not quiet:
        for file in images.unreadable[:_SHOWN]:
            report.say(f"left out {file.path}: {file.reason}")
        if (more := len(images.unreadable) - _SHOWN) > 0:
            report.say(f"left out {more} more unreadable images")
        if images.ignored_classes:
            report.say(f"left out folders of unknown classes: {', '.join(images.ignored_classes)}")
    if len(seen := images.labels.unique()) < 2:
        raise ValueError(
            f"{data} gives images of one class only, {one.info.class_names[int(seen[0])]}: a "
            "network that always answers it would be right; give images of several classes"
            + (", or raise --limit" if limit is not None and limit < len(one.info.classes) else "")
        )
    return images


def _measure(
    report: Report,
    opened: Mapping[str, Checkpoint],
    subjects: Sequence[Subject],
    conditions: Sequence[Condition],
    folder: Path | None,
) -> tuple[dict[Cell, Answers], dict[str, str]]:
    """Every cell's answers in the order of the table, and each model's digest."""
    from advprop_core.evaluation.cells import answer, cells_of
    from advprop_core.evaluation.digests import model_digest
    from advprop_core.evaluation.store import CellStore

    digests = {name: model_digest(one.model, one.info) for name, one in opened.items()}
    store = CellStore(folder / "cells", digests) if folder else None
    try:
        with counting("evaluate", 1) as progress:
            found = answer(subjects, conditions, store=store, progress=progress)
    except KeyboardInterrupt:
        if store:
            report.say(f"interrupted; {_kept(store)}: the same command goes on from there")
        raise
    if store and store.reused:
        report.say(_kept(store))
    cells = [cell for one in subjects for cell in cells_of(one, conditions)]
    return {cell: found[cell] for cell in cells}, digests


def _kept(store: CellStore) -> str:
    return (
        f"{store.reused} figures were taken from {store.folder}, {store.written} measured and kept"
    )


def _finish(
    report: Report,
    found: Mapping[Cell, Answers],
    data: str,
    seed: int,
    digests: Mapping[str, str],
    folder: Path | None,
) -> None:
    from advprop_core.evaluation.content import content_of, corruption_errors, findings

    rows, errors = findings(found, seed), corruption_errors(found, seed)
    for name in digests:
        own = [row for row in rows if row.model == name]
        for title, table in evaluate_tables.tables(name, own, errors):
            report.say(title)
            report.show(table)
    content = content_of(rows, errors, data=data, seed=seed, models=digests, command=command_line())
    if folder is not None:
        from advprop_core.report import write_report  # here: it loads plotly

        for path in write_report(folder, content):
            report.say(f"wrote {path}")
    report.finish(content)
