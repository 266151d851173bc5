"""What ``visualise`` is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli import values
from advprop_core.cli.fields import Folder, Name, Names, Number, option_set
from advprop_core.cli.options import ModelsOptions, ReportOptions
from advprop_core.errors import InputError

if TYPE_CHECKING:
    from advprop_core.types import ModelInfo
    from advprop_core.visualise.goals import Goal


@option_set
class VisualiseOptions(ReportOptions, ModelsOptions):
    """What ``visualise`` is asked."""

    image: Annotated[Path | None, typer.Argument(metavar="[IMAGE]")] = None
    """A photo to start from: JPEG, PNG, WebP, AVIF, TIFF … By default grey with faint noise."""
    out: Folder
    """Folder for the pictures. It is created if needed, and its files are overwritten."""
    branch: Names | None = None
    """Branch that draws: main, aux, aux2 … For several, repeat the option or use commas. By default
    all branches."""
    class_name: Annotated[str | None, typer.Option("--class", metavar="CLASS")] = None
    """Class to draw: name, id or index."""
    layer: Name | None = None
    """A layer, such as blocks.4. The command draws its --channel instead of a class."""
    channel: Annotated[int | None, "K"] = None
    """Channel of that layer, from 0."""
    epsilon: Annotated[str, "E"] = "40"
    """How far the picture may move: the L2 length of the change, in pixel units on [0, 1].
    A network of 224 pixels needs about 80."""
    steps: Number = 60
    """Gradient steps."""
    step_size: Annotated[str | None, "S"] = None
    """Move per step, in the unit of epsilon. By default a tenth of epsilon."""
    seed: Number | None = None
    """Seed of the noise, if no image is given. By default 0."""

    def check(self) -> None:
        """Refuse options that do not go together, by an InputError."""
        if (self.class_name is None) == (self.layer is None):
            raise InputError(
                "give either --class NAME or --layer NAME --channel K: what the branches draw"
            )
        if (self.layer is None) != (self.channel is None):
            raise InputError("--layer and --channel belong together: give both, or --class alone")
        if self.image is not None and self.seed is not None:
            raise InputError("--seed is for the noise of a start without an image: leave it out")

    def read_goal(self, info: ModelInfo) -> Goal:
        """What is to be seen, by a network; an InputError where it has no such class."""
        from advprop_core.visualise.goals import Channel

        if self.layer is not None and self.channel is not None:
            return Channel(self.layer, self.channel)
        index = values.read_class(info, self.class_name, "--class")
        assert index is not None
        return index
