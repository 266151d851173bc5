"""Data sets: ``evaluate``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.cli import evaluate_data, evaluate_smallest, evaluate_tables, values
from advprop_core.cli import evaluate_options as eo
from advprop_core.cli import options as o
from advprop_core.cli.conditions import (
    read_attacks,
    read_corruptions,
    read_probes,
    read_smallest,
    read_stored,
)
from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.output import Report, command_line
from advprop_core.cli.progress import counting

if TYPE_CHECKING:
    from advprop_core.evaluation.cells import Cell, Subject
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.results import Answers
    from advprop_core.evaluation.smallest_epsilon import SmallestEpsilon
    from advprop_core.evaluation.store import CellStore
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.processes import Processes
    from advprop_core.types import AttackConfig

_CELLS = "cells"  # in a report's folder: what is finished


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
    smallest_epsilon: evaluate_smallest.SmallestOption = None,
    corruptions: eo.CorruptionsOption = None,
    severity: eo.SeveritiesOption = None,
    probe: eo.ProbesOption = None,
    limit: o.LimitOption = None,
    strict: eo.StrictOption = False,
    download: eo.DownloadOption = False,
    seed: o.SeedOption = 0,
    arch: o.ArchOption = None,
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
        raise ValueError(f"--limit must be at least 1, got {limit}")
    smallest = read_smallest(
        smallest_epsilon, norm=norm, step_size=step_size, steps=steps, seed=seed
    )
    alone = smallest is not None and not attack  # then the steps are those of the search
    wanted = evaluate_data.Wanted(data, clean, limit, strict, download)
    held = wanted.corruptions()
    conditions = _conditions(
        read_attacks(
            attack,
            norm=norm,
            epsilons=epsilon,
            step_size=None if alone else step_size,
            steps=None if alone else steps,
            restarts=restarts,
            attack_branch=attack_branch,
            seed=seed,
            sanity=sanity,
        ),
        [] if held else read_corruptions(corruptions, severity, seed),
        read_probes(probe, seed),
    )
    if held:
        conditions = _require_clean(wanted, conditions, searched=smallest is not None)
        conditions += read_stored(corruptions, severity, held)
    _require_usable(report_dir)
    from advprop_core.processes import are_several, joined

    if download and are_several():
        raise ValueError("--download is for one process: fetch the set first, then start several")
    keep_freed_memory()
    whole = values.open_models(model, arch)
    branches = {name: _branches(name, one, branch, attack_branch) for name, one in whole.items()}
    opened = {name: one.without_copies() for name, one in whole.items()}
    if held:
        asked = evaluate_data.open_stored(report, opened, branches, wanted, conditions)
    else:
        asked = evaluate_data.open_images(
            report, opened, branches, wanted, with_photos=bool(corruptions)
        )
    for name, one in whole.items():
        if one.copies:
            report.say(f"{name}: trained with one set of norm layers, so main alone is asked")
    for note in asked.notes:
        report.say(note)
    _require_classes(asked.subjects, opened, conditions)
    with joined() as processes:
        found, digests, radii = _measure(
            report, opened, asked.subjects, conditions, report_dir, smallest, processes
        )
        if held:
            found = evaluate_data.leave_out_unread(report, found, asked, processes, strict=strict)
    if processes.is_first:
        _finish(report, found, asked, data, seed, digests, report_dir, radii)


def _conditions(*others: list[Condition]) -> list[Condition]:
    from advprop_core.evaluation.conditions import Condition

    return [Condition(), *(one for several in others for one in several)]


def _require_clean(
    wanted: evaluate_data.Wanted, conditions: list[Condition], *, searched: bool
) -> list[Condition]:
    """What needs clean photos: nothing where a set has none and none were given."""
    if wanted.clean is not None:
        return conditions
    if len(conditions) > 1 or searched:
        raise ValueError(
            f"attacks and probes need clean photos, and {wanted.data} has none: give --clean DIR "
            "(for imagenet-c), or leave them out"
        )
    return []


def _require_classes(
    subjects: Sequence[Subject], opened: Mapping[str, Checkpoint], conditions: Sequence[Condition]
) -> None:
    """Refuse AutoAttack on few classes now rather than after the work."""
    from advprop_core.attacks.autoattack import AutoAttackConfig
    from advprop_core.attacks.autoattack.config import require_classes

    if any(isinstance(one.attack, AutoAttackConfig) for one in conditions):
        for one in subjects:
            count = len(one.among) if one.among else opened[one.name].info.num_classes
            require_classes(count, one.name)


def _require_usable(folder: Path | None) -> None:
    """Refuse a report's folder now rather than after the work."""
    from advprop_core.evaluation.results_file import read_content

    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--report must be a folder, {folder} is a file")
    if (earlier := folder / "results.json").exists():
        read_content(earlier)
    cells = folder / _CELLS
    try:
        cells.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cells).close()
    except OSError as error:
        raise ValueError(
            f"--report: nothing can be written to {cells} ({error.strerror})"
        ) from None


