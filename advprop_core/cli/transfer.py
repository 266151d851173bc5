"""Networks on a new task: ``transfer``."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from advprop_core.cli.fields import DataSet, File, Folder, Number, option_set, with_options
from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.options import ReportOptions
from advprop_core.cli.output import Json, Report, command_line, make_folder, try_file
from advprop_core.cli.progress import counting
from advprop_core.cli.values import split_list
from advprop_core.errors import InputError
from advprop_core.transfer.grid import Grid, make_grid, read_grid

if TYPE_CHECKING:
    from advprop_core.transfer.run import Outcome

_LISTED = 5  # failed cells that are named


@option_set
class _TransferOptions(ReportOptions):
    out: Folder
    """Folder for results.json, report.html and finished cells. The same command, or one with more
    cells, continues from there. All machines of a Ray cluster must be able to access it."""
    source: Annotated[list[str] | None, "M"] = None
    """A network to start from: a bundled name (see `advprop models`), a checkpoint file or a timm
    name. Add :BRANCH for another branch than main. For several, repeat the option or use commas.
    All others are compared with the first."""
    data: DataSet | None = None
    """The new task: a folder with train/ and val/ or test/; `shapes`; or cifar10:DIR, cifar100:DIR,
    svhn:DIR, mnist:DIR, fashion-mnist:DIR or kmnist:DIR, unpacked."""
    num_images: Annotated[list[str] | None, "N,…"] = None
    """Numbers of training images, drawn evenly over the classes. By default 100, 200, 400, 800 and
    1600."""
    trainable: Annotated[list[str] | None, "K,…"] = None
    """How many blocks from the end are trained together with the new head, such as 0,1,3,all. By
    default 0: only the head, on features that are computed once."""
    seeds: Number | None = None
    """Number of repetitions, each with other images. By default 5."""
    epochs: Number | None = None
    """Passes over the images. The learning rate drops after each third of them. By default 150."""
    size: Annotated[int | None, "PIXELS"] = None
    """Side of the images. By default each source's own."""
    test_images: Number | None = None
    """Largest number of test images, drawn evenly over the classes. By default 2000."""
    recipe: File | None = None
    """A TOML file with any of these options (num_images = [100, 200]). Its table `training` takes
    the keys of a training recipe. Options on the command line replace its values."""
    workers: Number | None = None
    """Cells that are trained at the same time on this machine. By default one for each core."""
    ray: bool = False
    """Train the cells on Ray: on the cluster that RAY_ADDRESS names, or on this machine. Needs the
    extra advprop-lens[ray]."""


@with_options
def transfer(options: _TransferOptions) -> None:
    r"""Compare how well networks learn a new task.

    Every source gets a new head and is trained on few images (Utrera et al., arXiv 2007.05869: do
    adversarially trained networks transfer better?). Accuracies come with 95 % intervals over
    seeds, and differences to the first source are paired by seed. Cells that train only the head
    share features that are computed once, without augmentation. Other cells use the article's
    augmentation.

    ```
    advprop transfer --source imagenet-lite0 --source imagenette-advprop:aux \
        --data cifar10:sets --num-images 100,400 --trainable 0 --seeds 3 --out runs/transfer
    advprop transfer --source imagenet-lite0,imagenet-lite0:aux --data photos \
        --trainable 0,1,3,all --epochs 60 --out runs/blocks --ray
    ```
    """
    report = Report(options.json_file)
    make_folder(options.out)
    try_file(options.out / "results.json", "--out")
    workers = options.workers if options.workers is not None else os.cpu_count() or 1
    if workers < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    grid = _read_grid(options)
    keep_freed_memory()
    from advprop_core.transfer.pools import ProcessPool, RayPool
    from advprop_core.transfer.results_file import summarise
    from advprop_core.transfer.run import run_grid

    make_pool = partial(RayPool if options.ray else ProcessPool, workers=workers)
    try:
        outcome = run_grid(grid, options.out, make_pool, counting=counting)
    except KeyboardInterrupt:
        report.say("interrupted; the same command goes on from the cells that are finished")
        raise
    content = summarise(outcome, command_line())
    _finish(report, options.out, outcome, content)


def _read_grid(options: _TransferOptions) -> Grid:
    values = read_grid(options.recipe) if options.recipe else {}
    values |= {
        name: value
        for name in ("data", "seeds", "size", "test_images")
        if (value := getattr(options, name)) is not None
    }
    if options.source:
        values["sources"] = split_list(options.source)
    if options.num_images:
        values["num_images"] = [*map(_number, split_list(options.num_images))]
    if options.trainable:
        values["trainable"] = split_list(options.trainable)
    if options.epochs is not None:
        training = {**values.get("training", {}), "epochs": options.epochs}
        training.pop("decay_epochs", None)  # of other epochs
        values["training"] = training
    return make_grid(values)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--num-images must be whole numbers, got {text!r}") from None


def _finish(report: Report, out: Path, outcome: Outcome, content: Json) -> None:
    from advprop_core.report.pages import write_transfer_report
    from advprop_core.report.transfer_words import headline, tables

    if outcome.reused:
        report.say(f"{outcome.reused} finished cells were taken from {out / 'cells'}")
    for note in outcome.notes:
        report.say(note)
    for table in tables(content):
        report.say(table.title)
        report.show(table)
        for meaning in table.meanings:
            report.say(meaning)
    for sentence in headline(content):
        report.say(sentence)
    for cell, failure in [*outcome.failed.items()][:_LISTED]:
        report.say(f"failed twice: {cell.name}: {failure.reason}")
    if (more := len(outcome.failed) - _LISTED) > 0:
        report.say(f"{more} more cells failed: results.json names them")
    for path in write_transfer_report(out, content):
        report.say(f"wrote {path}")
    report.finish(content)
