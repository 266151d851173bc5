"""Which training images predictions rest on: ``influence``, of a photo or over a test set."""

from pathlib import Path

from advprop_core.cli import values
from advprop_core.cli.fields import with_options
from advprop_core.cli.influence_options import METHODS, InfluenceOptions
from advprop_core.cli.output import Report, make_folder
from advprop_core.errors import InputError, about


@with_options
def influence(options: InfluenceOptions) -> None:
    r"""Find the training images that affect a prediction most.

    The score of a training image is how much the loss of the prediction would rise without it:
    positive images help, negative ones harm. Features of the training images are computed once for
    each network and cached for this user.

    **A photo.** The command lists the most helpful and the most harmful training images for each
    branch. With --out it also draws them.

    ```
    advprop influence church.jpg --model imagenette-vanilla,imagenette-advprop \
        --train photos/train --out out
    advprop influence star.png --model runs/shapes/model.safetensors --train shapes \
        --method tracin --branch aux
    ```

    **A test set.** The command measures how often the most influential training image has the class
    of the test image, with 95 % intervals, by rank up to 100 and for each pair of classes (Utrera
    et al., arXiv 2007.05869). With --out it draws the influence between classes.

    ```
    advprop influence photos/val --model imagenette-vanilla,imagenette-advprop \
        --train photos/train --limit 500 --json influence.json
    ```
    """
    report = Report(options.json_file)
    values.read_choice(options.method, METHODS, "--method")
    is_photo = Path(options.image).is_file()
    if is_photo and options.limit is not None:
        raise InputError(f"--limit is for a test set, and {options.image} is a photo")
    if not is_photo:
        _require_test_set(options)
    if options.out is not None:
        make_folder(options.out)
    traced = []
    for name, checkpoint in options.open().items():
        with about(name):
            branches = values.read_branches(checkpoint.model, options.branch)
        # A copy of main gives main's images again.
        hidden = () if options.branch else checkpoint.copies
        traced += [(name, branch, checkpoint) for branch in branches if branch not in hidden]
    from advprop_core.cli.influence_report import trace_photo, trace_set

    trace = trace_photo if is_photo else trace_set
    trace(report, options, traced)


def _require_test_set(options: InfluenceOptions) -> None:
    from advprop_core.datasets.layouts import find_place
    from advprop_core.datasets.named import BUILTIN

    name = options.image
    if name not in BUILTIN and find_place(name) is None:
        raise InputError(
            f"{name} is neither a photo nor a test set: give a photo's file, a folder of class "
            f"folders, or one of {', '.join(BUILTIN)}"
        )
    if options.true_class is not None:
        raise InputError(f"--true-class is for a photo, and {name} is a test set")
