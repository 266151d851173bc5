"""The work behind the Anatomy page: what it asks of the library, and with which pictures."""

import json
import tempfile
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from advprop_core.anatomy import dial, halves
from advprop_core.anatomy.dial import Blended, Curve, Moved, Way
from advprop_core.anatomy.distance import LayerDistance, profile
from advprop_core.anatomy.excitement import Excitement, excitement
from advprop_core.anatomy.gap import By, Gap, measure_gap
from advprop_core.anatomy.halves import Mixture, MixtureAccuracy
from advprop_core.anatomy.mixing import soup
from advprop_core.attacks.gradient import attack
from advprop_core.attribution.progress import split
from advprop_core.compare.compare import compare
from advprop_core.compare.experiment import Perturbation
from advprop_core.datasets.listed import Images
from advprop_core.datasets.named import load_images
from advprop_core.models import bundle
from advprop_core.models.checkpoints import Checkpoint, export
from advprop_core.models.dual_bn import MAIN
from advprop_core.pictures.erasing import erase
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.pictures.regions import EraseConfig
from advprop_core.training.calibrate import calibrate
from advprop_core.types import AttackConfig, Comparison, InputKind, ModelInfo
from app.anatomy.section import Subject
from app.anatomy.view import AnatomyView
from app.anatomy.words import CALIBRATED_UNDER
from app.shell.cache import Lens, make_lens
from app.shell.comparison import inputs
from app.shell.jobs import Report
from app.shell.samples import Source, source_for
from app.shell.store import BoundedStore

MEASURED = 100  # pictures that accuracies are measured over
REFERENCE = 128  # pictures that statistics are estimated on; more change little
PLACES = tuple(index / 10 for index in range(11))
ATTACK = AttackConfig.pgd(2 / 255, steps=10)  # what halves are attacked with, as in the results
_BATCH = 32
_ATTACK_SHARE = 0.4  # of the time that a gap over many images takes
_PARTS = 1000  # of one mixture's progress
_HALVES = "norm-halves.json"

Halves = Mapping[Mixture, MixtureAccuracy]


def reference_source(view: AnatomyView, info: ModelInfo) -> Source | None:
    """What statistics can be estimated on, if there is anything."""
    return source_for(info, REFERENCE, view.photos)


def way_of(view: AnatomyView, info: ModelInfo) -> Way:
    """What the view lets move; statistics are estimated again where both move and can be."""
    estimated = view.moved == "both" and reference_source(view, info) is not None
    return Way(view.second, cast("Moved", view.moved), estimated, view.moved_layers)


def blended(
    subject: Subject, source: Source | None, way: Way, t: float, *, progress: Report
) -> Blended:
    """Predictions and maps of the network at one place; statistics come from the source."""
    model, reference = subject.lens.model, _reference(source, subject.lens.info)
    return dial.blended(model, subject.comparison, way, t, reference, progress=progress)


def curves(
    subject: Subject, source: Source | None, way: Way, *, progress: Report
) -> tuple[Curve, ...]:
    """Predictions all along a way and, where statistics are estimated, the naive way beside it."""
    ways = (way, replace(way, estimated=False)) if way.estimated else (way,)
    model, reference = subject.lens.model, _reference(source, subject.lens.info)
    return tuple(
        dial.curve(model, subject.comparison, each, PLACES, reference, progress=progress)
        for each in ways
    )


