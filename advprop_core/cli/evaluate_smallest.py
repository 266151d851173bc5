"""What ``advprop evaluate --smallest-epsilon`` measures and prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from advprop_core.cli.progress import in_parts
from advprop_core.cli.words import describe_ball
from advprop_core.text import radius
from advprop_core.types import AttackConfig

if TYPE_CHECKING:
    from advprop_core.evaluation.cells import Subject
    from advprop_core.evaluation.smallest_epsilon import SmallestEpsilon
    from advprop_core.evaluation.store import CellStore
    from advprop_core.processes import Processes

SmallestOption = Annotated[
    str | None,
    typer.Option(
        "--smallest-epsilon",
        metavar="LIMIT",
        help="Also search, image by image, for the smallest epsilon at which PGD turns each "
        "branch, up to LIMIT, such as 16/255. It takes some ten attacks; --norm and --steps are "
        "those of --attack.",
    ),
]


def measure(
    subjects: Sequence[Subject],
    attack: AttackConfig,
    store: CellStore | None,
    processes: Processes,
) -> list[SmallestEpsilon]:
    """Every branch of every subject, each attacked through itself."""
    from advprop_core.evaluation.smallest_epsilon import measure_smallest

    found: list[SmallestEpsilon] = []
    with in_parts(len(subjects)) as begin:
        for one in subjects:
            progress = begin(f"smallest epsilon of {one.name}")
            found += measure_smallest(
                one, attack, store=store, progress=progress, processes=processes
            )
    return found


def title(one: SmallestEpsilon) -> str:
    """What the table shows: ``NAME, smallest epsilon that turns an image, PGD-10, L∞ ≤ …``."""
    return (
        f"{one.model}, smallest epsilon that turns an image: {one.attack.name}, "
        f"{describe_ball(one.attack)}"
    )


def table(found: Sequence[SmallestEpsilon]) -> Table:
    """A line for each branch of one model; what lies above the limit is said so."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("branch")
    for heading in ("median", "95 % interval", "wrong before", "never turned"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for one in found:
        low, high = one.interval
        shown.add_row(
            one.branch,
            _radius(one, one.median),
            f"{_radius(one, low)} to {_radius(one, high)}",
            f"{one.wrong:.1%}",
            f"{one.never:.1%}",
        )
    return shown


def _radius(one: SmallestEpsilon, value: float) -> str:
    if math.isinf(value):
        return f"> {radius(one.attack.epsilon, one.attack.norm)}"
    return radius(value, one.attack.norm)
