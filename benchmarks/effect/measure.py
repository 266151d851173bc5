"""Measures every network of the comparison, once, on photos that no run has seen."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.datasets.class_folders import find_images
from advprop_core.datasets.named import load_images
from advprop_core.evaluation import studies
from advprop_core.evaluation.calibration import calibration_of
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.files import write_whole
from advprop_core.models import checkpoints
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.pictures.corruptions import CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.pictures.probes import describe_probe
from advprop_core.text import radius
from advprop_core.types import AttackConfig
from benchmarks.effect.design import Study

Row = dict[str, Any]
Who = tuple[str, int]
"""Label and seed."""
NOISE = 0.1
_BATCH = 50


def measure_all(study: Study, data: Path, large: Path, runs: Path, out: Path) -> None:
    """Write one row for each network, branch and measure; corruptions are averaged.

    What is finished stays in ``runs``, so that a measurement that was ended goes on. A network
    whose run is gone keeps the rows that it has in ``out``; seeds of which a network is in neither
    are left out, and said so.
    """
    earlier = _earlier(study, out)
    files = {
        (label, seed): runs / f"{label}-{seed}" / "model.safetensors"
        for label in study.runs
        for seed in study.seeds
    }
    files = {who: file for who, file in files.items() if file.exists()}
    seeds = [
        seed
        for seed in study.seeds
        if all((label, seed) in files or (label, seed) in earlier for label in study.runs)
    ]
    for seed in study.seeds:
        if seed not in seeds:
            print(f"seed {seed} is not finished: left out", flush=True)
    files = {(label, seed): file for (label, seed), file in files.items() if seed in seeds}
    found = _measured(study, data, large, files, runs / f"measured-{out.name}") if files else {}
    rows = [
        row
        for label in study.runs
        for seed in seeds
        for row in found.get((label, seed)) or earlier[label, seed]
    ]
    if len(seeds) < 2:
        sys.exit("a comparison needs two seeds or more")
    out.parent.mkdir(parents=True, exist_ok=True)
    n = sum(map(len, find_images(data / "val").images.values()))
    out.write_text(_text(study, len(seeds), data, n, rows))


def _earlier(study: Study, out: Path) -> dict[Who, list[Row]]:
    """The rows of a results file, if it is one of this study."""
    found: dict[Who, list[Row]] = {}
    content = json.loads(out.read_text("utf-8")) if out.exists() else {}
    if content.get("runs") == dict(study.titles):
        for row in content["results"]:
            found.setdefault((row["run"], row["seed"]), []).append(row)
    return found


def _measured(
    study: Study, data: Path, large: Path, files: Mapping[Who, Path], kept: Path
) -> dict[Who, list[Row]]:
    opened = {
        who: (checkpoints.load(file), hashlib.sha256(file.read_bytes()).hexdigest())
        for who, file in files.items()
    }
    networks = Networks(opened, Kept(kept))
    info = next(iter(opened.values()))[0].info
    small = load_images(str(data / "val"), info.input_size, classes=info.classes, strict=True)
    clean = Condition()
    rows = networks.rows({"measure": "clean"}, lambda: small.pixels, small.labels, clean)
    if study.calibration:
        error = {"measure": "calibration"}
        rows += networks.rows(error, lambda: small.pixels, small.labels, clean, _calibration_error)
    if study.training_photos:
        trained = load_images(str(data), info.input_size, split="train", classes=info.classes)
        known = {"measure": "training"}
        rows += networks.rows(known, lambda: trained.pixels, trained.labels, clean)
    if study.noise:
        noisy = add_noise(small.pixels.float() / 255, NoiseConfig("gaussian", NOISE))
        known = {"measure": "noise"}
        rows += networks.rows(known, lambda: _to_bytes(noisy), small.labels, clean)
    few = partial(load_images, str(data / "val"), info.input_size, classes=info.classes)
    attacked = few(limit=study.attacked)
    for key, attack in _attacks(study).items():
        known, condition = {"measure": key}, Condition(attack)
        rows += networks.rows(known, lambda: attacked.pixels, attacked.labels, condition)
    probed = few(limit=study.corrupted)
    for config in study.probes:
        known, condition = {"measure": config.kind}, Condition(probe=config)
        rows += networks.rows(known, lambda: probed.pixels, probed.labels, condition)
    photos = load_images(str(large), 224, classes=info.classes, limit=study.corrupted, strict=True)
    for kind in CORRUPTIONS:
        for severity in study.severities:
            corrupted = {"measure": "corruption", "corruption": kind, "severity": severity}
            shown = partial(_corrupted, photos.pixels, kind, severity, info.input_size)
            rows += networks.rows(corrupted, shown, photos.labels, clean)
            print(kind, severity, flush=True)
    found: dict[Who, list[Row]] = {}
    for row in _means(rows):
        found.setdefault((row["run"], row["seed"]), []).append(row)
    return found


def _text(study: Study, seeds: int, data: Path, n: int, rows: list[Row]) -> str:
    """Readable JSON with a row on each line."""
    levels = ", ".join(map(str, study.severities))
    head = {
        "format": studies.FORMAT,
        "kind": studies.KIND,
        "title": study.title,
        "about": study.about.format(seeds=seeds),
        "data": f"{data.name} val",
        "n": n,
        "command": shlex.join(["python", "-m", "benchmarks.effect", *sys.argv[1:]]),
        "measures": {
            "clean": "clean",
            **({"training": "training photos"} if study.training_photos else {}),
            "corruption": f"15 corruptions, severity {levels}{_of(study.corrupted)}",
            **({"noise": f"Gaussian noise, σ = {NOISE}"} if study.noise else {}),
            **{
                config.kind: describe_probe(config.kind, config.strength) + _of(study.corrupted)
                for config in study.probes
            },
            **{
                key: f"{attack.name}, L∞ ε = {radius(attack.epsilon, attack.norm)}"
                + _of(study.attacked)
                for key, attack in _attacks(study).items()
            },
            **({"calibration": "calibration error (less is better)"} if study.calibration else {}),
        },
        "runs": study.titles,
        "bases": study.bases,
        "questions": [
            {"title": title, "runs": own, "contrasts": contrasts}
            for title, own, contrasts in study.questions
        ],
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = json.dumps(head, indent=1, ensure_ascii=False)
    return f'{text[:-2]},\n "results": [\n{lines}\n]}}\n'


def _attacks(study: Study) -> dict[str, AttackConfig]:
    """PGD-10 of each radius, by the name of its measure."""
    names = {2.0: "attack"}
    return {
        names.get(levels, f"attack-{levels:g}"): AttackConfig.pgd(levels / 255, steps=10)
        for levels in study.epsilons
    }


def _of(photos: int | None) -> str:
    """Where a measure is of fewer photos than the others."""
    return "" if photos is None else f" ({photos} photos)"


def _accuracy(answers: Answers) -> float:
    return answers.right.double().mean().item()


def _calibration_error(answers: Answers) -> float:
    return calibration_of(answers).expected_calibration_error


def _means(rows: Sequence[Row]) -> list[Row]:
    """One row for all corruptions of a network's branch."""
    shares: dict[tuple[tuple[str, Any], ...], list[float]] = {}
    for row in rows:
        left_out = "corruption", "severity", "top1"
        kept = {key: value for key, value in row.items() if key not in left_out}
        shares.setdefault(tuple(kept.items()), []).append(row["top1"])
    return [dict(kept) | {"top1": mean(several)} for kept, several in shares.items()]


