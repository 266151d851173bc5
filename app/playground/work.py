"""What the attack studio asks of the library, and the work it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from advprop_core.attribution.methods import METHODS
from advprop_core.compare.compare import MapRequest
from advprop_core.compare.film import make_film
from advprop_core.compare.matrix import AttackMatrix, attack_matrix
from advprop_core.compare.sweep import Sweep, sweep
from advprop_core.datasets.named import load_images
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.types import AttackConfig, ModelInfo
from app.figures.reel import Reel, make_reel
from app.shell import requests
from app.shell.jobs import Job
from app.shell.pictures import own_folder
from app.shell.state import BOUNDS, View

if TYPE_CHECKING:
    from torch import Tensor

    from app.shell.cache import Lens

# In the units of the sidebar, each a stop of its slider; fine where most answers change.
GRIDS = {
    "linf": (0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16),
    "l2": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.5, 3, 3.5, 4, 5),
}
PRECISIONS = {"linf": 0.05 / 255, "l2": 0.02}
MOST_FRAMES = 25
MOST_IMAGES = 100
_AT_ONCE = 10  # images between two reports of progress
_DEFAULT_MAP = "grad-cam"


@dataclass(frozen=True)
class SweepRequest:
    """All that decides a sweep; the strength on the left does not.

    Attributes:
        model: Name of the model.
        image: Source of the picture.
        config: The attack at the largest radius.
        scale_step: Whether its step size grows with the radius.
        attack_branch: Whose gradient it follows.
        true_class: Index, or None.
    """

    model: str
    image: str
    config: AttackConfig
    scale_step: bool
    attack_branch: str
    true_class: int | None


@dataclass(frozen=True)
class FilmRequest:
    """All that decides a film, as :class:`SweepRequest` says it.

    Attributes:
        model: Name of the model.
        image: Source of the picture.
        config: The attack.
        attack_branch: Whose gradient it follows.
        true_class: Index, or None.
        maps: Which map every frame gets.
        opacity: Of the map, in percent.
    """

    model: str
    image: str
    config: AttackConfig
    attack_branch: str
    true_class: int | None
    maps: MapRequest
    opacity: int


@dataclass(frozen=True)
class MatrixRequest:
    """All that decides the matrix of one picture."""

    model: str
    image: str
    config: AttackConfig
    true_class: int | None


@dataclass(frozen=True)
class FolderRequest:
    """All that decides the matrix of many pictures.

    Attributes:
        model: Name of the model.
        data: ``shapes``, or a folder.
        config: The attack.
    """

    model: str
    data: str
    config: AttackConfig


@dataclass(frozen=True)
class FolderResult:
    """The matrix of many pictures.

    Attributes:
        request: What was asked.
        cells: Clean, then attacks through each branch; every time for every branch.
        unreadable: Number of files that were left out.
        ignored_classes: Class folders that the network does not know.
    """

    request: FolderRequest
    cells: tuple[BranchResult, ...]
    unreadable: int
    ignored_classes: tuple[str, ...]


def sweep_request(view: View, info: ModelInfo, true_class: int | None) -> SweepRequest:
    """The sweep that belongs to a view."""
    widest = replace(view, epsilon=BOUNDS["epsilon"][1], radius=BOUNDS["radius"][1])
    config = requests.attack_config(widest, info)
    scale = not view.step_size or view.perturbation == "fgsm"
    return SweepRequest(view.model, view.image, config, scale, view.attack_branch, true_class)


def film_request(view: View, info: ModelInfo, true_class: int | None, layer: str) -> FilmRequest:
    """The film that belongs to a view."""
    method = METHODS[film_method(view)]
    explained = info.class_ids.index(view.explained) if view.explained else None
    maps = MapRequest(method.name, (view.layer or layer) if method.needs_layer else None, explained)
    config = requests.attack_config(view, info)
    return FilmRequest(
        view.model, view.image, config, view.attack_branch, true_class, maps, view.opacity
    )


def film_method(view: View) -> str:
    """The map of every frame: the chosen one, or Grad-CAM where that takes long."""
    return view.method if METHODS[view.method].cost == "fast" else _DEFAULT_MAP


def matrix_request(view: View, info: ModelInfo, true_class: int | None) -> MatrixRequest:
    """The matrix that belongs to a view."""
    return MatrixRequest(view.model, view.image, requests.attack_config(view, info), true_class)


def folder_request(view: View, info: ModelInfo) -> FolderRequest | None:
    """The matrix over many pictures, or None where there are none with this network's classes."""
    if info.class_ids == SHAPES:
        data = "shapes"
    elif (folder := own_folder()) is not None:
        data = str(folder)
    else:
        return None
    return FolderRequest(view.model, data, requests.attack_config(view, info))


def run_sweep(request: SweepRequest, lens: Lens, pixels: Tensor, job: Job) -> Sweep:
    """Do the work, reporting to the job."""
    config = request.config
    unit = 1 / 255 if config.norm == "linf" else 1.0
    return sweep(
        lens.branches,
        pixels,
        config,
        [stop * unit for stop in GRIDS[config.norm]],
        attack_branch=request.attack_branch,
        true_class=request.true_class,
        precision=PRECISIONS[config.norm],
        scale_step=request.scale_step,
        progress=job.report,
    )


def run_film(request: FilmRequest, lens: Lens, pixels: Tensor, job: Job) -> Reel:
    """Do the work, reporting to the job; the result is small pictures, no tensors."""
    film = make_film(
        lens.branches,
        pixels,
        request.config,
        attack_branch=request.attack_branch,
        true_class=request.true_class,
        maps=request.maps,
        most=MOST_FRAMES,
        progress=lambda share: job.report(0.9 * share),
    )
    sign = METHODS[request.maps.method].sign
    return make_reel(film, lens.info.class_names, sign, request.opacity / 100)


def run_matrix(request: MatrixRequest, lens: Lens, pixels: Tensor, job: Job) -> AttackMatrix:
    """Do the work, reporting to the job."""
    return attack_matrix(
        lens.branches, pixels, request.config, true_class=request.true_class, progress=job.report
    )


def run_folder(request: FolderRequest, lens: Lens, job: Job) -> FolderResult:
    """Clean, then an attack through each branch, every time for every branch.

    A targeted attack is measured on the pictures of other classes.

    Raises:
        ValueError: If the folder's classes are not the network's, or no picture is left.
    """
    info = lens.info
    images = load_images(request.data, info.input_size, classes=info.classes, limit=MOST_IMAGES)
    kept = images.labels != (-1 if (t := request.config.target_class) is None else t)
    through = [Condition(request.config, branch) for branch in info.branches]
    tested = TestedModel("", lens.model, images.pixels[kept], images.labels[kept])
    evaluation = evaluate(
        Suite([tested], [Condition(), *through]),
        batch_size=_AT_ONCE,
        progress=lambda done, total: job.report(done / total),
    )
    return FolderResult(request, evaluation.results, len(images.unreadable), images.ignored_classes)
