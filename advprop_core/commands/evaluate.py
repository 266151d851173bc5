"""Data sets: ``evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.commands import options as o
from advprop_core.commands import values
from advprop_core.commands.output import Report
from advprop_core.commands.progress import counting

if TYPE_CHECKING:
    from rich.table import Table

    from advprop_core.checkpoints import Checkpoint
    from advprop_core.datasets.named import Images
    from advprop_core.evaluation import BranchResult, Condition

_SHOWN = 20  # unreadable files that are listed by name

DataOption = Annotated[
    str,
    typer.Option(
        metavar="DIR",
        help="Folder of class folders (CLASS/IMAGE; ids or names of the model's classes), or a "
        "built-in name: shapes, shapes-conflict.",
    ),
]
EpsilonsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--epsilon",
        metavar="E",
        help="Radii of the attack in pixel units on [0, 1], such as 2/255,4/255; one condition "
        "each. By default 4/255 for linf and 1 for l2.",
    ),
]


def evaluate(
    model: o.ModelsOption,
    data: DataOption,
    branch: o.BranchOption = None,
    attack: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="pgd (random start), i-fgsm (no random start) or fgsm (one step of size "
            "epsilon). Clean images only by default.",
        ),
    ] = None,
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
    json_file: o.JsonOption = None,
) -> None:
    r"""Measure each branch's accuracy on clean and on attacked images.

    Accuracies come with 95 % Wilson intervals; the JSON holds fractions, not percentages. Each
    branch is attacked through itself unless --attack-branch names one.

    ```
    advprop evaluate --model imagenette-advprop --data photos/val \
        --attack pgd --epsilon 2/255,4/255 --steps 10 --json result.json
    advprop evaluate --model shapes-vanilla,shapes-advprop \
        --data shapes-conflict --limit 500
    ```
    """
    report = Report(json_file)
    if limit is not None and limit < 1:
        raise ValueError(f"--limit must be at least 1, got {limit}")
    conditions = _conditions(attack, norm, epsilon, step_size, steps, attack_branch, seed)
    opened = values.open_models(model, arch)
    branches = {name: _branches(name, one, branch, attack_branch) for name, one in opened.items()}
    results: list[tuple[str, BranchResult]] = []
    known: dict[tuple[int, tuple[tuple[str, str], ...]], Images] = {}
    for name, one in opened.items():
        key = (one.info.input_size, one.info.classes)
        if key not in known:
            known[key] = _load(report, data, one, limit, strict)
        found = _evaluate_one(name, one, known[key], conditions, branches[name])
        report.show(_table(name, found))
        results += [(name, result) for result in found]
    report.finish(
        {
            "data": data,
            "n": max(result.n for _, result in results),
            "seed": seed,
            "results": [{"model": name, **result.to_json()} for name, result in results],
        }
    )


def _conditions(
    attack: str | None,
    norm: str,
    epsilon: list[str] | None,
    step_size: str | None,
    steps: int | None,
    attack_branch: str | None,
    seed: int,
) -> list[Condition]:
    """Clean, then one attack per radius."""
    from advprop_core.evaluation import Condition

    radii: list[str | None] = [*values.split_list(epsilon)] or [None]
    if attack is None:
        if any(given is not None for given in (epsilon, step_size, steps, attack_branch)):
            raise ValueError(
                "--epsilon, --step-size, --steps and --attack-branch describe an attack: "
                "name it too, such as --attack pgd"
            )
        return [Condition()]
    return [Condition()] + [
        Condition(
            values.read_attack(
                attack, norm=norm, epsilon=radius, step_size=step_size, steps=steps, seed=seed
            ),
            attack_branch,
        )
        for radius in radii
    ]


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


def _load(report: Report, data: str, one: Checkpoint, limit: int | None, strict: bool) -> Images:
    from advprop_core.datasets.named import load_images

    images = load_images(
        data, one.info.input_size, classes=one.info.classes, limit=limit, strict=strict
    )
    for file in images.unreadable[:_SHOWN]:
        report.say(f"left out {file.path}: {file.reason}")
    if (more := len(images.unreadable) - _SHOWN) > 0:
        report.say(f"left out {more} more unreadable images")
    if images.ignored_classes:
        report.say(f"left out folders of unknown classes: {', '.join(images.ignored_classes)}")
    return images


def _evaluate_one(
    name: str,
    one: Checkpoint,
    images: Images,
    conditions: list[Condition],
    branches: tuple[str, ...],
) -> tuple[BranchResult, ...]:
    from advprop_core.evaluation import evaluate as measure

    with counting(name, len(images.labels)) as progress:
        return measure(
            one.model,
            images.pixels,
            images.labels,
            conditions,
            branches=branches,
            progress=progress,
        )


def _table(name: str, results: Sequence[BranchResult]) -> Table:
    """One model's results; who was attacked is said where it is not the branch itself."""
    from rich.markup import escape
    from rich.table import Table

    title = f"{escape(name)}, {results[0].n} images"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("branch")
    table.add_column("images", overflow="fold")
    for heading in ("top-1", "95 % interval", "top-5", "loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in results:
        low, high = one.interval
        table.add_row(
            one.branch,
            _words(one),
            f"{one.top1:.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{one.top5:.1%}",
            f"{one.loss:.3f}",
        )
    return table


def _words(result: BranchResult) -> str:
    from advprop_core.commands.words import describe_ball

    condition = result.condition
    if condition.attack is None:
        return "clean"
    source = condition.attack_branch
    through = "" if source == result.branch else f" through {source}"
    return f"{condition.attack.name}, {describe_ball(condition.attack)}{through}"
