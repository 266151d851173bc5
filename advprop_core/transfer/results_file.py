"""The form of a transfer experiment's ``results.json``, and how one is read; loads no torch."""

from typing import Annotated, Any, Literal, Self

from annotated_types import Gt, Le
from pydantic import Field, ValidationError, model_validator

from advprop_core.errors import InputError, as_input_error
from advprop_core.evaluation.figures import Count, Shares
from advprop_core.evaluation.results_file import read_json
from advprop_core.evaluation.studies import Branch, Share, Strict

FORMAT = 1
"""Raised when the form changes."""
KIND = "transfer"

Difference = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
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


class _Point(Strict):
    accuracy: Share
    interval: Shares | None
    difference: Difference | None
    difference_interval: tuple[Difference, Difference] | None


class _Accuracy(_Point):
    source: str
    trainable: _Trainable
    num_images: Count
    seeds: Count
    epochs: Annotated[list[Count], Field(min_length=1)]
    by_epoch: list[_Point]

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if len(self.epochs) != len(self.by_epoch):
            raise InputError("must have one of by_epoch for each of its epochs")
        return self


class _Reached(Strict):
    amount: Annotated[float, Gt(0), Field(allow_inf_nan=False)]
    relation: Literal["about", "at most", "more than"]


class _Needed(Strict):
    source: str
    trainable: _Trainable
    num_images: Count
    images: _Reached | None
    epochs: _Reached | None


class _Failed(Strict):
    source: str
    trainable: _Trainable
    num_images: Count
    seed: int
    reason: str


class _Transfer(Strict):
    command: str
    data: str
    test_images: Count
    seeds: Count
    num_images: Annotated[list[Count], Field(min_length=1)]
    trainable: Annotated[list[_Trainable], Field(min_length=1)]
    sources: Annotated[dict[str, _Source], Field(min_length=1)]
    training: _Training
    notes: list[str]
    accuracies: Annotated[list[_Accuracy], Field(min_length=1)]
    needed: list[_Needed]
    failed: list[_Failed]

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        groups = [(row.source, row.trainable, row.num_images) for row in self.accuracies]
        if len({*groups}) < len(groups):
            raise InputError("two of accuracies are of the same source, blocks and images")
        for source, trainable, num_images in groups:
            if source not in self.sources:
                raise InputError(f"accuracies name {source}, which is none of the sources")
            if trainable not in self.trainable or num_images not in self.num_images:
                raise InputError("accuracies have other blocks or images than the grid")
        return self


def parse(name: str, data: bytes) -> dict[str, Any]:
    """The content of a transfer experiment's ``results.json``, as the file has it.

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
    return content
