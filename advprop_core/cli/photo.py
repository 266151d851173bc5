"""One photo: ``predict``, ``attack``, ``compare``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from advprop_core.attribution.methods import METHODS
from advprop_core.cli import options as o
from advprop_core.cli import values
from advprop_core.cli.model_options import with_model_settings
from advprop_core.cli.output import (
    Report,
    class_json,
    make_folder,
    prediction_json,
    save_arrays,
    write_json,
)
from advprop_core.errors import InputError
from advprop_core.models.settings import ModelSettings

MethodOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Map: grad-cam, saliency, integrated-gradients, smoothgrad or any other that "
        "`advprop explain --help` lists.",
    ),
]


@with_model_settings
def predict(
    image: o.ImageArgument,
    model: o.ModelOption,
    branch: o.BranchOption = None,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="How many classes to list.")] = 5,
    true_class: o.TrueClassOption = None,
    *,
    settings: ModelSettings,
    json_file: o.JsonOption = None,
) -> None:
    """Say what every branch sees in a photo.

    ```
    advprop predict church.jpg --model imagenette-advprop
    advprop predict church.jpg --model net.pth --arch resnet18 --json -
    ```
    """
    report = Report(json_file)
    from advprop_core.cli.inputs import open_subject
    from advprop_core.cli.words import prediction_table
    from advprop_core.predict import predict as ask

    subject = open_subject(image, model, settings=settings, branch=branch, true_class=true_class)
    answers = {name: ask(module, subject.pixels)[0] for name, module in subject.modules().items()}
    report.show(prediction_table(subject.info, answers, top, subject.true_class))
    report.finish(
        {
            **subject.to_json(),
            "predictions": {
                name: prediction_json(subject.info, prediction, top)
                for name, prediction in answers.items()
            },
        }
    )


@with_model_settings
def attack(
    image: o.ImageArgument,
    model: o.ModelOption,
    out: o.OutOption,
    attack: o.AttackOption = "pgd",
    norm: o.NormOption = "linf",
    epsilon: o.EpsilonOption = None,
    step_size: o.StepSizeOption = None,
    steps: o.StepsOption = None,
    attack_branch: o.AttackBranchOption = None,
    branch: o.BranchOption = None,
    target_class: o.TargetClassOption = None,
    true_class: o.TrueClassOption = None,
    seed: o.SeedOption = 0,
    *,
    settings: ModelSettings,
    json_file: o.JsonOption = None,
) -> None:
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
    report, folder = Report(json_file), make_folder(out)
    config = values.read_attack(
        attack, norm=norm, epsilon=epsilon, step_size=step_size, steps=steps, seed=seed
    )
    from advprop_core.cli.inputs import open_subject
    from advprop_core.cli.perturb import aim, image_arrays, manifest, perturb, tell
    from advprop_core.pictures import decoding
    from advprop_core.report import drawing
    from advprop_core.report.colours import amplification

    subject = open_subject(image, model, settings=settings, branch=branch, true_class=true_class)
    config = aim(config, subject, target_class)
    result = perturb(subject, config, attack_branch)
    arrays = image_arrays(result)
    factor = amplification(arrays["perturbation"])
    decoding.to_image(result.adversarial).save(folder / "adversarial.png")
    drawing.perturbation_image(arrays["perturbation"], factor).save(folder / "perturbation.png")
    save_arrays(folder / "arrays.npz", arrays)
    content = manifest(subject, result, config) | {"perturbation_factor": factor}
    tell(report, subject, result, config)
    report.say(f"perturbation.png shows the perturbation × {factor} on mid-grey")
    write_json(folder / "manifest.json", content)
    report.say(f"wrote adversarial.png, perturbation.png, arrays.npz, manifest.json to {folder}")
    report.finish(content)


@with_model_settings
def compare(
    image: o.ImageArgument,
    model: o.ModelOption,
    out: o.OutOption,
    attack: o.AttackOption = "pgd",
    norm: o.NormOption = "linf",
    epsilon: o.EpsilonOption = None,
    step_size: o.StepSizeOption = None,
    steps: o.StepsOption = None,
    attack_branch: o.AttackBranchOption = None,
    branch: o.BranchOption = None,
    target_class: o.TargetClassOption = None,
    true_class: o.TrueClassOption = None,
    method: MethodOption = "grad-cam",
    layer: o.LayerOption = None,
    class_index: o.ClassOption = None,
    seed: o.SeedOption = 0,
    *,
    settings: ModelSettings,
    json_file: o.JsonOption = None,
) -> None:
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
    report, folder = Report(json_file), make_folder(out)
    config = values.read_attack(
        attack, norm=norm, epsilon=epsilon, step_size=step_size, steps=steps, seed=seed
    )
    from advprop_core.cli.inputs import open_subject
    from advprop_core.cli.perturb import aim, comparison_arrays, manifest, perturb, tell
    from advprop_core.cli.words import describe_attack, describe_facts, outcome
    from advprop_core.compare.compare import MapRequest
    from advprop_core.report.comparison_sheet import Captions, draw_comparison

    if method not in METHODS:
        raise InputError(f"--method must be one of {', '.join(METHODS)}, got {method!r}")
    subject = open_subject(image, model, settings=settings, branch=branch, true_class=true_class)
    config = aim(config, subject, target_class)
    explained = None
    if class_index is not None:
        explained = values.read_class(subject.info, class_index, "--class-index")
    result = perturb(subject, config, attack_branch, MapRequest(method, layer, explained, seed))
    names = subject.info.class_names
    captions = Captions(
        f"{subject.info.name or model} on {image.name}",
        outcome(result, names),
        describe_attack(config, result.attack_branch or ""),
        describe_facts(result.facts),
        names,
    )
    draw_comparison(result, captions).save(folder / "comparison.png")
    save_arrays(folder / "arrays.npz", comparison_arrays(result))
    maps: dict[str, Any] = {"method": method, "layer": layer, "seed": seed}
    if drawn := next(iter(result.maps.values()), None):
        maps["layer"] = drawn.layer
        maps["class"] = class_json(subject.info, drawn.class_index)
    else:
        maps["refused"] = result.maps_refused
    content = manifest(subject, result, config) | {"maps": maps}
    write_json(folder / "manifest.json", content)
    tell(report, subject, result, config)
    if result.maps_refused:
        report.say(f"no {method} maps: {result.maps_refused}")
    report.say(f"wrote comparison.png, arrays.npz and manifest.json to {folder}")
    report.finish(content)
