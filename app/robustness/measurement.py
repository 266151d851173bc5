"""What the Robustness page asks to be measured; loads no torch."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.named import STEPLESS, attack_grid, gradient_attack, read_radii
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.models import bundle
from advprop_core.models.class_names import match_classes
from advprop_core.pictures.corruptions import CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.probes import PROBES, ProbeConfig
from advprop_core.text import exact_radius
from advprop_core.types import AttackConfig, ModelInfo, Norm
from app.language.text import N_, _, join, listing, paragraph
from app.robustness.view import RobustnessView
from app.shell import cache, network_files, samples
from app.shell.messages import quote
from app.shell.pictures import own_folder
from app.shell.samples import class_folders, folder_fits

FOLDER = "folder"
DATA = {
    "shapes": N_("Drawn scenes"),
    "shapes-conflict": N_("Scenes with the texture of another class"),
    FOLDER: N_("Photos of your folder"),
}
SEED = 0
MOST_RADII = 12
LIMITS: Mapping[Norm, float] = {"linf": 16 / 255, "l2": 4.0}
_NAMED = 6  # classes, of many
_SEARCHES = 10  # attacks that a search for the smallest radius takes, about
_CHECK_STEPS = 20  # of PGD without a limit, see evaluation/masking.py


@dataclass(frozen=True)
class RunRequest:
    """All that decides a run; equal requests share one job.

    Attributes:
        models: Names of the networks.
        kinds: Of attacks; what else is not described here is as in
            :class:`~app.robustness.view.RobustnessView`.
        radii: In pixel units; empty without an attack.
        steps: None where no attack takes several.
        severities: Of the 15 corruptions; empty without any.
        limit: Up to which radius the smallest one that fools the branch is searched; 0 for no
            search.
    """

    models: tuple[str, ...]
    data: str
    images: int
    kinds: tuple[str, ...] = ()
    norm: Norm = "linf"
    radii: tuple[float, ...] = ()
    steps: int | None = None
    restarts: int = 1
    through_each: bool = False
    sanity: bool = False
    severities: tuple[int, ...] = ()
    probed: bool = False
    limit: float = 0.0

    @property
    def attacks(self) -> tuple[AttackConfig | AutoAttackConfig, ...]:
        """Every kind at every radius."""
        return tuple(attack_grid(self.kinds, self.norm, self.radii, steps=self.steps, seed=SEED))

    @property
    def corruptions(self) -> tuple[CorruptionConfig, ...]:
        """Every kind at every severity."""
        return tuple(
            CorruptionConfig(kind, level, SEED) for kind in CORRUPTIONS for level in self.severities
        )

    @property
    def probes(self) -> tuple[ProbeConfig, ...]:
        """Every kind at its usual strengths."""
        usual = PROBES.items() if self.probed else ()
        return tuple(
            ProbeConfig(kind, strength, SEED) for kind, strengths in usual for strength in strengths
        )

    @property
    def search(self) -> AttackConfig | None:
        """PGD at the largest radius that is tried, or None where none is searched for."""
        if not self.limit:
            return None
        return gradient_attack("pgd", self.norm, self.limit, steps=self.steps, seed=SEED)


def request_of(view: RobustnessView) -> RunRequest:
    """The run that a view asks for.

    Raises:
        InputError: If no network is chosen, or a radius cannot be used.
    """
    if not view.tested:
        raise InputError(_("No network is chosen. Choose at least one."))
    if view.corrupted and not view.severities:
        raise InputError(_("No severity of the corruptions is chosen. Choose at least one."))
    kinds = view.attacks
    norm = cast("Norm", view.ball if kinds else "linf")
    written = [text for text in view.radii.split(",") if text.strip()] if kinds else []
    if kinds and not 1 <= len(written) <= MOST_RADII:
        sentence = _("ε must be a list of 1 to {most} radii, got {count}.")
        raise InputError(sentence.format(most=MOST_RADII, count=len(written)))
    request = RunRequest(
        view.tested,
        view.data,
        view.images,
        kinds,
        norm,
        read_radii(written, norm, "ε"),
        steps=None if {*kinds} <= {*STEPLESS} else view.attack_steps,
        restarts=view.restarts if "pgd" in kinds else 1,
        through_each=bool(kinds) and view.through_each,
        sanity=bool(kinds) and view.sanity,
        severities=tuple(sorted(map(int, view.severities))) if view.corrupted else (),
        probed=view.probed,
        limit=LIMITS[norm] if view.searched else 0.0,
    )
    len(request.attacks)  # refuses radii that are too large
    return request


def passes(request: RunRequest, infos: Mapping[str, ModelInfo]) -> dict[str, int]:
    """Network to at most about so many, forwards or backwards; AutoAttack's cannot be foretold.

    It may be fewer: restarts leave out images that are fooled, and what earlier runs measured is
    not measured again.
    """
    attacks = [config for config in request.attacks if isinstance(config, AttackConfig)]
    # Of one image through one branch.
    each = 1 + len(request.corruptions) + len(request.probes)
    each += sum(_of_attack(config, request.restarts) for config in attacks)
    if request.search is not None:
        each += _SEARCHES * _of_attack(request.search)
    if request.sanity:
        each += len(request.radii) + 2 * _CHECK_STEPS + 1
    counts = {}
    for name in request.models:
        branches = len(infos[name].branches)
        # What was made through one branch is shown to the others too.
        shown = len(attacks) * (branches - 1) if request.through_each else 0
        counts[name] = request.images * branches * (each + shown)
    return counts


def _of_attack(config: AttackConfig, restarts: int = 1) -> int:
    """Each step goes forwards and backwards; the answer takes one pass more."""
    starts = restarts if config.random_start else 1
    return starts * (2 * config.steps + 1)


def data_for(infos: Mapping[str, ModelInfo]) -> dict[str, str]:
    """The images that every one of these networks knows the classes of: key to title."""
    all_scenes = all(tuple(info.class_ids) == SHAPES for info in infos.values())
    fits_folder = all(folder_fits(info) for info in infos.values())
    fits = {"shapes": all_scenes, "shapes-conflict": all_scenes, FOLDER: fits_folder}
    given = {
        key: _("Photos of {title}", title=title)
        for key, title in samples.offered().items()
        if all(match_classes(info.classes, samples.classes_of(key)) for info in infos.values())
    }
    return {key: title for key, title in DATA.items() if fits[key]} | given


def no_data(infos: Mapping[str, ModelInfo]) -> str:
    """Why there are no images for these networks, and what to do."""
    names = join([quote(name) for name in infos])
    if len({info.class_ids for info in infos.values()}) > 1:
        return _(
            "{names} know different classes: measure networks of the same classes together.",
            names=names,
        )
    classes = next(iter(infos.values())).class_names
    sentences = [
        _(
            "There are no images of the classes that {names} can tell apart: {classes}.",
            names=names,
            classes=listing([quote(name) for name in classes], _NAMED),
        )
    ]
    if folder_classes := class_folders()[:_NAMED]:
        other_classes = _("The folder of this app has others: {classes}.")
        sentences.append(
            other_classes.format(classes=join([quote(name) for name in folder_classes]))
        )
    sentences.append(
        _(
            "Start the app with `advprop app --images FOLDER`, where FOLDER has a folder of "
            "photos for each class, named like the class. Or upload a zip of such folders under "
            "Test images."
        )
    )
    return paragraph(sentences)


def data_name(request: RunRequest) -> str:
    """The images as a page may name them: a folder goes by its last name."""
    folder = folder_of(request)
    return request.data if folder is None else folder.name


def folder_of(request: RunRequest) -> Path | None:
    """Where the photos lie; None where images are drawn.

    Raises:
        InputError: If the server no longer keeps them.
    """
    if request.data == FOLDER:
        return own_folder()
    if request.data in DATA:
        return None
    folder = cache.photo_sets().get(request.data)
    if folder is None:
        raise InputError(_("the server no longer keeps these photos: give the zip again"))
    return folder


def command(request: RunRequest, files: Mapping[str, Path]) -> str:
    """What makes the same figures without the app.

    Files and folders go by their last names: a page may be seen by others than who started it.
    """
    bundled, models = bundle.bundled_models(), []
    for name in request.models:
        file = files[name]
        shown = file.name if network_files.was_opened(name) else "/".join(file.parts[-2:])
        models.append(name if file == bundled.get(name) else shown)
    words = ["advprop", "evaluate", "--model", ",".join(models), "--data", data_name(request)]
    if not all(bundle.says_all_itself(str(files[name])) for name in request.models):
        words += cache.model_settings().options
    options = {
        "--attack": ",".join(request.kinds),
        "--epsilon": ",".join(map(exact_radius, request.radii)),
        "--norm": request.norm if request.norm != "linf" else "",
        "--steps": request.steps,
        "--restarts": request.restarts if request.restarts > 1 else 0,
        "--attack-branch": "each" if request.through_each else "",
    }
    further = {
        "--corruptions": "all" if request.severities else "",
        "--severity": ",".join(map(str, request.severities)),
        "--probe": "all" if request.probed else "",
        "--smallest-epsilon": exact_radius(request.limit) if request.limit else "",
        "--limit": request.images,
    }
    flags = ["--sanity"] if request.sanity else []
    return shlex.join([*words, *_given(options), *flags, *_given(further)])


def _given(options: Mapping[str, str | float | None]) -> Iterator[str]:
    """Those options that have a value, each before it."""
    for option, value in options.items():
        if value:
            yield from (option, str(value))
