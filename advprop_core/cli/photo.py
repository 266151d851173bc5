"""One photo: ``predict``, ``attack``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli.fields import Folder, option_set, with_options
from advprop_core.cli.options import (
    AimOptions,
    AnswerOptions,
    AttackOptions,
    ModelOptions,
    ReportOptions,
)
from advprop_core.cli.output import Report, make_folder

if TYPE_CHECKING:
    from advprop_core.cli.subject import Subject


@option_set
class PhotoOptions(ReportOptions, AnswerOptions, ModelOptions):
    """Of commands for one photo."""

    image: Annotated[Path, typer.Argument(metavar="IMAGE")]
    """A photo: JPEG, PNG, WebP, AVIF, TIFF …"""

    def open_subject(self) -> Subject:
        """The photo and the model, opened and checked against each other."""
        from advprop_core.cli.subject import open_subject

        return open_subject(self.image, self.model, self.settings, self)


@option_set
class _PredictOptions(PhotoOptions):
    top: Annotated[int, typer.Option(min=1, metavar="K")] = 5
    """How many classes to list."""


@with_options
def predict(options: _PredictOptions) -> None:
    """Print what every branch predicts for a photo.

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


@option_set
class _AttackPhotoOptions(AimOptions, AttackOptions, PhotoOptions):
    out: Folder
    """Folder for the results. It is created if needed, and its files are overwritten."""


@with_options
def attack(options: _AttackPhotoOptions) -> None:
    r"""Perturb a photo so that a branch predicts a wrong class.

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
    from advprop_core.compare.bundles.write import picture_arrays
    from advprop_core.pictures import decoding
    from advprop_core.report import drawing
    from advprop_core.report.colours import amplification

    subject = options.open_subject()
    config = subject.aim(config, options)
    result = subject.run(subject.experiment(config, options.attack_branch))
    arrays = picture_arrays(result)
    factor = amplification(arrays["perturbation"])
    decoding.to_image(result.adversarial).save(folder / "adversarial.png")
    drawing.perturbation_image(arrays["perturbation"], factor).save(folder / "perturbation.png")
    content = subject.manifest(result, config) | {"perturbation_factor": factor}
    subject.tell(report, result, config)
    report.say(f"perturbation.png shows the perturbation × {factor} on mid-grey")
    report.save(folder, "adversarial.png, perturbation.png", arrays, content)
    report.finish(content)
