"""``explain`` over scenes whose objects are known: how much of the maps lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.markup import escape
from rich.table import Table
from torch import Tensor, nn

from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.grids import options_of
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS, STAGES, MapChoice, Method
from advprop_core.cli.model_options import open_models
from advprop_core.cli.output import Report, command_line, versions
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_branches
from advprop_core.datasets.named import load_scenes
from advprop_core.datasets.texture_shapes.scenes import Scene
from advprop_core.errors import InputError
from advprop_core.faithfulness.intervals import Estimate
from advprop_core.faithfulness.maps import Undefined, as_evidence, plain
from advprop_core.faithfulness.objects import (
    MakeSceneMap,
    ObjectDifference,
    ObjectShare,
    compare_object_shares,
    object_share,
)
from advprop_core.models.folding import fold
from advprop_core.models.settings import ModelSettings

_SCENES = 100
_AT_A_TIME = {"fast": 16, "slow": 4}


@dataclass(frozen=True)
class _Looker:
    """One branch of one model, and the scenes at its own size."""

    model: str
    branch: str
    module: nn.Module
    layer: str | None  # the same in all branches of a model; None where no method has one
    scenes: Sequence[Scene]


@dataclass(frozen=True)
class Result:
    """What was measured of one method on one branch.

    Attributes:
        model: As it was named.
        branch: Which branch.
        method: Which method.
        layer: Dotted name, for methods with a layer.
        found: Share inside the object and pointing game.
        difference: To the first branch of the first model; None for that one itself, and where
            the scenes were drawn at another size.
    """

    model: str
    branch: str
    method: Method
    layer: str | None
    found: ObjectShare
    difference: ObjectDifference | None


def explain_scenes(
    report: Report,
    data: str,
    models: Sequence[str],
    choice: MapChoice,
    *,
    branch: Sequence[str] | None,
    limit: int | None,
    settings: ModelSettings,
) -> None:
    """Measure every model, branch and method on the same scenes, each for its true class.

    Args:
        report: Where words and JSON go.
        data: ``shapes`` or ``shapes-conflict``.
        models: As they are named.
        choice: Which maps; at most one layer.
        branch: The branches that were named; every one by default.
        limit: Number of scenes; 100 by default.
        settings: What a person says of foreign files that do not say it themselves.

    Raises:
        InputError: For several layers, a model of other classes, a branch that a model does not
            have, or a method that was named and does not fit.
    """
    if STAGES in choice.layers or len(choice.layers) > 1:
        raise InputError(f"--layer must be one layer for {data}, got {', '.join(choice.layers)}")
    if limit is not None and limit < 1:
        raise InputError(f"--limit must be at least 1, got {limit}")
    lookers = _lookers(data, models, choice, branch, limit or _SCENES, settings)
    results, left_out = _measure(lookers, choice)
    count = len(lookers[0].scenes)
    report.show(_table(f"{escape(data)}, {count} scenes", results))
    _tell(report, results, left_out)
    report.finish(
        {
            "data": data,
            "n": count,
            "seed": choice.seed,
            "options": dict(choice.options),
            "results": [_to_json(result, lookers[0]) for result in results],
            "left_out": left_out,
            "command": command_line(),
            "versions": versions(),
        }
    )


def _lookers(
    data: str,
    models: Sequence[str],
    choice: MapChoice,
    branch: Sequence[str] | None,
    count: int,
    settings: ModelSettings,
) -> list[_Looker]:
    lookers = []
    layered = any(METHODS[name].needs_layer for name in choice.methods)
    for name, one in open_models(models, settings).items():
        try:
            branches = read_branches(one.model, branch)
            scenes = load_scenes(data, count, one.info.input_size, classes=one.info.classes)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
        example = torch.zeros(1, 3, one.info.input_size, one.info.input_size)
        plain = {part: one.model.branch(part) for part in branches}
        layer = choice.layers[0] if choice.layers else None
        if layered and layer is None:
            layer = default_layer(plain[branches[0]], example)
        for part, module in plain.items():
            # A layer inside a folded pair would give another map than the network's own.
            made = module if choice.layers else fold(module, example)
            lookers.append(_Looker(name, part, made, layer, scenes))
    return lookers


def _measure(
    lookers: Sequence[_Looker], choice: MapChoice
) -> tuple[list[Result], list[dict[str, str]]]:
    """Method by method; the first branch's result is what the others are compared with."""
    results: list[Result] = []
    left_out: list[dict[str, str]] = []
    with in_parts(len(choice.methods) * len(lookers)) as begin:
        for name in choice.methods:
            method = METHODS[name]
            first: ObjectShare | None = None
            for looker in lookers:
                progress = begin(f"{method.title}, {looker.model} {looker.branch}")
                try:
                    found = object_share(
                        _maker(looker, method, choice),
                        looker.scenes,
                        seed=choice.seed,
                        batch_size=_AT_A_TIME[method.cost],
                        progress=progress,
                    )
                except (Unfit, NoGradient) as error:
                    if name in choice.required:
                        raise
                    where = {"model": looker.model, "branch": looker.branch, "method": name}
                    left_out.append(where | {"reason": str(error)})
                    continue
                difference = None
                if looker is lookers[0]:
                    first = found
                elif first and first.areas == found.areas:
                    difference = compare_object_shares(first, found, seed=choice.seed)
                layer = looker.layer if method.needs_layer else None
                results.append(
                    Result(looker.model, looker.branch, method, layer, found, difference)
                )
    if not results:
        raise InputError(f"no method fits: {left_out[0]['reason']}")
    return results, left_out


