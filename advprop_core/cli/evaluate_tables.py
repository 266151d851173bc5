"""The tables that ``advprop evaluate`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from advprop_core.cli.words import describe_ball
from advprop_core.pictures.probes import describe_probe

if TYPE_CHECKING:
    from advprop_core.evaluation.corruption_error import CorruptionError
    from advprop_core.evaluation.mce import ImageNetCError
    from advprop_core.evaluation.results import BranchResult
    from advprop_core.evaluation.results_file import Finding
    from advprop_core.evaluation.shape_bias import ShapeBias


def tables(
    name: str,
    rows: Sequence[Finding],
    errors: Mapping[tuple[str, str], CorruptionError],
    biases: Mapping[tuple[str, str], ShapeBias],
    published: Mapping[tuple[str, str], ImageNetCError],
) -> Iterator[tuple[str, Table]]:
    """One model's results, each with its title: clean and attacked, then what the rest does.

    A title stands outside of its table, which would fold it to its own width.
    """
    plain = [row for row in rows if row.result.condition.kind in ("clean", "attack")]
    if plain:
        yield f"{name}, {rows[0].result.n} images", _table(plain)
    own = {branch: error for (model, branch), error in errors.items() if model == name}
    if own:
        levels = ", ".join(map(str, next(iter(own.values())).severities))
        title = f"{name}, top-1 error on corrupted images, mean over severities {levels}"
        of_articles = {branch: e for (model, branch), e in published.items() if model == name}
        yield title, _corruptions([row.result for row in rows], own, of_articles)
    if any(row.result.condition.probe for row in rows):
        title = f"{name}, accuracy on what probes leave, with 95 % intervals"
        yield title, _probes([row.result for row in rows])
    if decided := {branch: bias for (model, branch), bias in biases.items() if model == name}:
        scenes = next(iter(decided.values())).n
        title = f"{name}, shape or texture, {scenes} scenes in which they disagree"
        yield title, _shape_biases(decided)


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


def _corruptions(
    results: Sequence[BranchResult],
    errors: Mapping[str, CorruptionError],
    published: Mapping[str, ImageNetCError],
) -> Table:
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
        f"mean corruption error, {_source(results)}",
        *(f"{one.error:.1%} ({_between(one.interval)})" for one in errors.values()),
    )
    if published:
        table.add_row(
            "mCE (AlexNet is 100%)",
            *(f"{one.mce:.1%} ({_between(one.interval)})" for one in published.values()),
        )
        relative = [
            f"{one.relative:.1%} ({_between(one.relative_interval)})"
            for one in published.values()
            if one.relative_interval is not None
        ]
        if relative:
            table.add_row("relative mCE", *relative)
    return table


def _probes(results: Sequence[BranchResult]) -> Table:
    """A row for each probe, a column for each branch."""
    table = _new()
    table.add_column("images", overflow="fold")
    branches = list(dict.fromkeys(one.branch for one in results))
    for branch in branches:
        table.add_column(branch, justify="right", no_wrap=True)
    rows: dict[str, dict[str, str]] = {}
    for one in results:
        if (probe := one.condition.probe) is not None or one.condition.kind == "clean":
            words = describe_probe(probe.kind, probe.strength) if probe else "clean"
            figure = f"{one.top1:.1%} ({_between(one.interval)})"
            rows.setdefault(words, {})[one.branch] = figure
    for words, figures in rows.items():
        table.add_row(words, *(figures[branch] for branch in branches))
    return table


def _shape_biases(biases: Mapping[str, ShapeBias]) -> Table:
    table = _new()
    table.add_column("branch")
    for heading in ("shape bias", "95 % interval", "by shape", "by texture", "by neither"):
        table.add_column(heading, justify="right", no_wrap=True)
    for branch, one in biases.items():
        table.add_row(
            branch,
            "–" if one.bias is None else f"{one.bias:.1%}",
            "–" if one.interval is None else _between(one.interval),
            *(f"{share:.1%}" for share in (one.shape, one.texture, one.neither)),
        )
    return table


def _source(results: Sequence[BranchResult]) -> str:
    """Where corrupted images came from, and how many there were."""
    if any(one.condition.stored for one in results):
        return f"published files, {results[0].n} images"
    return "generated here"


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
    return f"{condition.attack_name}, {describe_ball(condition.attack)}{through}"
