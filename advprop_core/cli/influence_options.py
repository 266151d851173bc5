"""The options of ``influence``."""

from typing import Annotated

import typer

from advprop_core.cli.fields import ClassName, DataSet, Folder, Name, Names, Number, option_set
from advprop_core.cli.options import ModelsOptions, ReportOptions

METHODS = {
    "last-layer": "influence function of the last layer",
    "tracin": "TracIn over the checkpoints of the run",
}
"""The methods by the names that people write, each with its title."""


@option_set
class InfluenceOptions(ReportOptions, ModelsOptions):
    """Of the command."""

    image: Annotated[str, typer.Argument(metavar="IMAGE|DIR")]
    """A photo; or a test set: a folder of class folders, shapes, or KIND:DIR."""
    train: DataSet
    """The training images: a folder of class folders, or one that holds train/; shapes; or a
    published set as KIND:DIR."""
    method: Name = "last-layer"
    """last-layer (the influence function of a last layer that is fitted to the training images) or
    tracin (gradients over the checkpoints of the run, which `advprop train --keep-epochs`
    keeps)."""
    branch: Names | None = None
    """Branch whose predictions are traced. For several, repeat the option or use commas. By default
    all branches."""
    true_class: ClassName | None = None
    """Class that the photo shows, one of the training images' classes. By default the name of the
    photo's folder, if it is one of them. Otherwise each branch's own answer is traced."""
    top: Annotated[int, typer.Option(min=1, metavar="K")] = 5
    """How many helpful and harmful images of a photo to list."""
    limit: Number | None = None
    """At most this many images of a test set, spread evenly over the classes."""
    out: Folder | None = None
    """Folder for influence.png."""