def network_file(
    subject: Subject, source: Source, way: Way, t: float, *, progress: Report
) -> bytes:
    """The network at one place as a plain state dict."""
    lens = subject.lens
    size, classes = lens.info.input_size, tuple(lens.info.classes)
    reference = _reference_images(source, size, classes)[0]
    progress(0.5)
    whole = Checkpoint(lens.model, lens.info)
    checkpoint = soup(whole, t, reference, second=way.second, layers=way.layers or None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.safetensors")
        export(checkpoint, MAIN, path)
        return path.read_bytes()


def bundled_halves(model_path: Path, name: str, second: str) -> Halves | None:
    """What was measured of a bundled network's halves; None for a person's own of that name."""
    path = bundle.bundle_dir() / "assets" / "results" / _HALVES
    if bundle.bundled_models().get(name) != model_path or not path.is_file():
        return None
    return halves.by_pair(json.loads(path.read_text("utf-8"))).get((name, second))


def halves_over(subject: Subject, source: Source, second: str, *, progress: Report) -> Halves:
    """Clean and robust accuracy of every mixture of two branches."""
    info = subject.lens.info
    images = _images(source, info)
    reference, labels = _reference_images(
        replace(source, limit=REFERENCE), info.input_size, tuple(info.classes)
    )
    accuracies = {}
    listeners = split(progress, [_PARTS] * len(halves.MIXTURES))
    for mixture, listener in zip(halves.MIXTURES, listeners, strict=True):
        network = halves.mix(subject.lens.model, mixture, reference, labels, ATTACK, second=second)
        accuracies[mixture] = halves.measure(
            network, mixture, images.pixels, images.labels, ATTACK, listener
        )
    return accuracies


def distances(subject: Subject, second: str, *, progress: Report) -> tuple[LayerDistance, ...]:
    """How far apart the norm layers are, in execution order."""
    side = subject.lens.info.input_size
    return profile(subject.lens.model, second, torch.zeros(1, 3, side, side))


def excited(
    subject: Subject, second: str, layer: str, channels: tuple[int, ...], *, progress: Report
) -> Mapping[tuple[InputKind, str], Excitement]:
    """What some channels of a layer give on both inputs, through both branches."""
    return {
        (kind, branch): excitement(subject.lens.model.branch(branch), pixels, layer, channels)
        for kind, pixels in inputs(subject.comparison).items()
        for branch in (MAIN, second)
    }


def gap_here(
    subject: Subject, source: Source | None, second: str, by: By, *, progress: Report
) -> Gap:
    """Which layers carry the gap on the pictures of a comparison."""
    comparison = subject.comparison
    pixels = {"clean": comparison.clean[None]}
    if not torch.equal(comparison.clean, comparison.adversarial):
        pixels["adversarial"] = comparison.adversarial[None]
    return measure_gap(
        subject.lens.model,
        pixels,
        torch.tensor([comparison.attacked_class]),
        _reference(source, subject.lens.info),
        by=by,
        second=second,
        progress=progress,
    )


def gap_over(
    subject: Subject,
    perturbation: Perturbation | None,
    attack_branch: str,
    source: Source,
    second: str,
    by: By,
    *,
    progress: Report,
) -> Gap:
    """Which layers carry the gap over many pictures, perturbed as the one on the page is."""
    lens = subject.lens
    images = _images(source, lens.info)
    target = getattr(perturbation, "target_class", None)
    # Pictures of the target class are where a targeted attack wants them already; -1 is no class.
    chosen = images.labels != (-1 if target is None else target)
    labels, clean = images.labels[chosen], images.pixels[chosen].float() / 255
    pixels = {"clean": clean}
    attacked = 0.0
    if perturbation is not None:
        attacked = _ATTACK_SHARE
        module = lens.branches[attack_branch]
        pixels["adversarial"] = _perturbed(module, clean, labels, perturbation, progress)
    return measure_gap(
        lens.model,
        pixels,
        labels,
        _reference(replace(source, limit=REFERENCE), lens.info),
        by=by,
        second=second,
        batch_size=_BATCH,
        progress=lambda done, total: progress(attacked + (1 - attacked) * done / total),
    )


def _images(source: Source, info: ModelInfo) -> Images:
    return load_images(source.name, info.input_size, classes=info.classes, limit=source.limit)


def _reference(source: Source | None, info: ModelInfo) -> Tensor | None:
    """(N, 3, S, S) pixels that statistics are estimated on, if there are any."""
    if source is None:
        return None
    return _reference_images(source, info.input_size, tuple(info.classes))[0]


@lru_cache(maxsize=2)
def _reference_images(
    source: Source, size: int, classes: tuple[tuple[str, str], ...]
) -> tuple[Tensor, Tensor]:
    """Read once: every place of the dial needs them."""
    images = load_images(source.name, size, split="train", classes=classes, limit=source.limit)
    return images.pixels.float() / 255, images.labels


def _perturbed(
    module: nn.Module,
    clean: Tensor,
    labels: Tensor,
    perturbation: Perturbation,
    progress: Report,
) -> Tensor:
    if isinstance(perturbation, EraseConfig):
        return erase(clean, perturbation)
    if isinstance(perturbation, NoiseConfig):
        return add_noise(clean, perturbation)
    batches = []
    for start in range(0, len(labels), _BATCH):
        rows = slice(start, start + _BATCH)

        def on_step(step: int, __: Tensor, rows: slice = rows) -> None:
            done = rows.start + len(clean[rows]) * step / perturbation.steps
            progress(_ATTACK_SHARE * done / len(clean))

        # A seed of its own, or every batch would start from the same random points.
        config = replace(perturbation, seed=perturbation.seed + start)
        batches.append(attack(module, clean[rows], labels[rows], config, on_step))
    return torch.cat(batches)


# -- a calibrated branch for a network with one set of norm layers ---------------------------------


def compare_calibrated(
    lens: Lens,
    source: Source,
    store: BoundedStore[Hashable, Lens],
    pixels: Tensor,
    *,
    progress: Report,
    **options: Any,
) -> Comparison:
    """A comparison with a calibrated branch, which is made first where the store has none."""
    calibrated = store.get((lens.network, source))
    if calibrated is None:
        calibrated = _calibrate(lens, source, progress)
        store.put((lens.network, source), calibrated)
    return compare(calibrated.branches, pixels, progress=progress, **options)


def _calibrate(lens: Lens, source: Source, progress: Report) -> Lens:
    info = lens.info
    images = load_images(
        source.name, info.input_size, split="train", classes=info.classes, limit=source.limit
    )
    checkpoint = calibrate(
        Checkpoint(lens.model, info),
        images.pixels,
        images.labels,
        CALIBRATED_UNDER,
        batch_size=_BATCH,
        progress=progress,
    )
    return make_lens(checkpoint, lens.network)
