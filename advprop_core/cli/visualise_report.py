"""What ``visualise`` makes, writes and says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from rich.markup import escape
from rich.table import Table
from torch import nn

from advprop_core.cli.output import Json, Report, bare_table, command_line
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_branches, read_photo
from advprop_core.cli.visualise_options import VisualiseOptions
from advprop_core.errors import InputError, about
from advprop_core.files import versions
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import class_json, find_class
from advprop_core.models.folding import fold
from advprop_core.pictures import decoding
from advprop_core.report.visualise_sheet import Panel, animate, draw_visualisations
from advprop_core.text import percent
from advprop_core.types import AttackConfig, ModelInfo, Prediction
from advprop_core.visualise.ascent import Visualisation, noise_start, visualise
from advprop_core.visualise.goals import Channel, Goal
from advprop_core.visualise.measures import ask, coarse_share


@dataclass(frozen=True)
class _Drawn:
    """What one branch of a network made of the start.

    Attributes:
        name: Of its files: the branch, after the network where there are several.
        model: The network, as it was given.
    """

    name: str
    model: str
    branch: str
    checkpoint: Checkpoint
    goal: Goal
    made: Visualisation

    @property
    def info(self) -> ModelInfo:
        return self.checkpoint.info


def draw(report: Report, options: VisualiseOptions, config: AttackConfig, folder: Path) -> None:
    """Make every visualisation, measure it, and write everything.

    Raises:
        InputError: For a photo that cannot be read, or a class, branch, layer or channel that a
            network does not have.
    """
    drawn = _draw_all(options, config)
    pictures = {each.name: each.made.picture for each in drawn}
    witnesses = {
        each.name: (each.checkpoint.model.branch(each.branch), each.info.input_size)
        for each in drawn
    }
    answers = ask(pictures, witnesses)
    facts = [_facts(each, answers[each.name], drawn) for each in drawn]
    goal = drawn[0].goal
    what = goal if isinstance(goal, Channel) else drawn[0].info.class_names[goal]
    title = f"What each branch draws: {what}"
    start = "noise" if options.image is None else options.image.name
    subject = (
        f"From {start}, {config.steps} steps of gradient ascent with L2 epsilon {config.epsilon:g}."
    )
    networks = [[*group] for _, group in groupby(drawn, lambda each: each.model)]
    rows = [
        (group[0].info.name or group[0].model, [_panel(each) for each in group])
        for group in networks
    ]
    draw_visualisations(rows, title, subject).save(folder / "sheet.png")
    (folder / "film.webp").write_bytes(animate(rows, title, subject))
    arrays = {}
    for each in drawn:
        decoding.to_image(each.made.picture).save(folder / f"{each.name}.png")
        arrays[each.name] = each.made.picture.numpy()
        arrays[f"{each.name}_start"] = each.made.frames[0].numpy()
        arrays[f"{each.name}_change"] = each.made.change.numpy()
    content = {
        "command": command_line(),
        "versions": versions(),
        "image": None if options.image is None else str(options.image),
        "seed": None if options.image is not None else options.seed or 0,
        "walk": asdict(config),
        "pictures": facts,
    }
    report.show(_table(facts))
    report.save(folder, f"{len(pictures)} pictures, sheet.png, film.webp", arrays, content)
    report.finish(content)


def _draw_all(options: VisualiseOptions, config: AttackConfig) -> list[_Drawn]:
    """The branches of each network in turn."""
    photo = None if options.image is None else read_photo(options.image)[1]
    opened = options.open()
    if not opened:
        raise InputError("--model must name at least one network")
    goals = {}
    for model, checkpoint in opened.items():  # all are checked before the first is worked on
        with about(model):
            branches = read_branches(checkpoint.model, options.branch)
            goals[model] = branches, options.read_goal(checkpoint.info)
    drawn = []
    with in_parts(len(opened)) as begin:
        for model, (branches, goal) in goals.items():
            checkpoint, progress = opened[model], begin(model)
            side = checkpoint.info.input_size
            if photo is None:
                start = noise_start(side, options.seed or 0)
            else:
                start = decoding.to_pixels(photo, side)
            modules: dict[str, nn.Module] = {b: checkpoint.model.branch(b) for b in branches}
            if not isinstance(goal, Channel):  # a layer of a folded network gives something else
                modules = {branch: fold(module, start) for branch, module in modules.items()}
            with about(model):
                visualisations = visualise(modules, start, goal, config, progress=progress)
            prefix = "" if len(opened) == 1 else re.sub(r"[^\w.-]+", "-", model) + "_"
            drawn += [
                _Drawn(f"{prefix}{branch}", model, branch, checkpoint, goal, made)
                for branch, made in visualisations.items()
            ]
    return drawn


def _facts(drawn: _Drawn, answers: Mapping[str, Prediction], witnesses: Sequence[_Drawn]) -> Json:
    """What is measured of a picture; answers are those of each witness to it."""
    made, info, top = drawn.made, drawn.info, drawn.made.answers[-1]
    facts: Json = {
        "model": drawn.model,
        "branch": drawn.branch,
        "file": f"{drawn.name}.png",
        "array": drawn.name,
        "says": {**(class_json(info, top.class_index) or {}), "probability": top.confidence},
        "scores": list(made.scores),
        "steps": list(made.steps),
        "length": float(made.change.norm()),
        "coarse_share": _coarse_share(made),
    }
    if isinstance(drawn.goal, Channel):
        return facts | {"goal": asdict(drawn.goal)}
    facts["goal"] = class_json(info, drawn.goal)
    facts["seen_by"] = {}
    for witness in witnesses:
        # Another network may have the class at another index, or not at all.
        index = find_class(witness.info.classes, info.class_ids[drawn.goal])
        if witness is not drawn and index is not None:
            answer = answers[witness.name]
            facts["seen_by"][witness.name] = {
                "names_it": answer.class_index == index,
                "probability": float(answer.probabilities[index]),
            }
    return facts


def _coarse_share(made: Visualisation) -> float:
    return float(coarse_share(made.change[None])[0])


def _panel(drawn: _Drawn) -> Panel:
    made, names = drawn.made, drawn.info.class_names
    says = [f"{names[p.class_index]} {percent(p.confidence)}" for p in made.answers]
    if isinstance(drawn.goal, Channel):
        says = [f"activation {score:.3g}" for score in made.scores]
    note = f"{percent(_coarse_share(made))} of the change is coarse"
    return Panel(drawn.branch, made.frames, says, note)


def _table(facts: Sequence[Json]) -> Table:
    is_class = "seen_by" in facts[0]
    last = "also seen by" if is_class else "activation, from and to"
    table = bare_table(("model", "branch", "says", "length", "coarse", last), gap=3)
    for fact in facts:
        says = fact["says"]
        if is_class:
            others = ", ".join(
                f"{name} {percent(seen['probability'])}" for name, seen in fact["seen_by"].items()
            )
        else:
            others = f"{fact['scores'][0]:.3g}, {fact['scores'][-1]:.3g}"
        table.add_row(
            escape(fact["model"]),
            fact["branch"],
            escape(f"{says['name']} {percent(says['probability'])}"),
            f"{fact['length']:.1f}",
            percent(fact["coarse_share"]),
            escape(others or "–"),
        )
    return table
