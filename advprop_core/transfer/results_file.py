"""A transfer experiment's ``results.json``: written, read, and what it says; loads no torch.

A file holds a row for each cell, and all else follows from these rows: mean accuracies, differences
to the first source, and what is needed for the same accuracy. So they are worked out from the rows
again where a file is read.

Intervals are Student's over seeds: they are of other training images of the same task, not of
another task. Differences are paired: in a seed all sources are shown the same images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from statistics import fmean as mean
from typing import TYPE_CHECKING, Annotated, Any, Self

from annotated_types import Gt, Le
from pydantic import Field, ValidationError, model_validator

from advprop_core.errors import InputError, as_input_error
from advprop_core.evaluation.figures import Count
from advprop_core.evaluation.intervals import bounded_interval
from advprop_core.evaluation.results_file import read_json
from advprop_core.evaluation.studies import Branch, Share, Strict
from advprop_core.files import versions

if TYPE_CHECKING:  # it loads torch
    from advprop_core.transfer.run import Outcome

FORMAT = 1
"""Raised when the form changes."""
KIND = "transfer"
_MOST = 200  # of each, for strangers give files to a server, and what follows takes their square

Row = dict[str, Any]
_Trainable = Annotated[str, Field(pattern=r"^(all|0|[1-9]\d{0,3})$")]


class _Source(Strict):
    branch: Branch
    architecture: str
    size: Count
    training: str


class _Training(Strict):
    epochs: Count
    batch_size: Count
    learning_rate: Annotated[float, Gt(0), Le(1e6)]


class _Cell(Strict):
    source: str
    trainable: _Trainable
    num_images: Count
    seed: int


class _Result(_Cell):
    epochs: Annotated[list[Count], Field(min_length=1, max_length=_MOST)]
    accuracies: list[Share]


class _Failed(_Cell):
    reason: str


class _Transfer(Strict):
    command: str
    data: str
    test_images: Count
    seeds: Count
    num_images: Annotated[list[Count], Field(min_length=1, max_length=_MOST)]
    trainable: Annotated[list[_Trainable], Field(min_length=1, max_length=_MOST)]
    sources: Annotated[dict[str, _Source], Field(min_length=1, max_length=_MOST)]
    training: _Training
    notes: list[str]
    results: Annotated[list[_Result], Field(min_length=1)]
    failed: list[_Failed]

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        cells = {(row.source, row.trainable, row.num_images, row.seed) for row in self.results}
        if len(cells) < len(self.results):
            raise InputError("two of results are of the same source, blocks, images and seed")
        for row in self.results:
            if row.source not in self.sources:
                raise InputError(f"results name {row.source}, which is none of the sources")
            if row.trainable not in self.trainable or row.num_images not in self.num_images:
                raise InputError("results have other blocks or images than the grid")
            if row.epochs != self.results[0].epochs or len(row.accuracies) != len(row.epochs):
                raise InputError("each of results must have an accuracy for the same epochs")
        return self


def summarise(outcome: Outcome, command: str) -> dict[str, Any]:
    """The content of ``results.json``: plain values, shares as fractions.

    ``results`` has a row for each cell. ``accuracies`` has one for each source, number of blocks
    and of images: the mean over seeds and its interval, the mean difference to the first source and
    its interval, and both at every measured epoch. ``needed`` says how many images and how many
    epochs a source needs to be as accurate as the first one.
    """
    grid, train = outcome.grid, outcome.train
    content = {
        "format": FORMAT,
        "kind": KIND,
        "command": command,
        "versions": versions(),
        "data": grid.data,
        "classes": [name for _, name in train.classes],
        "train_images": len(train),
        "test_images": outcome.test_images,
        "seeds": grid.seeds,
        "num_images": list(grid.num_images),
        "trainable": list(grid.trainable),
        "sources": {name: source.to_json() for name, source in outcome.sources.items()},
        "training": {
            key: value for key, value in grid.training.to_json().items() if key != "start_from"
        },
        "notes": list(outcome.notes),
        "results": [
            {**asdict(cell), "accuracy": curve["accuracies"][-1], **curve}
            for cell, curve in outcome.curves.items()
        ],
        "failed": [
            {**asdict(cell), "reason": failure.reason, "details": failure.details}
            for cell, failure in outcome.failed.items()
        ],
    }
    return content | _conclusions(content)


@lru_cache(maxsize=4)  # a page asks for its file each time that it is drawn
def parse(name: str, data: bytes) -> dict[str, Any]:
    """The content of a transfer experiment's ``results.json``, as the file has it.

    Equal files share one: it must not be changed.

    Raises:
        InputError: Names the file: it is no such file, of another format, or damaged.
    """
    content = read_json(data)
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise InputError(
            f"{name} holds no results of advprop transfer: give the results.json that `advprop "
            "transfer … --out DIR` writes"
        )
    if content.get("format") != FORMAT:
        raise InputError(
            f"{name} has results in format {content.get('format')}, this version reads format "
            f"{FORMAT}: run the same command with this version, which goes on from its cells"
        )
    try:
        _Transfer.model_validate_json(data)
    except ValidationError as refusal:
        raise InputError(f"{name} is damaged: {as_input_error(refusal)}") from None
    return content | _conclusions(content)


def _conclusions(content: Mapping[str, Any]) -> dict[str, list[Row]]:
    """What follows from the rows of the cells."""
    sources = [*content["sources"]]
    accuracies = [*_accuracies(sources[0], content["results"])]
    return {"accuracies": accuracies, "needed": [*_needed(sources, accuracies)]}


def _accuracies(first: str, results: Sequence[Row]) -> Iterator[Row]:
    """A row for each source, number of blocks and of images, from the rows of their seeds."""
    by_group: dict[tuple[str, str, int], dict[int, Sequence[float]]] = {}
    for row in results:
        group = row["source"], row["trainable"], row["num_images"]
        by_group.setdefault(group, {})[row["seed"]] = row["accuracies"]
    epochs = results[0]["epochs"]
    for (source, trainable, num_images), by_seed in by_group.items():
        base = {} if source == first else by_group.get((first, trainable, num_images), {})
        points = [_point(by_seed, base, index) for index in range(len(epochs))]
        yield {
            "source": source,
            "trainable": trainable,
            "num_images": num_images,
            "seeds": len(by_seed),
            **points[-1],
            "epochs": epochs,
            "by_epoch": points,
        }


def _point(
    by_seed: Mapping[int, Sequence[float]], base: Mapping[int, Sequence[float]], index: int
) -> Row:
    """Means over seeds at one epoch; a difference is over the seeds that both sources have."""
    values = [curve[index] for curve in by_seed.values()]
    differences = [by_seed[seed][index] - base[seed][index] for seed in by_seed if seed in base]
    return {
        "accuracy": mean(values),
        "interval": _interval(values, 0),
        "difference": mean(differences) if differences else None,
        "difference_interval": _interval(differences, -1),
    }


def _interval(values: Sequence[float], low: float) -> list[float] | None:
    ends = bounded_interval(values, low, 1)
    return ends and [*ends]


def _needed(sources: Sequence[str], accuracies: Sequence[Row]) -> Iterator[Row]:
    """What each source needs to be as accurate as the first one is at the end."""
    rows_of: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(accuracies, key=lambda row: row["num_images"]):
        rows_of.setdefault((row["source"], row["trainable"]), []).append(row)
    for base in (row for row in accuracies if row["source"] == sources[0]):
        accuracy = base["accuracy"]
        for source in sources:
            rows = rows_of.get((source, base["trainable"]), [])
            same = next((row for row in rows if row["num_images"] == base["num_images"]), None)
            if same is None:
                continue
            images = [(row["num_images"], row["accuracy"]) for row in rows]
            by_epoch = [point["accuracy"] for point in same["by_epoch"]]
            yield {
                "source": source,
                "trainable": base["trainable"],
                "num_images": base["num_images"],
                "accuracy": accuracy,
                "images": reached(images, accuracy) if source != sources[0] else None,
                "epochs": reached([*zip(same["epochs"], by_epoch, strict=True)], accuracy),
            }


def reached(points: Sequence[tuple[float, float]], accuracy: float) -> Row:
    """Where a curve first reaches an accuracy, interpolated in the logarithm of the amount.

    Args:
        points: (amount, accuracy), by rising amounts.
        accuracy: What is to be reached.

    Returns:
        ``amount``, and ``relation``: ``about``; ``at most`` where the smallest amount is enough;
        ``more than`` where the largest is not.
    """
    amount, value = points[0]
    if value >= accuracy:
        return {"amount": amount, "relation": "at most"}
    for next_amount, next_value in points[1:]:
        if next_value >= accuracy:
            share = (accuracy - value) / (next_value - value)
            log_amount = math.log(amount) + share * math.log(next_amount / amount)
            return {"amount": math.exp(log_amount), "relation": "about"}
        amount, value = next_amount, next_value
    return {"amount": amount, "relation": "more than"}
