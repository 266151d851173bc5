"""What a branch would like to see: ``visualise``, of a class or of a channel."""

from advprop_core.cli.fields import with_options
from advprop_core.cli.output import Report, make_folder
from advprop_core.cli.values import read_step_size
from advprop_core.cli.visualise_options import VisualiseOptions
from advprop_core.text import parse_radius


@with_options
def visualise(options: VisualiseOptions) -> None:
    r"""Draw a class or a channel of a layer by gradient ascent, for each branch.

    The ascent starts from a photo or from noise, stays in an L2 ball, and uses no prior on images
    (Engstrom et al., arXiv 1906.00945). Robust networks draw parts of objects. Other networks draw
    patterns that look like noise.

    Writes to --out: a PNG per branch, sheet.png (all on one page), film.webp (all steps),
    arrays.npz (start, pictures and changes, float32 in [0, 1], (3, H, W)) and manifest.json. Prints
    how much of each change is coarse, and which other branches and networks also see the class in
    the picture.

    ```
    advprop visualise --model imagenette-vanilla,imagenette-advprop --class church --out out
    advprop visualise photo.jpg --model imagenet-lite0 --class "golf ball" --epsilon 80 --out out
    advprop visualise --model imagenette-advprop --layer blocks.4 --channel 7 --out out
    ```
    """
    report = Report(options.json_file)
    options.check()
    from advprop_core.visualise.ascent import ascent

    epsilon = parse_radius(options.epsilon, "--epsilon")
    config = ascent(epsilon, options.steps, read_step_size(options.step_size))
    folder = make_folder(options.out)
    from advprop_core.cli.visualise_report import draw

    draw(report, options, config, folder)
