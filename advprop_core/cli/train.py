"""Training: ``train``."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from advprop_core.cli.fields import DataSet, Folder, Names, option_set, with_options
from advprop_core.cli.memory import keep_freed_memory
from advprop_core.cli.output import command_line, is_first_process
from advprop_core.cli.progress import TrainingBar
from advprop_core.cli.train_recipe import recipe_options, resolve
from advprop_core.errors import AdvPropError
from advprop_core.files import CannotWrite
from advprop_core.models.cards import describe_condition
from advprop_core.models.header import read_info
from advprop_core.training.recipe_files import RECIPE, shipped_recipes


@option_set
class _TrainOptions:
    data: DataSet
    """Folder with train/ and val/, or `shapes`; for --objective auxiliary any folder of photos."""
    out: Folder
    """Run folder."""
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help=f"A TOML file, or one of {', '.join(shipped_recipes())}; the options in the "
            "groups below change it.",
        ),
    ] = None
    name: str = ""
    """Name in the checkpoint; by default the name of the run folder."""
    resume: bool = False
    """Continue the run in --out, with its recipe."""
    tracker: Names | None = None
    """Also log to tensorboard or wandb. For both, repeat the option."""
    keep_epochs: bool = False
    """Keep a checkpoint after each epoch, in --out/epochs: `advprop influence --method tracin`
    needs them."""


@partial(with_options, further=[*recipe_options()])
def train(options: _TrainOptions, recipe_values: Mapping[str, Any]) -> None:
    """Train a network and write a self-describing checkpoint.

    Writes to --out: model.safetensors (half precision, with recipe and measured accuracies in
    its header) and its card, recipe.toml (every value, to be used again), metrics.jsonl (a line
    per step and per epoch) and state.pt (to resume from). For several GPUs or hosts, start it
    with torchrun or accelerate launch.

    ```
    advprop train --data shapes --objective advprop --epochs 2 --out runs/shapes-advprop
    advprop train --data photos --recipe imagenette --out runs/photos --resume
    torchrun --nproc-per-node 8 -m advprop_core.cli train --data imagenet --recipe \
imagenet-advprop --out runs/imagenet
    ```
    """
    recipe, out = options.recipe, options.out
    if options.resume and recipe is None and (out / RECIPE).exists():
        recipe = str(out / RECIPE)
    resolved, notes = resolve(recipe, recipe_values)
    keep_freed_memory()

    from advprop_core.training.run import train as run

    with TrainingBar() as bar:
        note = partial(bar.console.print, markup=False)  # paths may hold brackets
        for sentence in notes if is_first_process() else ():
            note(sentence)
        try:
            path = run(
                resolved,
                options.data,
                out,
                name=options.name,
                command=command_line(),
                resume=options.resume,
                trackers=options.tracker or (),
                keep_epochs=options.keep_epochs,
                report=bar.show,
                note=note,
            )
        except KeyboardInterrupt:
            note(f"interrupted; {_what_is_kept(out)}")
            raise
        except CannotWrite as error:
            raise AdvPropError(f"{error}; {_what_is_kept(out)}") from error
    if is_first_process():
        typer.echo(f"wrote {path}, and its card {path.with_suffix('.md').name}")
        for row in read_info(path).metrics:
            if "top1" in row:
                condition = describe_condition(row["condition"])
                typer.echo(f"{row['branch']}: {100 * row['top1']:.1f} % {condition}")


def _what_is_kept(out: Path) -> str:
    from advprop_core.training.state import STATE

    is_saved = (out / STATE).exists()
    return "--resume continues from the saved state" if is_saved else "nothing was saved yet"
