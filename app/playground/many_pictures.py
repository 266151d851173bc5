"""Who fools whom on many pictures: the measurement behind the matrix of the attack studio."""

from dataclasses import dataclass

from advprop_core.datasets.named import load_images
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.types import AttackConfig, ModelInfo
from app.shell.jobs import Report

MOST_IMAGES = 100
_AT_ONCE = 10  # images between two reports of progress


@dataclass(frozen=True)
class ManyPictures:
    """Who fools whom on many pictures.

    Attributes:
        data: ``shapes``, or a folder.
        config: The attack.
        cells: Clean, then attacks through each branch; every time for every branch.
        unreadable: Number of files that were left out.
        ignored_classes: Class folders that the network does not know.
    """

    data: str
    config: AttackConfig
    cells: tuple[BranchResult, ...]
    unreadable: int
    ignored_classes: tuple[str, ...]


def attack_many(
    model: DualBNModel, info: ModelInfo, *, data: str, config: AttackConfig, progress: Report
) -> ManyPictures:
    """Clean, then an attack through each branch, every time for every branch.

    A targeted attack is measured on the pictures of other classes.

    Raises:
        InputError: If the folder's classes are not the network's, or no picture is left.
    """
    images = load_images(data, info.input_size, classes=info.classes, limit=MOST_IMAGES)
    attackable = images.labels != (-1 if config.target_class is None else config.target_class)
    through = [Condition(config, branch) for branch in info.branches]
    tested = TestedModel("", model, images.pixels[attackable], images.labels[attackable])
    evaluation = evaluate(
        Suite([tested], [Condition(), *through]),
        batch_size=_AT_ONCE,
        progress=progress,
    )
    return ManyPictures(
        data, config, evaluation.results, len(images.unreadable), images.ignored_classes
    )
