"""What a transfer experiment says: accuracies, differences to the first source, what is needed.

Intervals are Student's over seeds: they are of other training images of the same task, not of
another task. Differences are paired: in a seed all sources are shown the same images.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean as mean
from typing import Any

from advprop_core.evaluation.intervals import bounded_interval
from advprop_core.files import versions
from advprop_core.transfer.grid import Cell
from advprop_core.transfer.results_file import FORMAT, KIND
from advprop_core.transfer.run import Outcome

Row = dict[str, Any]
_Group = tuple[str, str, int]  # source, trainable, number of images


def summarise(outcome: Outcome, command: str) -> dict[str, Any]:
    """The content of ``results.json``: plain values, shares as fractions.

    ``results`` has a row for each cell. ``accuracies`` has one for each source, number of blocks
    and of images: the mean over seeds and its interval, the mean difference to the first source and
    its interval, and both at every measured epoch. ``needed`` says how many images and how many
    epochs a source needs to be as accurate as the first one.
    """
    grid, train = outcome.grid, outcome.train
    accuracies = [*_accuracies(grid.sources[0], outcome.curves)]
    return {
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
        "accuracies": accuracies,
        "needed": [*_needed(grid.sources, accuracies)],
    }


def _accuracies(first: str, curves: Mapping[Cell, Mapping[str, Any]]) -> Iterator[Row]:
    by_group: dict[_Group, dict[int, Sequence[float]]] = {}
    epochs: Sequence[int] = ()
    for cell, curve in curves.items():
        group = cell.source, cell.trainable, cell.num_images
        by_group.setdefault(group, {})[cell.seed] = curve["accuracies"]
        epochs = curve["epochs"]
    for (source, trainable, num_images), by_seed in by_group.items():
        base = {} if source == first else by_group.get((first, trainable, num_images), {})
        points = [_point(by_seed, base, index) for index in range(len(epochs))]
        yield {
            "source": source,
            "trainable": trainable,
            "num_images": num_images,
            "seeds": len(by_seed),
            **points[-1],
            "epochs": list(epochs),
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
        "interval": bounded_interval(values, 0, 1),
        "difference": mean(differences) if differences else None,
        "difference_interval": bounded_interval(differences, -1, 1),
    }


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
