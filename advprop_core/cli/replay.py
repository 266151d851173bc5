"""``replay``: a bundle's comparison made again."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advprop_core.cli.fields import option_set, with_options
from advprop_core.cli.options import ReportOptions, open_model
from advprop_core.cli.output import Report
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundled_models, says_all_itself
from advprop_core.models.settings import ModelSettings
from advprop_core.text import legible

if TYPE_CHECKING:
    from advprop_core.compare.bundles.network import Source
    from advprop_core.compare.bundles.read import Bundle
    from advprop_core.compare.bundles.replay import Replay


@option_set
class _ReplayOptions(ReportOptions):
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE")]
    """A zip that `advprop compare --bundle` or the Playground's "Save everything" wrote."""
    model: Annotated[str | None, "M"] = None
    """The network, if it does not come with this project: its file, or a timm name. The command
    never opens or downloads a network only because a bundle names it."""


@with_options
def replay(options: _ReplayOptions) -> None:
    """Repeat the comparison of a bundle, and check whether the numbers are the same.

    The command starts from the bundle's own picture, settings and seeds. It compares the perturbed
    picture, every answer and every map.

    - *the same numbers, bit for bit*, or *within rounding*: exit code 0. Rounding means at most
      1e-6 of a pixel, 1e-5 of a probability, and 1e-4 of a map's largest value.
    - *other numbers*: the differences and their possible causes, such as another network file,
      other versions or another processor. Exit code 1.
    - a file that is not a bundle, or is damaged: an error message. Exit code 2.

    The last bits of a sum depend on processor, number of threads and version of torch. An attack
    follows the sign of a gradient, so a difference in the last bit may change a pixel.

    ```
    advprop compare church.jpg --model imagenette-advprop --bundle church.zip
    advprop replay church.zip
    advprop replay own.zip --model runs/x/model.safetensors --json -
    ```
    """
    report = Report(options.json_file)
    from advprop_core.cli.progress import counting
    from advprop_core.compare.bundles.numbers import TOLERANCES
    from advprop_core.compare.bundles.read import read_bundle
    from advprop_core.compare.bundles.replay import replay as make_again

    bundle = read_bundle(options.bundle)
    source = _open(bundle, options.bundle, options.model)
    with counting("making it again", 1) as progress:
        result = make_again(bundle, source, lambda share: progress(round(1000 * share), 1000))
    _tell(report, result)
    content = {
        "bundle": str(options.bundle),
        "same": result.is_same,
        "bit_for_bit": result.is_exact,
        "differences": list(result.differences),
        "causes": list(result.causes),
        "largest_differences": {
            kind: gap if math.isfinite(gap) else None for kind, gap in result.gaps.items()
        },
        "tolerances": dict(TOLERANCES),
    }
    report.finish(content)
    if not result.is_same:
        raise typer.Exit(1)


def _open(bundle: Bundle, path: Path, named: str | None) -> Source:
    """The network that was named, or the bundled one that made the bundle."""
    from advprop_core.compare.bundles.network import Source

    name = bundle.network["name"] if named is None else named
    if named is None and name not in bundled_models():
        raise InputError(_how_to_name(bundle, path))
    settings = ModelSettings() if says_all_itself(name) else bundle.settings
    return Source.opened(name, open_model(name, settings), settings)


def _how_to_name(bundle: Bundle, path: Path) -> str:
    """What to give where the network is not a bundled one; words of a bundle are not trusted."""
    name, digest = legible(bundle.network["name"])[:200], bundle.network.get("file_sha256")
    known_by = f", whose sha256 is {legible(digest)[:64]}" if isinstance(digest, str) else ""
    again = shlex.join(["advprop", "replay", str(path), "--model", "FILE" if digest else name])
    return (
        f"this bundle's network, {name!r}{known_by}, does not come with this project. Say where "
        f"it is: {again}. Its settings are read from the bundle, and its weights are compared "
        "with those that made the bundle"
    )


def _tell(report: Report, result: Replay) -> None:
    if result.is_exact:
        report.say("the same numbers, bit for bit")
    elif result.is_same:
        gaps = ", ".join(f"{kind} {gap:.1g}" for kind, gap in result.gaps.items())
        report.say(f"the same numbers within rounding; largest differences: {gaps}")
    else:
        report.say("other numbers")
    for difference in result.differences:
        report.say(f"- {difference}")
    if result.causes:
        report.say("what has changed, and may change numbers:")
    for cause in result.causes:
        report.say(f"- {cause}")
