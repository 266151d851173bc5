"""Which training images predictions rest on: ``influence``, of a photo or over a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli import values
from advprop_core.cli.options import ModelsOptions, ReportOptions, with_options
from advprop_core.cli.output import Report, make_folder
from advprop_core.errors import InputError

if TYPE_CHECKING:
    from advprop_core.influence.methods import MethodName
    from advprop_core.models.checkpoints import Checkpoint


@dataclass(frozen=True, kw_only=True)
class InfluenceOptions(ReportOptions, ModelsOptions):
    """Of the command."""

    image: Annotated[str, typer.Argument(metavar="IMAGE|DIR")]
    """A photo; or a test set: a folder of class folders, shapes, or KIND:DIR."""
    train: Annotated[str, typer.Option(metavar="DIR")]
    """The training images: a folder of class folders, or one that holds train/; shapes; or a
    published set as KIND:DIR."""
    method: Annotated[str, typer.Option(metavar="NAME")] = "last-layer"
    """last-layer (the influence function of a last layer that is fitted to the training images) or
    tracin (gradients over the checkpoints of the run, which `advprop train --keep-epochs`
    keeps)."""
    branch: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None
    """Branch whose predictions are traced; repeat it or write commas. Every branch by default."""
    true_class: Annotated[str | None, typer.Option(metavar="CLASS")] = None
    """What the photo shows: a class of the training images. By default the photo's folder, where
    its name is one of them; otherwise each branch's own answer is traced."""
    top: Annotated[int, typer.Option(min=1, metavar="K")] = 5
    """How many helpful and harmful images of a photo to list."""
    limit: Annotated[int | None, typer.Option(metavar="N")] = None
    """At most this many images of a test set, spread evenly over the classes."""
    out: Annotated[Path | None, typer.Option(metavar="DIR")] = None
    """Folder for influence.png."""


@with_options
def influence(options: InfluenceOptions) -> None:
    r"""Say which training images a prediction rests on.

    The score of a training image is how much the loss of the prediction would rise without it:
    positive images help, negative ones harm. Features of the training images are computed once for
    each network and kept in this person's cache.

    **A photo.** Lists the most helpful and harmful training images for each branch; --out draws
    them.

    ```
    advprop influence church.jpg --model imagenette-vanilla,imagenette-advprop \
        --train photos/train --out out
    advprop influence star.png --model runs/shapes/model.safetensors --train shapes \
        --method tracin --branch aux
    ```

    **A test set.** How often the most influential training image has the class of the test image,
    with 95 % intervals, by rank up to 100 and for each pair of classes (Utrera et al., arXiv
    2007.05869); --out draws the influence between classes.

    ```
    advprop influence photos/val --model imagenette-vanilla,imagenette-advprop \
        --train photos/train --limit 500 --json influence.json
    ```
    """
    report = Report(options.json_file)
    method = _read_method(options.method)
    is_photo = Path(options.image).is_file()
    if is_photo and options.limit is not None:
        raise InputError(f"--limit is for a test set, and {options.image} is a photo")
    if not is_photo:
        _require_test_set(options)
    if options.out is not None:
        make_folder(options.out)
    opened = options.open()
    branches = {name: _branches(name, opened[name], options) for name in opened}
    from advprop_core.cli.influence_report import trace_photo, trace_set

    trace = trace_photo if is_photo else trace_set
    trace(report, options, method, opened, branches)


def _read_method(text: str) -> MethodName:
    from advprop_core.influence.methods import METHODS

    for method in METHODS:
        if text == method:
            return method
    raise InputError(f"--method must be one of {', '.join(METHODS)}, got {text!r}")


def _require_test_set(options: InfluenceOptions) -> None:
    from advprop_core.datasets.layouts import find_place
    from advprop_core.datasets.named import BUILTIN

    name = options.image
    if name not in BUILTIN and find_place(name) is None:
        raise InputError(
            f"{name} is neither a photo nor a test set: give a photo's file, a folder of class "
            f"folders, or one of {', '.join(BUILTIN)}"
        )
    if options.true_class is not None:
        raise InputError(f"--true-class is for a photo, and {name} is a test set")


def _branches(name: str, checkpoint: Checkpoint, options: InfluenceOptions) -> tuple[str, ...]:
    """The branches that are traced: those that were named, or all but copies of main."""
    try:
        branches = values.read_branches(checkpoint.model, options.branch)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None
    return tuple(each for each in branches if options.branch or each not in checkpoint.copies)


def pairs(branches: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """(model, branch) of all that are traced."""
    for model, names in branches.items():
        yield from ((model, branch) for branch in names)
