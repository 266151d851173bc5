"""Models × conditions: what an evaluation asks for, and the one function that measures it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.config import require_classes
from advprop_core.attribution.progress import split
from advprop_core.datasets.listed import Unreadable
from advprop_core.evaluation.cells import Cell, TestedModel, cells_of, only_shown
from advprop_core.evaluation.conditions import Condition, takes_restarts
from advprop_core.evaluation.data import DataRequest, open_images
from advprop_core.evaluation.figures import SmallestEpsilon
from advprop_core.evaluation.inputs import BATCH_SIZE, Workshop
from advprop_core.evaluation.masking import Suspicion, controls, without_gradient
from advprop_core.evaluation.processes import ALONE, Processes
from advprop_core.evaluation.results import Answers, BranchResult
from advprop_core.evaluation.smallest_epsilon import measure_smallest
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.sweep import groups_of, sweep
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.digest import model_digest
from advprop_core.types import AttackConfig, Progress

_SEARCH = 10  # attacks that the search for the smallest radius takes, roughly


@dataclass(frozen=True, eq=False)
class Suite:
    """Everything that decides an evaluation.

    Attributes:
        models: Each with its images; :func:`~advprop_core.evaluation.data.open_images` reads these.
        conditions: What every branch of every model is shown.
        smallest: PGD at the largest radius that is tried, to search image by image for the
            smallest one that suffices; None for no search.
        data: What the images are called.
        seed: Of the bootstrap; attacks, corruptions and probes have their own.
        notes: What a person should know of the images, in sentences.
        with_mce: Names of the models for which the articles' mCE is defined.

    Raises:
        ValueError: If AutoAttack is asked of a network with too few classes.
    """

    models: Sequence[TestedModel]
    conditions: Sequence[Condition] = (Condition(),)
    smallest: AttackConfig | None = None
    data: str = ""
    seed: int = 0
    notes: Sequence[str] = ()
    with_mce: Sequence[str] = ()

    def __post_init__(self) -> None:
        if any(isinstance(condition.attack, AutoAttackConfig) for condition in self.conditions):
            for model in self.models:
                if model.info is not None:  # refused now rather than after the work
                    require_classes(len(model.among or model.info.classes), model.name)

    @classmethod
    def open(
        cls,
        models: Mapping[str, Checkpoint],
        data: str,
        conditions: Sequence[Condition] = (Condition(),),
        *,
        limit: int | None = None,
    ) -> Self:
        """Every branch of some models on a data set, read as ``advprop evaluate`` reads it.

        Args:
            models: By name.
            data: A folder of class folders, a built-in name, or ``KIND:DIR``.
            conditions: What the branches are shown.
            limit: At most this many images, spread evenly over the classes.
        """
        corrupted = any(condition.corruption is not None for condition in conditions)
        tested = open_images(DataRequest(data, limit=limit), models, with_photos=corrupted)
        return cls(tested.models, conditions, data=data, notes=tested.notes)

    @property
    def digests(self) -> dict[str, str]:
        """Model to the digest of all that decides its answers."""
        return {
            model.name: model_digest(model.model, model.info)
            for model in self.models
            if model.info is not None
        }


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a suite found.

    Attributes:
        suite: What was asked.
        cells: Answers image by image, in the order of models and conditions; all cells of a model
            are about the same images.
        radii: Smallest radii, where they were searched for.
        left_out: Model to how many images cannot be read under some condition.
        unreadable: The files of these, as far as this run met them.
        flat: What :func:`~advprop_core.evaluation.masking.without_gradient` says, where attacks
            were asked for.
    """

    suite: Suite
    cells: Mapping[Cell, Answers]
    radii: Sequence[SmallestEpsilon] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    unreadable: Sequence[Unreadable] = ()
    flat: Sequence[Suspicion] = ()

    @property
    def results(self) -> tuple[BranchResult, ...]:
        """Accuracies, condition by condition, then branch by branch."""
        return tuple(
            BranchResult.of(cell.branch, cell.condition, answers)
            for cell, answers in self.cells.items()
        )


def evaluate(
    suite: Suite,
    *,
    batch_size: int = BATCH_SIZE,
    store: CellStore | None = None,
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> Evaluation:
    """Measure every branch of every model under every condition.

    Args:
        suite: What is asked.
        batch_size: As for :class:`~advprop_core.evaluation.inputs.Workshop`.
        store: Likewise.
        progress: Called with (done, all) images, counted once for every group of cells that are
            shown the same pixels; may end the work by raising.
        processes: Likewise; all of them call this.

    Raises:
        ValueError: If a branch does not exist, models share a name, logits are not finite, a
            corruption comes without photos, a probe has more patches than an image has pixels, or
            no image can be read under every condition.
    """
    # A search for the smallest radius counts as so many attacks.
    searched = suite.models if suite.smallest else ()
    shown = sum(group.count for group in groups_of(suite.models, suite.conditions))
    sizes = [shown, *(_SEARCH * len(model.labels) * len(model.branches) for model in searched)]
    swept, *searches = split(progress, sizes)
    workshop = Workshop(processes, batch_size, store)
    answered = sweep(suite.models, suite.conditions, workshop, swept)
    radii: list[SmallestEpsilon] = []
    for model, listener in zip(searched, searches, strict=True):
        assert suite.smallest is not None
        radii += measure_smallest(model, suite.smallest, workshop, listener)
    ordered = [cell for model in suite.models for cell in cells_of(model, suite.conditions)]
    cells = only_shown({cell: answered[cell] for cell in ordered})
    left_out = {cell.model: len(answered[cell]) - len(cells[cell]) for cell in ordered}
    # By identity: models may share a set, and each file is to be named once.
    files = {id(model.stored): getattr(model.stored, "unreadable", {}) for model in suite.models}
    met = [file for by_row in files.values() for file in by_row.values()]
    attacked = any(condition.attack is not None for condition in suite.conditions)
    flat = [
        suspicion
        for model in suite.models
        if attacked and len(model.images)
        for suspicion in without_gradient(model, workshop)
    ]
    return Evaluation(suite, cells, radii, left_out, processes.gather(met), flat)


def attack_conditions(
    attacks: Sequence[AttackConfig | AutoAttackConfig],
    attack_branch: str | None = None,
    *,
    restarts: int = 1,
    sanity: bool = False,
    seed: int = 0,
) -> list[Condition]:
    """A condition for each attack, in their order.

    The attack branch is that of :class:`~advprop_core.evaluation.conditions.Condition`. Attacks
    without a random start have one start, however many restarts are asked for. With ``sanity``,
    what tells a masked gradient follows: noise of every radius and PGD without a bound, drawn from
    the seed, for each branch through itself.
    """
    conditions = [
        Condition(config, attack_branch, restarts=restarts if takes_restarts(config) else 1)
        for config in attacks
    ]
    if sanity:
        conditions += [Condition(config) for config in controls(attacks, seed)]
    return [*dict.fromkeys(conditions)]
