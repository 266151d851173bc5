"""What the Robustness page asks to be measured; loads no torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import cast

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.named import attack_grid
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.models import bundle
from advprop_core.pictures.corruptions import CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.probes import PROBES, ProbeConfig
from advprop_core.text import exact_radius, join, listing, parse_radius
from advprop_core.types import AttackConfig, ModelInfo, Norm
from app.robustness.view import AUTOATTACK, RobustnessView
from app.shell.cache import model_settings
from app.shell.messages import quote
from app.shell.pictures import own_folder
from app.shell.samples import class_folders, folder_fits

FOLDER = "folder"
DATA = {
    "shapes": "Drawn scenes",
    "shapes-conflict": "Scenes with the texture of another class",
    FOLDER: "Photos of your folder",
}
SEED = 0
MOST_RADII = 12
LIMITS: Mapping[Norm, float] = {"linf": 16 / 255, "l2": 4.0}
SEARCH_STEPS = 10  # of PGD, where no other number is chosen
_NAMED = 6  # classes, of many
_SAME = 1e-9  # radii that are closer mean the same, such as 2/255 and 0.00784313725


@dataclass(frozen=True)
class RunRequest:
    """All that decides a run; equal requests share one job.

    Attributes:
        models: Names of the networks.
        data: A key of :data:`DATA`.
        images: At most this many, spread over the classes.
        kinds: Of attacks.
        norm: Of their balls.
        radii: In pixel units; empty without an attack.
        steps: Of attacks that take several.
        restarts: Random starts of PGD.
        through_each: Whether attacks go through each branch in turn, and not only through the one
            that is asked.
        sanity: Whether noise of every radius, and PGD without a bound, are measured beside them.
        severities: Of the 15 corruptions; empty without any.
        probed: Whether images are shown without outlines, colour and the like.
        limit: Up to which radius the smallest one that turns an image is searched; 0 for no
            search.
    """

    models: tuple[str, ...]
    data: str
    images: int
    kinds: tuple[str, ...] = ()
    norm: Norm = "linf"
    radii: tuple[float, ...] = ()
    steps: int = 1
    restarts: int = 1
    through_each: bool = False
    sanity: bool = False
    severities: tuple[int, ...] = ()
    probed: bool = False
    limit: float = 0.0

    @property
    def attacks(self) -> tuple[AttackConfig | AutoAttackConfig, ...]:
        """Every kind at every radius."""
        steps = self.steps if _takes_steps(self.kinds) else None
        return tuple(attack_grid(self.kinds, self.norm, self.radii, steps=steps, seed=SEED))

    @property
    def corruptions(self) -> tuple[CorruptionConfig, ...]:
        """Every kind at every severity."""
        return tuple(
            CorruptionConfig(kind, level, SEED) for kind in CORRUPTIONS for level in self.severities
        )

    @property
    def probes(self) -> tuple[ProbeConfig, ...]:
        """Every kind at its usual strengths."""
        if not self.probed:
            return ()
        return tuple(
            ProbeConfig(kind, strength, SEED)
            for kind, usual in PROBES.items()
            for strength in usual
        )

    @property
    def search(self) -> AttackConfig | None:
        """PGD at the largest radius that is tried, or None where none is searched for."""
        if not self.limit:
            return None
        steps = self.steps if _takes_steps(self.kinds) else SEARCH_STEPS
        return AttackConfig.pgd(self.limit, norm=self.norm, steps=steps, seed=SEED)


def request_of(view: RobustnessView) -> RunRequest:
    """The run that a view asks for.

    Raises:
        InputError: If no network is chosen, or a radius cannot be used.
    """
    if not view.tested:
        raise InputError("No network is chosen. Choose at least one on the left.")
    if view.corrupted and not view.severities:
        raise InputError("No severity of the corruptions is chosen. Choose at least one.")
    request = RunRequest(view.tested, view.data, view.images)
    if view.attacks:
        norm = cast("Norm", view.ball)
        request = replace(
            request,
            kinds=view.attacks,
            norm=norm,
            radii=read_radii(view.radii, norm),
            steps=view.attack_steps if _takes_steps(view.attacks) else 1,
            restarts=view.restarts if "pgd" in view.attacks else 1,
            through_each=view.through_each,
            sanity=view.sanity,
        )
    if view.corrupted:
        request = replace(request, severities=tuple(sorted(map(int, view.severities))))
    if view.searched:
        request = replace(request, limit=LIMITS[request.norm])
    return replace(request, probed=view.probed)


def data_for(infos: Mapping[str, ModelInfo]) -> dict[str, str]:
    """The images that every one of these networks knows the classes of: key to title."""
    all_scenes = all(tuple(info.class_ids) == SHAPES for info in infos.values())
    fits_folder = all(folder_fits(info) for info in infos.values())
    fits = {"shapes": all_scenes, "shapes-conflict": all_scenes, FOLDER: fits_folder}
    return {key: title for key, title in DATA.items() if fits[key]}


def no_data(infos: Mapping[str, ModelInfo]) -> str:
    """Why there are no images for these networks, and what to do."""
    names = join([quote(name) for name in infos])
    if len({info.class_ids for info in infos.values()}) > 1:
        return f"{names} know different classes: measure networks of the same classes together."
    folder_classes = join([quote(name) for name in class_folders()[:_NAMED]])
    of_folder = f" The folder of this app has others: {folder_classes}." if folder_classes else ""
    classes = next(iter(infos.values())).class_names
    first_classes = listing([quote(name) for name in classes], _NAMED)
    return (
        f"There are no images of the classes that {names} can tell apart: {first_classes}."
        f"{of_folder} Start the app with `advprop app --images FOLDER`, where FOLDER holds a "
        "folder of photos for each class, named like the class."
    )


def read_radii(text: str, norm: Norm) -> tuple[float, ...]:
    """The radii of a list such as ``1/255, 2/255``, in pixel units.

    Raises:
        InputError: If there is none or too many, or one is no number, out of range or there twice.
    """
    written = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(written) <= MOST_RADII:
        raise InputError(
            f"ε must be a list of 1 to {MOST_RADII} radii with commas between them, such as "
            f"1/255, 2/255; got {len(written)}."
        )
    radii = tuple(_read_radius(part, norm) for part in written)
    for (one, first), (other, second) in combinations(zip(radii, written, strict=True), 2):
        if abs(one - other) < _SAME:
            raise InputError(
                f"ε must name each radius once, got {quote(first)} and {quote(second)}."
            )
    return radii


def data_name(request: RunRequest) -> str:
    """The images as a page may name them: a folder goes by its last name."""
    folder = own_folder()
    return folder.name if request.data == FOLDER and folder is not None else request.data


def command(request: RunRequest, files: Mapping[str, Path]) -> str:
    """What makes the same figures without the app.

    Files and folders go by their last names: a page may be seen by others than who started it.
    """
    bundled = bundle.bundled_models()
    models = [
        name if files[name] == bundled.get(name) else "/".join(files[name].parts[-2:])
        for name in request.models
    ]
    words = ["advprop", "evaluate", "--model", ",".join(models), "--data", data_name(request)]
    if not all(bundle.says_all_itself(str(files[name])) for name in request.models):
        words += model_settings().options
    words += _attack_options(request)
    if request.severities:
        levels = map(str, request.severities)
        words += ["--corruptions", "all", "--severity", ",".join(levels)]
    if request.probed:
        words += ["--probe", "all"]
    if request.limit:
        words += ["--smallest-epsilon", exact_radius(request.limit)]
    return shlex.join([*words, "--limit", str(request.images)])


def _read_radius(text: str, norm: Norm) -> float:
    try:
        value = parse_radius(text)
    except ValueError:
        raise InputError(
            f"ε must be a fraction such as 2/255 or a number such as 0.5, got {quote(text)}."
        ) from None
    if value == 0:
        raise InputError(f"ε must be above 0, got {quote(text)}: clean images are measured anyway.")
    if norm == "linf" and value > 1:
        raise InputError(
            f"ε must lie between 0 and 1 for L∞, got {quote(text)}: write it as "
            f"{quote(f'{text}/255')} if that is what you mean."
        )
    AttackConfig.fgsm(value, norm=norm)  # refuses what is below 0 or too far
    return value


def _attack_options(request: RunRequest) -> list[str]:
    if not request.kinds:
        return []
    radii = ",".join(map(exact_radius, request.radii))
    options = ["--attack", ",".join(request.kinds), "--epsilon", radii]
    if request.norm != "linf":
        options += ["--norm", request.norm]
    if _takes_steps(request.kinds):
        options += ["--steps", str(request.steps)]
    if request.restarts > 1:
        options += ["--restarts", str(request.restarts)]
    if request.through_each:
        options += ["--attack-branch", "each"]
    if request.sanity:
        options += ["--sanity"]
    return options


def _takes_steps(kinds: Sequence[str]) -> bool:
    """Whether an attack among these takes more than one."""
    return bool({*kinds} - {"fgsm", AUTOATTACK})
