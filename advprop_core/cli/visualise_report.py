"""What ``visualise`` makes, writes and says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from torch import nn

from advprop_core.cli.output import Report, bare_table, command_line, save_arrays, write_json
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_branches, read_photo
from advprop_core.cli.visualise_options import VisualiseOptions
from advprop_core.errors import InputError, about
from advprop_core.files import versions
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import class_json, find_class
from advprop_core.models.folding import fold
from advprop_core.pictures import decoding
from advprop_core.report.visualise_sheet import Panel, Row, animate, draw_visualisations
from advprop_core.text import percent
from advprop_core.types import AttackConfig, Prediction
from advprop_core.visualise.ascent import Visualisation, noise_start, visualise
from advprop_core.visualise.goals import Channel, Goal
from advprop_core.visualise.measures import ask, coarse_share


@dataclass(frozen=True)
class _Network:
    """A network, and what its branches made of the start."""

    name: str
    checkpoint: Checkpoint
    goal: Goal
    made: Mapping[str, Visualisation]


def draw(report: Report, options: VisualiseOptions, config: AttackConfig, folder: Path) -> None:
    """Make every visualisation, measure it, and write everything.

    Raises:
        InputError: For a photo that cannot be read, or a class, branch, layer or channel that a
            network does not have.
    """
    photo = None if options.image is None else read_photo(options.image)[1]
    networks = _make(options, config, options.open(), photo)
    names = _file_names(networks)
    pictures = {names[n.name, b]: v.picture for n in networks for b, v in n.made.items()}
    witnesses = {
        names[network.name, branch]: (
            network.checkpoint.model.branch(branch),
            network.checkpoint.info.input_size,
        )
        for network in networks
        for branch in network.made
    }
    answers = ask(pictures, witnesses)
    goal, classes = networks[0].goal, networks[0].checkpoint.info.class_names
    title = f"What each branch draws: {goal if isinstance(goal, Channel) else classes[goal]}"
    start = "noise" if options.image is None else options.image.name
    subject = (
        f"From {start}, {config.steps} steps of gradient ascent with L2 epsilon {config.epsilon:g}."
    )
    facts = [
        _facts(network, branch, names, answers, networks)
        for network in networks
        for branch in network.made
    ]
    rows = [_row(network, facts) for network in networks]
    draw_visualisations(rows, title, subject).save(folder / "sheet.png")
    (folder / "film.webp").write_bytes(animate(rows, title, subject))
    arrays = {}
    for network in networks:
        for branch, made in network.made.items():
            name = names[network.name, branch]
            decoding.to_image(made.picture).save(folder / f"{name}.png")
            arrays[name] = made.picture.numpy()
            arrays[f"{name}_start"] = made.frames[0].numpy()
            arrays[f"{name}_change"] = made.change.numpy()
    save_arrays(folder / "arrays.npz", arrays)
    content = {
        "command": command_line(),
        "versions": versions(),
        "image": None if options.image is None else str(options.image),
        "seed": None if options.image is not None else options.seed or 0,
        "walk": asdict(config),
        "pictures": facts,
    }
    write_json(folder / "manifest.json", content)
    report.show(_table(facts))
    report.say(
        f"wrote {len(pictures)} pictures, sheet.png, film.webp, arrays.npz and "
        f"manifest.json to {folder}"
    )
    report.finish(content)


def _make(
    options: VisualiseOptions,
    config: AttackConfig,
    opened: Mapping[str, Checkpoint],
    photo: Any,
) -> list[_Network]:
    if not opened:
        raise InputError("--model must name at least one network")
    goals = {}
    for name, checkpoint in opened.items():  # all are checked before the first is worked on
        with about(name):
            branches = read_branches(checkpoint.model, options.branch)
            goals[name] = branches, options.read_goal(checkpoint.info)
    networks = []
    with in_parts(len(opened)) as begin:
        for name, (branches, goal) in goals.items():
            checkpoint, progress = opened[name], begin(name)
            side = checkpoint.info.input_size
            if photo is None:
                start = noise_start(side, options.seed or 0)
            else:
                start = decoding.to_pixels(photo, side)
            modules: dict[str, nn.Module] = {b: checkpoint.model.branch(b) for b in branches}
            if not isinstance(goal, Channel):  # a layer of a folded network gives something else
                modules = {branch: fold(module, start) for branch, module in modules.items()}
            with about(name):
                made = visualise(modules, start, goal, config, progress=progress)
            networks.append(_Network(name, checkpoint, goal, made))
    return networks


def _file_names(networks: Sequence[_Network]) -> dict[tuple[str, str], str]:
    """(network, branch) to a name for its files."""
    names: dict[tuple[str, str], str] = {}
    for network in networks:
        prefix = "" if len(networks) == 1 else re.sub(r"[^\w.-]+", "-", network.name) + "_"
        names |= {(network.name, branch): f"{prefix}{branch}" for branch in network.made}
    return names


def _facts(
    network: _Network,
    branch: str,
    names: Mapping[tuple[str, str], str],
    answers: Mapping[str, Mapping[str, Prediction]],
    networks: Sequence[_Network],
) -> dict[str, Any]:
    made, info = network.made[branch], network.checkpoint.info
    name = names[network.name, branch]
    top = made.answers[-1]
    facts: dict[str, Any] = {
        "model": network.name,
        "branch": branch,
        "file": f"{name}.png",
        "array": name,
        "says": {**(class_json(info, top.class_index) or {}), "probability": top.confidence},
        "scores": list(made.scores),
        "steps": list(made.steps),
        "length": float(made.change.norm()),
        "coarse_share": float(coarse_share(made.change[None])[0]),
    }
    if isinstance(network.goal, Channel):
        return facts | {"goal": asdict(network.goal)}
    facts["goal"] = class_json(info, network.goal)
    facts["seen_by"] = {}
    for other in networks:
        index = find_class(other.checkpoint.info.classes, info.class_ids[network.goal])
        for witness in other.made:
            if (other.name, witness) == (network.name, branch) or index is None:
                continue
            answer = answers[name][names[other.name, witness]]
            facts["seen_by"][names[other.name, witness]] = {
                "names_it": answer.class_index == index,
                "probability": float(answer.probabilities[index]),
            }
    return facts


def _row(network: _Network, facts: Sequence[Mapping[str, Any]]) -> Row:
    info = network.checkpoint.info
    panels = []
    for branch, made in network.made.items():
        measured = next(
            fact for fact in facts if (fact["model"], fact["branch"]) == (network.name, branch)
        )
        says = [f"{info.class_names[p.class_index]} {percent(p.confidence)}" for p in made.answers]
        if isinstance(network.goal, Channel):
            says = [f"activation {score:.3g}" for score in made.scores]
        note = f"{percent(measured['coarse_share'])} of the change is coarse"
        panels.append(Panel(branch, made.frames, says, note))
    return Row(network.checkpoint.info.name or network.name, panels)


def _table(facts: Sequence[Mapping[str, Any]]) -> Table:
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
