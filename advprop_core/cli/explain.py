"""Where each branch looks: ``explain``, in one photo or over a built-in data set."""

from collections.abc import Iterable

from advprop_core.cli.fields import with_options
from advprop_core.cli.map_options import ExplainOptions
from advprop_core.cli.output import Report
from advprop_core.errors import InputError


@with_options
def explain(options: ExplainOptions) -> None:
    r"""Map where each branch looks, in a photo; or measure it over scenes with known objects.

    **A photo.** Writes to --out: maps.png (all maps on one page), a PNG per map
    (METHOD_BRANCH.png; with several layers METHOD_LAYER_BRANCH.png; of the attacked photo
    ending in _adversarial) and per difference (METHOD_main-minus-aux.png,
    METHOD_BRANCH_clean-minus-adversarial.png), arrays.npz (the same as float32, (H, W), signed
    and unscaled) and manifest.json. All maps explain the same class. Maps of one method and
    layer share one colour scale. It goes from purple (nothing) to yellow (much). For signed maps
    it goes from blue (negative) through white to orange (positive). Positive values mostly speak
    for the class.

    ```
    advprop explain church.jpg --model imagenette-advprop --out out
    advprop explain church.jpg --model imagenette-advprop --method all --metrics --out out
    advprop explain church.jpg --model imagenette-advprop --layer stages \
        --method grad-cam,layer-cam --branch aux --class-index tench --out out
    advprop explain church.jpg --model imagenette-advprop --method smoothgrad \
        --attack pgd --epsilon 4/255 --attack-branch main --out out
    ```

    **A data set.** In shapes and shapes-conflict, the pixels of the object are known. For every
    model, branch and method, the command measures which share of the positive attribution lies on
    the object, and how often the largest value lies on it. It gives means, 95 % intervals and
    paired differences to the first line. The maps explain the true class of each scene.

    ```
    advprop explain shapes-conflict --model shapes-vanilla,shapes-advprop \
        --method smoothgrad,grad-cam --limit 100 --json shares.json
    ```
    """
    report = Report(options.json_file)
    choice, config = options.read_choice(), options.read_optional_attack()
    from advprop_core.datasets.texture_shapes.scenes import AGREEMENT

    if str(options.image) in AGREEMENT:
        photo_options = (options.out, options.class_index, options.true_class, options.attack)
        _refuse(
            (*photo_options, options.metrics or None),
            "--out, --class-index, --true-class, --attack and --metrics are for a photo",
            f"{options.image} is a data set",
        )
        from advprop_core.cli.explain_objects import explain_scenes

        explain_scenes(report, options, choice)
        return
    _refuse((options.limit,), "--limit is for a data set", f"{options.image} is a photo")
    from advprop_core.cli.explain_photo import explain_photo

    explain_photo(report, options, choice, config)


def _refuse(given: Iterable[object], rule: str, what: str) -> None:
    if any(value is not None for value in given):
        raise InputError(f"{rule}, and {what}")
