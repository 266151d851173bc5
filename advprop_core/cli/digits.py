"""FGSM where it began: ``digits``."""

from typing import Annotated

from advprop_core.cli.fields import Folder, option_set, with_options
from advprop_core.cli.options import ReportOptions
from advprop_core.cli.output import Report, make_folder
from advprop_core.errors import InputError
from advprop_core.text import parse_radius, percent


@option_set
class _DigitsOptions(ReportOptions):
    epsilon: Annotated[str, "E"] = "0.25"
    """L∞ radius of FGSM in pixel units on [0, 1]."""
    out: Folder | None = None
    """Folder for digits.png: the weights, their signs, and a digit that fools."""


@with_options
def digits(options: _DigitsOptions) -> None:
    """Fool a logistic regression on handwritten threes and sevens, and train it to resist.

    This is the example of the article that introduced FGSM (Goodfellow et al., arXiv 1412.6572). It
    uses the digits that come with scikit-learn, and takes a second.

    ```
    advprop digits --out out
    ```
    """
    report = Report(options.json_file)
    epsilon = parse_radius(options.epsilon, "--epsilon")
    if not 0 < epsilon <= 1:
        raise InputError(f"--epsilon must lie in (0, 1], got {options.epsilon}")
    from advprop_core.attacks.digits import begin

    beginning = begin(epsilon)
    errors = beginning.errors()
    for name, title in (("natural", "trained on clean digits"), ("robust", "trained against FGSM")):
        clean, attacked = errors[name]["clean"], errors[name]["attacked"]
        report.say(
            f"{title}: wrong on {percent(clean)} of clean digits, {percent(attacked)} of attacked"
        )
    report.say(f"{len(beginning.test.signs)} test digits; attacked by FGSM, ε = {epsilon:g}")
    if options.out is not None:
        from advprop_core.report.digits_sheet import draw_digits_sheet

        draw_digits_sheet(beginning).save(make_folder(options.out) / "digits.png")
        report.say(f"wrote digits.png to {options.out}")
    report.finish({"epsilon": epsilon, "n": len(beginning.test.signs), "errors": errors})