def _branches(
    name: str, one: Checkpoint, branch: list[str] | None, attack_branch: str | None
) -> tuple[str, ...]:
    """The branches to evaluate, before any work; an error says which model it is about."""
    from advprop_core.evaluation.conditions import EACH

    through = [] if attack_branch in (None, EACH) else [attack_branch]
    try:
        for known in through:
            one.model.branch(known)
        found = values.read_branches(one.model, branch)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    named = {*values.split_list(branch), *through}
    if copied := [known for known in one.copies if known in named]:
        raise ValueError(
            f"{name}: {', '.join(copied)} is a copy of main, for the network was trained with one "
            "set of norm layers: it would answer as main does"
        )
    return tuple(known for known in found if known not in one.copies)


def _measure(
    report: Report,
    opened: Mapping[str, Checkpoint],
    subjects: Sequence[Subject],
    conditions: Sequence[Condition],
    folder: Path | None,
    smallest: AttackConfig | None,
    processes: Processes,
) -> tuple[dict[Cell, Answers], dict[str, str], list[SmallestEpsilon]]:
    """Every cell's answers in the order of the table, each model's digest, and smallest radii."""
    from advprop_core.evaluation.answers import answer
    from advprop_core.evaluation.cells import cells_of
    from advprop_core.evaluation.store import CellStore
    from advprop_core.models.digest import model_digest

    digests = {name: model_digest(one.model, one.info) for name, one in opened.items()}
    device = processes.device.type
    store = CellStore(folder / _CELLS, digests, device=device) if folder else None
    try:
        with counting("evaluate", 1) as progress:
            found = answer(
                subjects, conditions, store=store, progress=progress, processes=processes
            )
        radii = evaluate_smallest.measure(subjects, smallest, store, processes) if smallest else []
    except KeyboardInterrupt:
        if store:
            report.say(f"interrupted; {_kept(store)}: the same command goes on from there")
        raise
    if store and (store.reused or store.extended):
        report.say(_kept(store))
    cells = [cell for one in subjects for cell in cells_of(one, conditions)]
    return {cell: found[cell] for cell in cells}, digests, radii


def _kept(store: CellStore) -> str:
    parts = f" and parts of {store.extended}" if store.extended else ""
    taken = f"{store.reused} finished figures{parts} were taken from {store.folder}"
    return f"{taken}, {store.written} files were added"


def _finish(
    report: Report,
    found: Mapping[Cell, Answers],
    asked: evaluate_data.Asked,
    data: str,
    seed: int,
    digests: Mapping[str, str],
    folder: Path | None,
    radii: Sequence[SmallestEpsilon],
) -> None:
    from advprop_core.evaluation.masking import suspicions
    from advprop_core.evaluation.mce import imagenet_c_errors
    from advprop_core.evaluation.results_file import (
        content_of,
        corruption_errors,
        findings,
        shape_biases,
    )
    from advprop_core.report.words import gradients_checked

    rows, errors = findings(found, seed), corruption_errors(found, seed)
    biases = shape_biases(found, asked.subjects)
    published = imagenet_c_errors(found, asked.with_mce, seed)
    for name in digests:
        own = [row for row in rows if row.model == name]
        for title, table in evaluate_tables.tables(name, own, errors, biases, published):
            report.say(title)
            report.show(table)
        if branches := [one for one in radii if one.model == name]:
            report.say(evaluate_smallest.title(branches[0]))
            report.show(evaluate_smallest.table(branches))
    warnings = suspicions(found)
    for one in warnings:
        report.say(f"look twice: {one.text}")
    content = content_of(
        rows,
        errors,
        data=data,
        seed=seed,
        models=digests,
        command=command_line(),
        warnings=warnings,
        biases=biases,
        published=published,
        notes=asked.notes,
        radii=radii,
    )
    if folder is not None:
        from advprop_core.report.files import write_report  # here: it loads plotly

        for path in write_report(folder, content):
            report.say(f"wrote {path}")
    if checked := gradients_checked(content):
        report.say(checked)
    report.finish(content)
