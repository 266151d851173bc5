"""The tables that ``advprop evaluate`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from advprop_core.commands.words import describe_ball

if TYPE_CHECKING:
    from advprop_core.evaluation.content import Finding
    from advprop_core.evaluation.corruption_error import CorruptionError
    from advprop_core.evaluation.results import BranchResult


def tables(
    name: str, rows: Sequence[Finding], errors: Mapping[tuple[str, str], CorruptionError]
) -> Iterator[tuple[str, Table]]:
    """One model's results, each with its title: clean and attacked, then what corruptions do.

    A title stands outside of its table, which would fold it to its own width.
    """
    plain = [row for row in rows if row.result.condition.kind != "corruption"]
    yield f"{name}, {rows[0].result.n} images", _table(plain)
    own = {branch: error for (model, branch), error in errors.items() if model == name}
    if own:
        levels = ", ".join(map(str, next(iter(own.values())).severities))
        title = f"{name}, top-1 error on corrupted images, mean over severities {levels}"
        yield title, _corruptions([row.result for row in rows], own)


def _table(rows: Sequence[Finding]) -> Table:
    """Who was attacked is said where it is not the branch itself."""
    table = _new()
    table.add_column("branch")
    table.add_column("images", overflow="fold")
    for heading in ("top-1", "95 % interval", "top-5", "loss", "calibration error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        one = row.result
        table.add_row(
            one.branch,
            _words(one),
            f"{one.top1:.1%}",
            _between(one.interval),
            f"{one.top5:.1%}",
            f"{one.loss:.3f}",
            f"{row.calibration.error:.1%}",
        )
    return table


def _corruptions(results: Sequence[BranchResult], errors: Mapping[str, CorruptionError]) -> Table:
    """Errors by kind, each the mean over its severities, and the mean of all below."""
    some = next(iter(errors.values()))
    table = _new()
    table.add_column("corruption")
    for branch in errors:
        table.add_column(branch, justify="right", no_wrap=True)
    found: dict[tuple[str, str], list[float]] = {}
    for one in results:
        if (corruption := one.condition.corruption) is not None:
            found.setdefault((corruption.kind, one.branch), []).append(1 - one.top1)
    for kind in dict.fromkeys(kind for kind, _ in found):
        several = [found[kind, branch] for branch in errors]
        means = [f"{sum(values) / len(values):.1%}" for values in several]
        table.add_row(kind if kind in some.kinds else f"{kind} (not in the mean)", *means)
    table.add_section()
    table.add_row(
        "mean corruption error, generated here",
        *(f"{one.error:.1%} ({_between(one.interval)})" for one in errors.values()),
    )
    return table


def _new() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _between(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{low:.1%} to {high:.1%}"


def _words(result: BranchResult) -> str:
    condition = result.condition
    if condition.attack is None:
        return "clean"
    source = condition.attack_branch
    through = "" if source == result.branch else f" through {source}"
    return f"{condition.attack.name}, {describe_ball(condition.attack)}{through}"
