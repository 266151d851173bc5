"""Where each branch looks: ``explain``, in one photo or over a built-in data set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from advprop_core.attribution.methods import METHODS, STAGES
from advprop_core.cli import options as o
from advprop_core.cli import values
from advprop_core.cli.map_choice import ALL, read_choice
from advprop_core.cli.model_options import with_model_settings
from advprop_core.cli.output import Report, make_folder
from advprop_core.errors import InputError
from advprop_core.models.settings import ModelSettings
from advprop_core.types import AttackConfig

SubjectArgument = Annotated[
    Path,
    typer.Argument(
        metavar="IMAGE",
        help="A photo: JPEG, PNG, WebP, AVIF, TIFF … Or a built-in data set whose objects are "
        "known, shapes or shapes-conflict: then it is measured how much of the maps lies on them.",
    ),
]
MethodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help=f"Maps, repeated or with commas; grad-cam by default. {ALL}, or of "
        f"{', '.join(METHODS)}.",
    ),
]
LayersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        metavar="NAME",
        help="Layer that maps such as grad-cam read, such as s3 or layer4.1; repeated or with "
        f"commas, one map each; {STAGES} for every stage of the network. By default the deepest "
        "stage whose map has at least 5×5 cells.",
    ),
]
AttackOption = Annotated[
    str | None,
    typer.Option(
        "--attack",
        metavar="KIND",
        help="Explain the attacked photo too: pgd (random start), i-fgsm (no random start) or "
        "fgsm (one step of size epsilon). The clean photo alone by default.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for the maps of a photo; made if need be, and overwritten.",
    ),
]
MetricsOption = Annotated[
    bool,
    typer.Option(
        "--metrics", help="Measure how far each map can be trusted; some seconds per map."
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(metavar="PX", help="Side of occlusion's square; an eighth of the image."),
]
StrideOption = Annotated[
    int | None,
    typer.Option(metavar="PX", help="How far that square moves; half its side by default."),
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Random copies or masks of smoothgrad, vargrad (16), gradient-shap (64), rise (1000).",
    ),
]
ScenesOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Scenes of a built-in data set. By default 100."),
]


@with_model_settings
def explain(
    image: SubjectArgument,
    model: o.ModelsOption,
    out: OutOption = None,
    method: MethodsOption = None,
    layer: LayersOption = None,
    branch: o.BranchOption = None,
    class_index: o.ClassOption = None,
    metrics: MetricsOption = False,
    attack: AttackOption = None,
    norm: o.NormOption = "linf",
    epsilon: o.EpsilonOption = None,
    step_size: o.StepSizeOption = None,
    steps: o.StepsOption = None,
    attack_branch: o.AttackBranchOption = None,
    target_class: o.TargetClassOption = None,
    true_class: o.TrueClassOption = None,
    window: WindowOption = None,
    stride: StrideOption = None,
    samples: SamplesOption = None,
    limit: ScenesOption = None,
    seed: o.SeedOption = 0,
    *,
    settings: ModelSettings,
    json_file: o.JsonOption = None,
) -> None:
    r"""Map where each branch looks, in a photo; or measure it over scenes with known objects.

    **A photo.** Writes to --out: maps.png (all maps on one page), a PNG per map
    (METHOD_BRANCH.png; with several layers METHOD_LAYER_BRANCH.png; of the attacked photo
    ending in _adversarial) and per difference (METHOD_main-minus-aux.png,
    METHOD_BRANCH_clean-minus-adversarial.png), arrays.npz (the same as float32, (H, W), signed
    and unscaled) and manifest.json. All maps explain the same class. Those of one method and
    layer share one colour scale: from dark blue, nothing, to yellow, much; or for signed maps
    from blue, negative, through white to orange, positive, which mostly speaks for the class.

    ```
    advprop explain church.jpg --model imagenette-advprop --out out
    advprop explain church.jpg --model imagenette-advprop --method all --metrics --out out
    advprop explain church.jpg --model imagenette-advprop --layer stages \
        --method grad-cam,layer-cam --branch aux --class-index tench --out out
    advprop explain church.jpg --model imagenette-advprop --method smoothgrad \
        --attack pgd --epsilon 4/255 --attack-branch main --out out
    ```

    **A data set.** shapes and shapes-conflict say which pixels are the object. Of every model,
    branch and method: the mean share of the positive attribution inside it, how often the
    largest value lies on it, 95 % intervals, and paired differences to the first line. Each
    scene's true class is explained.

    ```
    advprop explain shapes-conflict --model shapes-vanilla,shapes-advprop \
        --method smoothgrad,grad-cam --limit 100 --json shares.json
    ```
    """
    report = Report(json_file)
    options = {"window": window, "stride": stride, "samples": samples}
    choice = read_choice(method, layer, options, seed)
    config = _read_attack(
        attack, norm, epsilon, step_size, steps, attack_branch, target_class, seed
    )
    from advprop_core.datasets.texture_shapes.scenes import AGREEMENT

    if str(image) in AGREEMENT:
        _refuse(
            (out, class_index, true_class, attack, metrics or None),
            "--out, --class-index, --true-class, --attack and --metrics are for a photo",
            f"{image} is a data set",
        )
        from advprop_core.cli.explain_objects import explain_scenes

        explain_scenes(
            report, str(image), model, choice, branch=branch, limit=limit, settings=settings
        )
        return
    names = values.split_list(model)
    _refuse((limit,), "--limit is for a data set", f"{image} is a photo")
    if len(names) != 1:
        raise InputError(f"--model must be one for a photo, got {', '.join(names) or 'none'}")
    if out is None:
        raise InputError("--out must name a folder for the maps of a photo")
    folder = make_folder(out)
    from advprop_core.cli.explain_photo import explain_photo
    from advprop_core.cli.inputs import open_subject
    from advprop_core.cli.perturb import aim

    subject = open_subject(image, names[0], settings=settings, branch=branch, true_class=true_class)
    explained = None
    if class_index is not None:
        explained = values.read_class(subject.info, class_index, "--class-index")
    explain_photo(
        report,
        folder,
        subject,
        choice,
        class_index=explained,
        config=config and aim(config, subject, target_class),
        attack_branch=attack_branch,
        metrics=metrics,
    )


def _read_attack(
    attack: str | None,
    norm: str,
    epsilon: str | None,
    step_size: str | None,
    steps: int | None,
    attack_branch: str | None,
    target_class: str | None,
    seed: int,
) -> AttackConfig | None:
    if attack is not None:
        return values.read_attack(
            attack, norm=norm, epsilon=epsilon, step_size=step_size, steps=steps, seed=seed
        )
    others = (epsilon, step_size, steps, attack_branch, target_class)
    if norm != "linf" or any(given is not None for given in others):
        raise InputError(
            "--norm, --epsilon, --step-size, --steps, --attack-branch and --target-class describe "
            "an attack: name it too, such as --attack pgd"
        )
    return None


def _refuse(given: Iterable[object], rule: str, what: str) -> None:
    if any(value is not None for value in given):
        raise InputError(f"{rule}, and {what}")