class Kept:
    """Rows by what they are of, in a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, list[Row]] = json.loads(path.read_text()) if path.exists() else {}

    def add(self, what: str, rows: list[Row]) -> None:
        """Keep some, at once."""
        self.rows[what] = rows
        write_whole(self._path, json.dumps(self.rows))


@dataclass(frozen=True)
class Networks:
    """What is measured.

    Attributes:
        opened: (run, seed) to its network and the digest of its file.
        kept: What was measured before.
    """

    opened: Mapping[Who, tuple[Checkpoint, str]]
    kept: Kept

    def rows(
        self,
        measured: Row,
        images: Callable[[], Tensor],
        labels: Tensor,
        condition: Condition,
        figure: Callable[[Answers], float] = _accuracy,
    ) -> list[Row]:
        """A row for each network and branch; the images are made only if one is missing.

        Args:
            measured: What every row says.
            images: Makes (N, 3, S, S) uint8.
            labels: (N,) true classes.
            condition: What else happens to the images.
            figure: What of the answers is noted.
        """
        shown: Tensor | None = None
        found: list[Row] = []
        for (label, seed), (one, digest) in self.opened.items():
            what = json.dumps([digest, label, seed, measured])
            if what not in self.kept.rows:
                shown = images() if shown is None else shown
                tested = TestedModel("", one.model, shown, labels)
                cells = evaluate(Suite([tested], [condition])).cells
                who = {"run": label, "seed": seed}
                own = [
                    {**who, "branch": cell.branch, **measured, "top1": figure(answers)}
                    for cell, answers in cells.items()
                ]
                self.kept.add(what, own)
            found += self.kept.rows[what]
        return found


def _corrupted(photos: Tensor, kind: str, severity: int, size: int) -> Tensor:
    """Made at 224 pixels and then made as small as the network's input."""
    small = []
    for number, part in enumerate(photos.split(_BATCH)):
        pixels = corrupt(part.float() / 255, CorruptionConfig(kind, severity, seed=number))
        small.append(_to_bytes(_resized(pixels, size)))
    return torch.cat(small)


def _resized(pixels: Tensor, size: int) -> Tensor:
    return F.interpolate(pixels, (size, size), mode="bicubic", antialias=True, align_corners=False)


def _to_bytes(pixels: Tensor) -> Tensor:
    return (pixels.clamp(0, 1) * 255).round().byte()
