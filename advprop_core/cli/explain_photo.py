"""``explain`` for one photo: its maps, how they differ, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from advprop_core.attribution.methods import METHODS, MapChoice
from advprop_core.attribution.rows import MapRow, make_rows, plan_rows
from advprop_core.cli.inputs import Subject
from advprop_core.cli.map_files import save_maps, tell_maps
from advprop_core.cli.output import (
    Report,
    class_json,
    command_line,
    comparison_json,
    predictions_json,
    versions,
    write_json,
)
from advprop_core.cli.perturb import image_arrays, perturb, tell
from advprop_core.cli.progress import in_parts
from advprop_core.cli.trust_tables import Figures, legend, trust_table
from advprop_core.cli.words import describe_attack
from advprop_core.faithfulness.trust import measure_trust
from advprop_core.report.map_sheet import Column, Words, draw_map_sheet
from advprop_core.text import percent
from advprop_core.types import AttackConfig, Comparison, InputKind


def explain_photo(
    report: Report,
    folder: Path,
    subject: Subject,
    choice: MapChoice,
    *,
    class_index: int | None,
    config: AttackConfig | None,
    attack_branch: str | None,
    metrics: bool,
) -> None:
    """Make the maps, measure them if asked, and write everything.

    Args:
        report: Where words and JSON go.
        folder: Where pictures and arrays go.
        subject: The photo and the model.
        choice: Which maps.
        class_index: The class to explain; the true one when None, or the predicted one.
        config: The attack, or None to explain the clean photo alone.
        attack_branch: Whose gradient the attack follows.
        metrics: Whether to measure how far the maps can be trusted.

    Raises:
        InputError: For what :func:`make_rows` and :func:`perturb` refuse.
    """
    result = perturb(subject, config, attack_branch if config else subject.branches[0])
    explained = result.attacked_class if class_index is None else class_index
    inputs: dict[InputKind, Tensor] = {"clean": result.clean[None]}
    if config:
        inputs["adversarial"] = result.adversarial[None]
    # A layer inside a folded pair would give another map than the network's own.
    branches = subject.modules(folded=not choice.layers)
    planned = plan_rows(next(iter(branches.values())), subject.pixels, choice)
    with in_parts(len(planned)) as begin:
        rows, left_out = make_rows(branches, inputs, explained, choice, planned, begin)
    figures = _measure(branches, inputs, rows, choice) if metrics else {}
    maps, changes = save_maps(folder, rows, figures, image_arrays(result) if config else {})
    words = _words(subject, result, config, explained, left_out)
    draw_map_sheet(rows, _columns(subject, result, [*inputs]), words).save(folder / "maps.png")
    content = {
        **subject.to_json(),
        **_result_json(subject, result, config),
        "class": class_json(subject.info, explained),
        "seed": choice.seed,
        "options": dict(choice.options),
        "maps": maps,
        "differences": changes,
        "left_out": left_out,
        "command": command_line(),
        "versions": versions(),
    }
    write_json(folder / "manifest.json", content)
    if config:
        tell(report, subject, result, config)
    tell_maps(report, rows)
    for method, reason in left_out.items():
        report.say(f"left out {method}: {reason}")
    if figures:
        report.show(trust_table(rows, figures))
        report.say(legend(figures))
    pictures = sum(1 for drawn in (*maps, *changes) if drawn["file"])
    report.say(
        f"wrote maps.png, {pictures} pictures of maps of “{subject.info.class_names[explained]}”, "
        f"arrays.npz and manifest.json to {folder}"
    )
    report.finish(content)


def _measure(
    branches: Mapping[str, nn.Module],
    inputs: Mapping[InputKind, Tensor],
    rows: Sequence[MapRow],
    choice: MapChoice,
) -> Figures:
    maps = {(row.name, *cell): row.maps[cell] for row in rows for cell in row.maps}
    with in_parts(1) as begin:
        return measure_trust(
            branches,
            inputs,
            maps,
            mask=None,
            seed=choice.seed,
            progress=begin(f"checking {len(maps)} maps"),
            **choice.options,
        )


def _columns(subject: Subject, result: Comparison, kinds: Sequence[InputKind]) -> list[Column]:
    columns = []
    for branch in subject.branches:
        for kind in kinds:
            top = result.predictions[kind, branch]
            says = f"{percent(top.confidence)} {subject.info.class_names[top.class_index]}"
            pixels = result.clean if kind == "clean" else result.adversarial
            columns.append(Column(kind, branch, pixels, says))
    return columns


def _words(
    subject: Subject,
    result: Comparison,
    config: AttackConfig | None,
    explained: int,
    left_out: Mapping[str, str],
) -> Words:
    name = subject.info.class_names[explained]
    sentence = f"Maps for “{name}”{', the true class' if explained == subject.true_class else ''}."
    if config:
        sentence += f" Attack: {describe_attack(config, result.attack_branch or '')}."
    titles = ", ".join(METHODS[method].title for method in left_out)
    notes = [f"Left out because they do not fit this network: {titles}."] if left_out else []
    title = f"{subject.info.name or subject.model_name} on {subject.image.name}"
    return Words(title, sentence, notes)


def _result_json(
    subject: Subject, result: Comparison, config: AttackConfig | None
) -> dict[str, Any]:
    if config is None:
        clean = {
            cell: prediction
            for cell, prediction in result.predictions.items()
            if cell[0] == "clean"
        }
        return {"predictions": predictions_json(subject.info, clean)}
    attack = {"name": config.name, **asdict(config)}
    return {"attack": attack, **comparison_json(subject.info, result)}
