"""``explain`` over scenes whose objects are known: how much of the maps lies on them."""

from collections.abc import Sequence

import torch
from rich.markup import escape
from rich.table import Table

from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.methods import METHODS, STAGES, MapChoice, Method
from advprop_core.cli.map_options import ExplainOptions
from advprop_core.cli.output import Report, bare_table, command_line
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_branches
from advprop_core.datasets.named import load_scenes
from advprop_core.datasets.texture_shapes.scenes import Scene
from advprop_core.errors import InputError, about
from advprop_core.faithfulness.maps import Undefined, plain
from advprop_core.faithfulness.objects import Estimate
from advprop_core.faithfulness.scene_maps import SceneBranch, SceneResult, measure_scenes
from advprop_core.files import versions
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.folding import fold
from advprop_core.text import percent_in_tenths

_SCENES = 100


def explain_scenes(report: Report, options: ExplainOptions, choice: MapChoice) -> None:
    """Measure every model, branch and method on the same scenes, each for its true class.

    Raises:
        InputError: For several layers, a model of other classes, a branch that a model does not
            have, or a method that was named and does not fit.
    """
    data = str(options.image)
    if STAGES in choice.layers or len(choice.layers) > 1:
        raise InputError(f"--layer must be one layer for {data}, got {', '.join(choice.layers)}")
    count = _SCENES if options.limit is None else options.limit
    if count < 1:
        raise InputError(f"--limit must be at least 1, got {count}")
    shown: list[SceneBranch] = []
    for name, checkpoint in options.open().items():
        info = checkpoint.info
        with about(name):
            branches = read_branches(checkpoint.model, options.branch)
            scenes = load_scenes(data, count, info.input_size, classes=info.classes)
            shown += _on_scenes(name, checkpoint, branches, scenes, choice)
    with in_parts(len(choice.methods) * len(shown)) as begin:
        results, left_out = measure_scenes(shown, choice, begin)
    report.show(_table(f"{escape(data)}, {count} scenes", results))
    _tell(report, results, left_out)
    first = {"model": shown[0].model, "branch": shown[0].branch}
    report.finish(
        {
            "data": data,
            "n": count,
            "seed": choice.seed,
            "options": dict(choice.options),
            "results": [
                {
                    "model": result.shown.model,
                    "branch": result.shown.branch,
                    "method": result.method.name,
                    "layer": result.shown.layer if result.method.needs_layer else None,
                    "share": plain(result.objects.share),
                    "pointing": plain(result.objects.pointing),
                    "area": result.objects.area,
                    "undefined": result.objects.undefined,
                    "difference": result.difference and {"to": first, **plain(result.difference)},
                }
                for result in results
            ],
            "left_out": left_out,
            "command": command_line(),
            "versions": versions(),
        }
    )


def _on_scenes(
    name: str,
    checkpoint: Checkpoint,
    branches: Sequence[str],
    scenes: Sequence[Scene],
    choice: MapChoice,
) -> list[SceneBranch]:
    side = checkpoint.info.input_size
    modules = {branch: checkpoint.model.branch(branch) for branch in branches}
    example = torch.zeros(1, 3, side, side)
    layer = choice.layers[0] if choice.layers else None
    if layer is None and any(METHODS[method].needs_layer for method in choice.methods):
        layer = default_layer(next(iter(modules.values())), example)
    # A layer inside a folded pair would give another map than the network's own.
    return [
        SceneBranch(name, branch, module if choice.layers else fold(module, example), layer, scenes)
        for branch, module in modules.items()
    ]


def _table(title: str, results: Sequence[SceneResult]) -> Table:
    """A line per method, model and branch, in percent with 95 % intervals."""
    headings = ("inside, %", "difference", "pointing, %", "difference")
    # At least as wide as an interval, which a narrow terminal puts on a line of its own.
    table = bare_table(("maps", *headings), headings, 1, (12, 11, 13, 12, 13))
    table.title, table.title_justify = title, "left"
    before: Method | None = None
    for result in results:
        if result.method is not before:
            table.add_row(result.method.title)
        before = result.method
        difference = result.difference
        table.add_row(
            f"  {escape(result.shown.model)} {result.shown.branch}",
            _percent(result.objects.share),
            _percent(difference.share, "+") if difference else "",
            _percent(result.objects.pointing),
            _percent(difference.pointing, "+") if difference else "",
        )
    return table


def _percent(estimate: Estimate | Undefined, sign: str = "") -> str:
    if isinstance(estimate, Undefined):
        return "–"
    value, low, high = (100 * share for share in (estimate.value, estimate.low, estimate.high))
    return f"{value:{sign}.1f} [{low:{sign}.1f},{high:{sign}.1f}]"


def _tell(
    report: Report, results: Sequence[SceneResult], left_out: Sequence[dict[str, str]]
) -> None:
    """What the columns mean, and what is missing from them."""
    first = results[0]
    report.say(
        "inside: share of the positive attribution on the object, which covers "
        f"{percent_in_tenths(first.objects.area)} of a scene; a map without "
        "information has the same share. "
        "pointing: how often the largest value lies on the object. 95 % intervals are in brackets. "
        f"Differences are to {first.shown.model} {first.shown.branch}, scene by scene."
    )
    for result in results:
        for reason, count in result.objects.undefined.items():
            where = f"{result.method.title}, {result.shown.model} {result.shown.branch}"
            report.say(
                f"{where}: {count} of {len(result.objects.shares)} scenes left out, {reason}"
            )
    for row in left_out:
        report.say(f"left out {row['method']} of {row['model']} {row['branch']}: {row['reason']}")
