"""One photo: ``predict``, ``attack``, ``compare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advprop_core.attribution.methods import METHODS
from advprop_core.cli.options import (
    AimOptions,
    AnswerOptions,
    AttackOptions,
    ModelOptions,
    ReportOptions,
    with_options,
)
from advprop_core.cli.output import Report, make_folder, save_arrays, write_json
from advprop_core.cli.values import read_class
from advprop_core.errors import InputError

if TYPE_CHECKING:
    from advprop_core.cli.subject import Subject


@dataclass(frozen=True, kw_only=True)
class _Photo(ReportOptions, AnswerOptions, ModelOptions):
    image: Annotated[Path, typer.Argument(metavar="IMAGE")]
    """A photo: JPEG, PNG, WebP, AVIF, TIFF …"""

    def open_subject(self) -> Subject:
        """The photo and the model, opened and checked against each other."""
        from advprop_core.cli.subject import open_subject

        return open_subject(self.image, self.model, self.settings, self)


@dataclass(frozen=True, kw_only=True)
class _AttackedPhoto(AimOptions, AttackOptions, _Photo):
    out: Annotated[Path, typer.Option(metavar="DIR")]
    """Folder for the results; made if need be, and overwritten."""


@dataclass(frozen=True, kw_only=True)
class _PredictOptions(_Photo):
    top: Annotated[int, typer.Option(min=1, metavar="K")] = 5
    """How many classes to list."""


@with_options
def predict(options: _PredictOptions) -> None:
    """Say what every branch sees in a photo.

    ```
    advprop predict church.jpg --model imagenette-advprop
    advprop predict church.jpg --model net.pth --arch resnet18 --json -
    ```
    """
    report = Report(options.json_file)
    from advprop_core.cli.subject import prediction_json, prediction_table
    from advprop_core.predict import predict as ask

    subject = options.open_subject()
    answers = {name: ask(module, subject.pixels)[0] for name, module in subject.modules().items()}
    report.show(prediction_table(subject, answers, options.top))
    predictions = {
        name: prediction_json(subject.info, prediction, options.top)
        for name, prediction in answers.items()
    }
    report.finish(subject.to_json() | {"predictions": predictions})


@with_options
def attack(options: _AttackedPhoto) -> None:
    r"""Perturb a photo so that a branch errs.

    Writes to --out: adversarial.png (at the model's own size, rounded to 8 bits),
    perturbation.png (amplified; the factor is printed), arrays.npz (clean, adversarial and
    perturbation, float32 in [0, 1], (3, H, W)) and manifest.json.

    ```
    advprop attack church.jpg --model imagenette-advprop --out out
    advprop attack church.jpg --model imagenette-advprop --attack fgsm \
        --epsilon 8/255 --attack-branch aux --target-class tench --out out
    ```
    """
    report, folder = Report(options.json_file), make_folder(options.out)
    config = options.read_attack()
    from advprop_core.cli.subject import image_arrays
    from advprop_core.pictures import decoding
    from advprop_core.report import drawing
    from advprop_core.report.colours import amplification

    subject = options.open_subject()
    config = subject.aim(config, options)
    result = subject.compare(config, options.attack_branch)
    arrays = image_arrays(result)
    factor = amplification(arrays["perturbation"])
    decoding.to_image(result.adversarial).save(folder / "adversarial.png")
    drawing.perturbation_image(arrays["perturbation"], factor).save(folder / "perturbation.png")
    save_arrays(folder / "arrays.npz", arrays)
    content = subject.manifest(result, config) | {"perturbation_factor": factor}
    subject.tell(report, result, config)
    report.say(f"perturbation.png shows the perturbation × {factor} on mid-grey")
    write_json(folder / "manifest.json", content)
    report.say(f"wrote adversarial.png, perturbation.png, arrays.npz, manifest.json to {folder}")
    report.finish(content)


@dataclass(frozen=True, kw_only=True)
class _CompareOptions(_AttackedPhoto):
    method: Annotated[str, typer.Option(metavar="NAME")] = "grad-cam"
    """Map: grad-cam, saliency, integrated-gradients, smoothgrad or any other that
    `advprop explain --help` lists."""
    layer: Annotated[str | None, typer.Option(metavar="NAME")] = None
    """Layer that grad-cam reads, such as s3 or layer4.1. By default the deepest stage whose map has
    at least 5×5 cells."""
    class_index: Annotated[str | None, typer.Option(metavar="CLASS")] = None
    """Class whose score the maps explain, the same in all of them: name, id or index. By default
    the true class; where that is not known, the class that was predicted for the clean photo."""


@with_options
def compare(options: _CompareOptions) -> None:
    r"""Perturb a photo, ask every branch, and map where each looked: the app without a browser.

    Writes to --out: comparison.png (photos, predictions and maps on one page), arrays.npz
    (clean, adversarial, perturbation, and of each branch logits and maps, as float32) and
    manifest.json (inputs, settings, versions, predictions and measured figures).

    ```
    advprop compare church.jpg --model imagenette-advprop --out out
    advprop compare church.jpg --model imagenette-advprop --attack pgd \
        --norm linf --epsilon 4/255 --steps 10 --out out --json out.json
    ```
    """
    report, folder = Report(options.json_file), make_folder(options.out)
    config = options.read_attack()
    from advprop_core.cli import subject as of
    from advprop_core.compare.compare import MapRequest
    from advprop_core.report.comparison_sheet import Captions, draw_comparison

    if options.method not in METHODS:
        raise InputError(f"--method must be one of {', '.join(METHODS)}, got {options.method!r}")
    subject = options.open_subject()
    info, config = subject.info, subject.aim(config, options)
    explained = read_class(info, options.class_index, "--class-index")
    maps = MapRequest(options.method, options.layer, explained, options.seed)
    result = subject.compare(config, options.attack_branch, maps)
    captions = Captions(
        subject.title,
        of.outcome(result, info.class_names),
        of.describe_attack(config, result.attack_branch),
        of.describe_facts(result),
        info.class_names,
    )
    draw_comparison(result, captions).save(folder / "comparison.png")
    arrays = of.image_arrays(result)
    arrays |= {f"logits_{k}_{b}": p.logits.numpy() for (k, b), p in result.predictions.items()}
    arrays |= {f"map_{k}_{b}": m.values.numpy() for (k, b), m in result.maps.items()}
    save_arrays(folder / "arrays.npz", arrays)
    drawn_maps: dict[str, Any] = {
        "method": options.method,
        "layer": options.layer,
        "seed": options.seed,
    }
    if drawn := next(iter(result.maps.values()), None):
        drawn_maps["layer"] = drawn.layer
        drawn_maps["class"] = of.class_json(info, drawn.class_index)
    else:
        drawn_maps["refused"] = result.maps_refused
    content = subject.manifest(result, config) | {"maps": drawn_maps}
    write_json(folder / "manifest.json", content)
    subject.tell(report, result, config)
    if result.maps_refused:
        report.say(f"no {options.method} maps: {result.maps_refused}")
    report.say(f"wrote comparison.png, arrays.npz and manifest.json to {folder}")
    report.finish(content)