def _maker(looker: _Looker, method: Method, choice: MapChoice) -> MakeSceneMap:
    def make(pixels: Tensor, classes: tuple[int, ...]) -> Tensor:
        maps = explain(
            looker.module,
            pixels,
            classes,
            method.name,
            layer=looker.layer if method.needs_layer else None,
            seed=choice.seed,
            progress=None,
            **options_of(method, choice.options),
        )
        return as_evidence(maps, method.name)

    return make


def _table(title: str, results: Sequence[Result]) -> Table:
    """A line per method, model and branch, in percent with 95 % intervals."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("maps", overflow="fold", min_width=12)
    # At least as wide as an interval, which a narrow terminal puts on a line of its own.
    headings = (("inside, %", 11), ("difference", 13), ("pointing, %", 12), ("difference", 13))
    for heading, width in headings:
        table.add_column(heading, justify="right", overflow="fold", min_width=width)
    before: Method | None = None
    for one in results:
        if one.method is not before:
            table.add_row(one.method.title)
        before = one.method
        apart = one.difference
        table.add_row(
            f"  {escape(one.model)} {one.branch}",
            _percent(one.found.share),
            _percent(apart.share, "+") if apart else "",
            _percent(one.found.pointing),
            _percent(apart.pointing, "+") if apart else "",
        )
    return table


def _percent(estimate: Estimate | Undefined, sign: str = "") -> str:
    if isinstance(estimate, Undefined):
        return "–"
    value, low, high = (100 * x for x in (estimate.value, estimate.low, estimate.high))
    return f"{value:{sign}.1f} [{low:{sign}.1f},{high:{sign}.1f}]"


def _tell(report: Report, results: Sequence[Result], left_out: Sequence[dict[str, str]]) -> None:
    """What the columns mean, and what is missing from them."""
    first = results[0]
    report.say(
        f"inside: share of the positive attribution on the object, which covers "
        f"{first.found.area:.1%} of a scene: what a map that knows nothing has inside. pointing: "
        "how often the largest value lies on it. In brackets 95 % intervals; differences, scene by "
        f"scene, to {first.model} {first.branch}."
    )
    for one in results:
        for reason, count in one.found.undefined.items():
            where = f"{one.method.title}, {one.model} {one.branch}"
            report.say(f"{where}: {count} of {len(one.found.shares)} scenes left out, {reason}")
    for row in left_out:
        report.say(f"left out {row['method']} of {row['model']} {row['branch']}: {row['reason']}")


def _to_json(one: Result, first: _Looker) -> dict[str, Any]:
    found, apart = one.found, one.difference
    return {
        "model": one.model,
        "branch": one.branch,
        "method": one.method.name,
        "layer": one.layer,
        "share": plain(found.share),
        "pointing": plain(found.pointing),
        "area": found.area,
        "undefined": found.undefined,
        "difference": apart
        and {"to": {"model": first.model, "branch": first.branch}, **plain(apart)},
    }
