"""Words and tables of a transfer experiment, from its ``results.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from advprop_core.report.tables import NONE, Table, between, share
from advprop_core.report.words import Row, grouped
from advprop_core.text import join, points, trained_blocks

_ENDS = "95 % interval"
_MANY = 3  # numbers of images that are told by their ends


def sources(content: Mapping[str, Any]) -> list[str]:
    """Names of the sources, the one that others are compared with first."""
    return [*content["sources"]]


def between_points(interval: Sequence[float] | None) -> str:
    """``+1.0 to +5.2``, or a dash for None."""
    return " to ".join(map(points, interval)) if interval else NONE


def amount(reached: Mapping[str, Any] | None) -> str:
    """``71``, ``at most 100``, ``more than 1600``: how much is needed."""
    if reached is None:
        return NONE
    value = f"{reached['amount']:.0f}"
    return value if reached["relation"] == "about" else f"{reached['relation']} {value}"


def by_trainable(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of ``accuracies`` or ``needed`` by what is trained."""
    return grouped(rows, lambda row: str(row["trainable"]))


def headline(content: Mapping[str, Any]) -> Iterator[str]:
    """For each further source and number of blocks, where it is better and where worse."""
    first, *others = sources(content)
    if not others:
        rows = content["accuracies"]
        best = max(rows, key=lambda row: row["accuracy"])
        yield (
            f"{first} is right on {share(best['accuracy'])} of the test images with "
            f"{best['num_images']} training images, {trained_blocks(best['trainable'])}."
        )
    for trainable, rows in by_trainable(content["accuracies"]).items():
        for source in others:
            compared = [
                row for row in rows if row["source"] == source and row["difference"] is not None
            ]
            if compared:
                yield _verdict(source, first, trainable, compared)


def _verdict(source: str, first: str, trainable: str, rows: Sequence[Row]) -> str:
    """What differences are more than chance over seeds, and where no interval can say."""
    signs: dict[str, list[int]] = {"better": [], "worse": [], "no clear difference": []}
    for place, row in enumerate(rows):
        interval = row["difference_interval"]
        sign = "no clear difference"
        if interval and interval[0] > 0:
            sign = "better"
        elif interval and interval[1] < 0:
            sign = "worse"
        signs[sign].append(place)
    parts = [f"{sign} with {_where(rows, places)}" for sign, places in signs.items() if places]
    return f"{source} against {first}, {trained_blocks(trainable)}: {'; '.join(parts)}."


def _where(rows: Sequence[Row], places: Sequence[int]) -> str:
    """Numbers of images and by how much: each where they are few, from … to where they are many."""
    chosen = [rows[place] for place in places]
    if len(chosen) < _MANY:
        return f"{join([_each(row) for row in chosen])} images"
    counts = [str(row["num_images"]) for row in chosen]
    is_whole = places[-1] - places[0] == len(places) - 1
    ends = sorted(row["difference"] for row in chosen)
    return (
        f"{f'{counts[0]} to {counts[-1]}' if is_whole else join(counts)} images "
        f"({points(ends[0])} to {points(ends[-1])} points)"
    )


def _each(row: Row) -> str:
    interval = row["difference_interval"]
    inside = f", {between_points(interval)}" if interval else ""
    return f"{row['num_images']} ({points(row['difference'])} points{inside})"


def tables(content: Mapping[str, Any]) -> Iterator[Table]:
    """Accuracies with their differences, and what is needed for the same accuracy."""
    first = sources(content)[0]
    for trainable, rows in by_trainable(content["accuracies"]).items():
        order = {name: place for place, name in enumerate(content["sources"])}
        rows = sorted(rows, key=lambda row: (row["num_images"], order[row["source"]]))
        needed = {
            (row["source"], row["num_images"]): row
            for row in content["needed"]
            if row["trainable"] == trainable
        }
        columns = (
            "source", "trained", "training images", "seeds", "accuracy", _ENDS, "difference",
            _ENDS, "images needed", "epochs needed",
        )  # fmt: skip
        lines = [
            _line(content, row, needed.get((row["source"], row["num_images"]))) for row in rows
        ]
        yield Table(
            f"Accuracy on {content['test_images']} test images, {trained_blocks(trainable)}",
            columns,
            lines,
            (0, 2, 4, 5, 6, 7, 8, 9),
            meanings=(
                f"differences are to {first}, in percentage points, paired by seed",
                f"images and epochs needed are those that reach the accuracy {first} ends with, "
                "interpolated in their logarithms between what was measured",
            ),
        )


def _line(content: Mapping[str, Any], row: Row, needed: Row | None) -> Sequence[str]:
    return (
        row["source"],
        content["sources"][row["source"]]["training"],
        str(row["num_images"]),
        str(row["seeds"]),
        share(row["accuracy"]),
        between(row["interval"]),
        NONE if row["difference"] is None else points(row["difference"]),
        between_points(row["difference_interval"]),
        amount(needed and needed["images"]),
        amount(needed and needed["epochs"]),
    )
