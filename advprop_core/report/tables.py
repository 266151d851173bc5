"""Every figure of an evaluation in tables, for the terminal and for the report.

Results of earlier versions lack some intervals, and are shown without.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean as mean

from advprop_core.language import _
from advprop_core.report.words import (
    Content,
    Row,
    Rows,
    branch_of,
    by_measure,
    describe,
    grouped,
    images_asked,
    of_kind,
    smallest_radius,
)
from advprop_core.text import NORM_TITLES, percent_in_tenths

TEXTS = frozenset({"model", "branch", "images", "attack", "corruption", "source", "trained"})
"""Columns that hold words and not numbers."""

NONE = "–"
_ENDS = "95 % interval"


@dataclass(frozen=True)
class Table:
    """A heading, and figures as people read them.

    Attributes:
        title: The heading.
        columns: Their names.
        rows: Their cells.
        brief: Places of the columns that a terminal has room for; all by default.
        is_long: Whether it is folded on a page, and left out in a terminal.
        meanings: What the figures are, in sentences.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    brief: Sequence[int] | None = None
    is_long: bool = False
    meanings: Sequence[str] = ()


def tables(content: Content) -> Iterator[Table]:
    """The tables of ``results.json``."""
    rows = content["results"]
    probed, corrupted = of_kind(rows, "probe"), of_kind(rows, "corruption")
    if plain := of_kind(rows, "clean", "attack"):
        yield _accuracies(f"Accuracy, {images_asked({'results': plain})}", plain)
    if corrupted:
        yield _errors(content, corrupted)
        yield _accuracies("Every corruption and severity", corrupted, is_long=True)
    if probed:
        yield _accuracies("Accuracy on probes", probed)
    if measure := content.get("smallest_epsilon"):
        yield _smallest(measure)
    if measure := content.get("shape_bias"):
        yield _biases(measure)


def _accuracies(title: str, rows: Rows, *, is_long: bool = False) -> Table:
    columns = (
        "model", "branch", "images", "n", "top-1", _ENDS, "top-5", _ENDS, "loss", _ENDS,
        "calibration error", _ENDS, "confidence when wrong", _ENDS,
    )  # fmt: skip
    lines = [
        (
            *branch_of(row),
            describe(row),
            str(row["n"]),
            *_with_ends(row, "top1", "top5"),
            f"{row['loss']:.3f}",
            " to ".join(f"{end:.3f}" for end in row.get("loss_interval") or ()) or NONE,
            *_with_ends(row, "expected_calibration_error", "confidence_when_wrong"),
        )
        for row in map(by_measure, rows)
    ]
    # A terminal has no room for n, for most intervals, and for the last measure.
    return Table(title, columns, lines, (0, 1, 2, 4, 5, 6, 8, 10), is_long)


def _errors(content: Content, rows: Rows) -> Table:
    """A row for each kind, its mean over severities; below these the means over kinds."""
    means = content["mean_corruption_error"]
    by_branch = grouped(rows, branch_of)
    alone = len({model for model, _ in by_branch}) == 1
    columns = [branch if alone else f"{model}, {branch}" for model, branch in by_branch]
    counted = {kind for error in means["results"] for kind in error["corruptions"]}
    lines: list[Sequence[str]] = []
    for kind in dict.fromkeys(row["condition"]["corruption"] for row in rows):
        errors = [
            [1 - row["top1"] for row in branch_rows if row["condition"]["corruption"] == kind]
            for branch_rows in by_branch.values()
        ]
        title = kind if kind in counted else f"{kind} (not in the mean)"
        lines.append((title, *(share(mean(each)) if each else NONE for each in errors)))
    stored = any(row["condition"].get("source") == "files" for row in rows)
    source = f"published files, {images_asked({'results': rows})}" if stored else "generated here"
    lines.append((f"mean corruption error, {source}", *_means(means, by_branch, "error")))
    measures = [means]
    if published := content.get("imagenet_c"):
        lines.append(("mCE (AlexNet is 100 %)", *_means(published, by_branch, "mce")))
        if any(error.get("relative_mce") is not None for error in published["results"]):
            relative = _means(published, by_branch, "relative_mce", "relative_interval")
            lines.append(("relative mCE", *relative))
        measures.append(published)
    levels = sorted({row["condition"]["severity"] for row in rows})
    title = f"Top-1 error on corrupted images, mean over severities {', '.join(map(str, levels))}"
    return Table(title, ["corruption", *columns], lines, meanings=_meanings(*measures))


def _means(
    measure: Content, branches: Iterable[tuple[str, str]], name: str, interval: str = "interval"
) -> Iterator[str]:
    results = {branch_of(result): result for result in measure["results"]}
    for branch in branches:
        result = results.get(branch, {})
        has_value = result.get(name) is not None
        yield f"{share(result[name])} ({between(result[interval])})" if has_value else NONE


def _biases(measure: Content) -> Table:
    columns = (
        "model", "branch", "shape bias", _ENDS, "n", "by shape", _ENDS, "by texture", _ENDS,
        "by neither", _ENDS,
    )  # fmt: skip
    rows = [
        (
            *branch_of(bias),
            share(bias["shape_bias"]),
            between(bias["interval"]),
            str(bias["n"]),
            *_with_ends(bias, "shape", "texture", "neither"),
        )
        for bias in measure["results"]
    ]
    brief = (0, 1, 2, 3, 4, 5, 7, 9)
    return Table("Shape bias", columns, rows, brief, meanings=_meanings(measure))


def _smallest(measure: Content) -> Table:
    columns = (
        "model", "branch", "attack", "median", _ENDS, "n", "wrong when clean", _ENDS,
        "never fooled", _ENDS,
    )  # fmt: skip
    rows = [
        (
            *branch_of(search),
            f"{search['attack']}, {NORM_TITLES[search['norm']]}",
            smallest_radius(search, search["median"]),
            " to ".join(smallest_radius(search, end) for end in search["interval"]),
            str(search["n"]),
            *_with_ends(search, "wrong", "never"),
        )
        for search in measure["results"]
    ]
    first = measure["results"][0]
    limit = smallest_radius(first, first["limit"])
    title = f"Smallest ε that fools the branch, up to {limit}"
    return Table(title, columns, rows, (0, 1, 2, 3, 4, 5, 6, 8), meanings=_meanings(measure))


def _meanings(*measures: Content) -> Sequence[str]:
    return [measure["meaning"] for measure in measures if measure.get("meaning")]


def share(value: float | None) -> str:
    """``93.1 %``, or a dash for None."""
    return NONE if value is None else percent_in_tenths(value)


def _with_ends(result: Row, *names: str) -> Iterator[str]:
    """Shares, each followed by its interval."""
    for name in names:
        yield from (share(result[name]), between(result.get(f"{name}_interval")))


def between(interval: Sequence[float] | None) -> str:
    """``92.0 % to 94.1 %``, or a dash for None."""
    if not interval:
        return NONE
    low, high = map(percent_in_tenths, interval)
    return _("{low} to {high}", low=low, high=high)
