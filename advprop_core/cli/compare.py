"""``compare``: one photo, clean and perturbed, and what every branch makes of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from advprop_core.attribution.methods import METHODS
from advprop_core.cli.fields import ClassName, File, Folder, Name, Number, option_set, with_options
from advprop_core.cli.options import AimOptions, AttackOptions
from advprop_core.cli.output import Json, Report, make_folder, try_file
from advprop_core.cli.photo import PhotoOptions
from advprop_core.cli.values import read_choice, read_class
from advprop_core.errors import InputError
from advprop_core.files import write_whole
from advprop_core.models.class_names import class_json
from advprop_core.pictures.regions import FILLS, EraseConfig, parse_regions
from advprop_core.types import AttackConfig, Comparison

if TYPE_CHECKING:
    from advprop_core.cli.subject import Subject
    from advprop_core.compare.experiment import Experiment, Perturbation

_OWN, _NOTHING = "own", "none"


@option_set
class _PerturbationOptions(AttackOptions):
    """How a photo is changed: an attack, a noise, erased parts, or not at all."""

    attack: Annotated[str, "KIND"] = "pgd"
    """pgd (random start), i-fgsm (no random start), fgsm (one step of size epsilon); or none, to
    leave the photo as it is."""
    noise: Annotated[str | None, "KIND"] = None
    """Random noise instead of an attack: gaussian, poisson or salt-and-pepper."""
    severity: Annotated[float, "S"] = 0.1
    """Strength of the noise, in [0, 1]: standard deviation, or share of pixels for
    salt-and-pepper."""
    erase: Annotated[str | None, "REGIONS"] = None
    """Parts to erase instead of an attack: left.top.width.height in thousandths of the side, with _
    between several parts."""
    fill: Annotated[str, "KIND"] = "grey"
    """What erased parts are filled with: grey, black or blur."""

    def read_perturbation(self) -> Perturbation | None:
        """What the options describe; None where the photo is left as it is.

        Raises:
            InputError: For a value that cannot be, or options of several kinds.
        """
        given = {
            "--noise": self.noise is not None,
            "--erase": self.erase is not None,
            "--attack": self.attack != "pgd" or self._has_attack_options,
        }
        kinds = [option for option, is_given in given.items() if is_given]
        if len(kinds) > 1:
            raise InputError(
                f"{kinds[0]} and options of {kinds[1]} cannot be combined: a photo is perturbed in "
                "one way only"
            )
        if self.noise is not None:
            from advprop_core.pictures.noise import NoiseConfig  # here: it loads torch

            return NoiseConfig(self.noise, self.severity, self.seed)
        if self.erase is not None:
            fill = read_choice(self.fill, FILLS, "--fill")
            return EraseConfig(parse_regions(self.erase), fill)
        if self.attack != _NOTHING:
            return self.read_attack()
        if self._has_attack_options:
            raise InputError(
                "--attack none takes no --epsilon, --step-size, --steps or --norm: leave them out"
            )
        return None

    @property
    def _has_attack_options(self) -> bool:
        numbers = (self.epsilon, self.step_size, self.steps)
        return self.norm != "linf" or any(number is not None for number in numbers)


@option_set
class _CompareOptions(AimOptions, _PerturbationOptions, PhotoOptions):
    out: Folder | None = None
    """Folder for the results. It is created if needed, and its files are overwritten."""
    bundle: File | None = None
    """A .zip file with everything that is needed to repeat the comparison. `advprop replay FILE`
    checks that the numbers are the same."""
    method: Name = "grad-cam"
    """Map: grad-cam, saliency, integrated-gradients, smoothgrad or any other that
    `advprop explain --help` lists."""
    layer: Name | None = None
    """Layer that grad-cam reads, such as s3 or layer4.1. By default the deepest stage whose map has
    at least 5×5 cells."""
    class_index: ClassName | None = None
    """Class that all maps explain: name, id or index. With own, each map explains its branch's own
    answer to its photo. By default the true class or, if it is not known, the class predicted for
    the clean photo."""
    map_seed: Number | None = None
    """Seed for maps that use random numbers. By default the value of --seed."""

    def check_places(self) -> None:
        """Refuse places that cannot be written, before any work is done."""
        if self.out is None and self.bundle is None:
            raise InputError(
                "give --out DIR, --bundle FILE.zip or both: where to write the results"
            )
        if self.out is not None:
            make_folder(self.out)
        if self.bundle is not None:
            if self.bundle.suffix.lower() != ".zip":
                raise InputError(f"--bundle must be a .zip file, got {self.bundle}")
            try_file(self.bundle, "--bundle")


@with_options
def compare(options: _CompareOptions) -> None:
    r"""Perturb a photo, ask every branch, and map where each looked: the app without a browser.

    Writes to --out: comparison.png (photos, predictions and maps on one page), arrays.npz
    (clean, adversarial, perturbation, and of each branch logits and maps, as float32) and
    manifest.json (inputs, settings, versions, predictions and measured figures).

    Writes to --bundle one file with the photo, the perturbed photo (as 8-bit PNG and as exact
    values), every answer, the maps, digests, versions, seeds and the command that repeats the
    comparison.

    ```
    advprop compare church.jpg --model imagenette-advprop --out out
    advprop compare church.jpg --model imagenette-advprop --attack pgd \
        --norm linf --epsilon 4/255 --steps 10 --out out --json out.json
    advprop compare church.jpg --model imagenette-advprop --noise gaussian --severity 0.2 \
        --bundle church.zip
    ```
    """
    report = Report(options.json_file)
    options.check_places()
    perturbation = options.read_perturbation()
    from advprop_core.compare.bundles.network import Source
    from advprop_core.compare.bundles.write import (
        Record,
        logit_arrays,
        picture_arrays,
        write_bundle,
    )
    from advprop_core.compare.compare import MapRequest
    from advprop_core.pictures.decoding import encode_png
    from advprop_core.report.comparison_sheet import draw_comparison

    read_choice(options.method, METHODS, "--method")  # refused before the network is opened
    subject = options.open_subject()
    if isinstance(perturbation, AttackConfig):
        perturbation = subject.aim(perturbation, options)
    elif options.target_class is not None:
        raise InputError("--target-class is for an attack: leave it out, or name an --attack")
    seed = options.seed if options.map_seed is None else options.map_seed
    explained: int | Literal["own"] | None = "own"
    # A class of that name goes before the word.
    if options.class_index != _OWN or _OWN in (*subject.info.class_ids, *subject.info.class_names):
        explained = read_class(subject.info, options.class_index, "--class-index")
    request = MapRequest(options.method, options.layer, explained, seed)
    experiment = subject.experiment(perturbation, options.attack_branch, request)
    result = subject.run(experiment)
    content = subject.manifest(result, perturbation)
    content["maps"] = _maps_json(subject, experiment, result)
    names = subject.info.class_names
    sheet = draw_comparison(result, perturbation, subject.title, names)
    subject.tell(report, result, perturbation)
    if result.maps_refused:
        report.say(f"no {options.method} maps: {result.maps_refused}")
    if options.out is not None:
        sheet.save(options.out / "comparison.png")
        maps = {f"map_{k}_{b}": drawn.values.numpy() for (k, b), drawn in result.maps.items()}
        arrays = picture_arrays(result) | logit_arrays(result) | maps
        report.save(options.out, "comparison.png", arrays, content)
    if options.bundle is not None:
        source = Source.opened(subject.model_name, subject.checkpoint, options.settings)
        title, data = subject.image.name, subject.data
        record = Record(experiment, result, source, title, data, encode_png(sheet))
        write_whole(options.bundle, write_bundle(record))
        report.say(f"wrote {options.bundle}; `advprop replay {options.bundle}` repeats it")
    report.finish(content)


def _maps_json(subject: Subject, experiment: Experiment, result: Comparison) -> Json:
    """Which maps there are, or why there are none."""
    assert experiment.maps is not None
    request = asdict(experiment.maps)
    explained = request.pop("class_index")
    if not result.maps:
        return request | {"refused": result.maps_refused}
    classes = {
        f"{kind}_{branch}": class_json(subject.info, drawn.class_index)
        for (kind, branch), drawn in result.maps.items()
    }
    request["layer"] = next(iter(result.maps.values())).layer
    if explained == _OWN:
        return request | {"classes": classes}
    return request | {"class": next(iter(classes.values()))}
