"""An evaluation: corruptions against plain NumPy, PGD over a data set against torchattacks.

What is measured against is what a person would write without this library: the corruptions one
photo at a time (`benchmarks.plain_corruptions`), and torchattacks in a plain loop over batches of
the same size, on the same branch and device. The parity of accuracies is printed with the interval
of their paired difference, for all attack the same images.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.datasets.named import load_images
from advprop_core.evaluation.cells import PHOTO_SIZE, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import BATCH_SIZE
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.folding import fold
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from benchmarks.attacks import BRANCH, CONFIG, OURS, peers
from benchmarks.attacks import ours as ours_folded
from benchmarks.plain_corruptions import KINDS
from benchmarks.subjects import Subject, open_subject
from benchmarks.timing import interleave, ratio, verdict

IMAGES, ROUNDS = 1000, 8
PARITY_IMAGES = 500
PLAIN = 20  # photos that corruptions are timed on in NumPy; ours on IMAGES
SHORT = AutoAttackConfig(epsilon=CONFIG.epsilon, steps=20, queries=300)
SHORT_IMAGES = 24
_Z = 1.959964


def run(data: Path | None) -> dict[str, Any]:
    subject = open_subject(data, IMAGES)
    return {
        "subject": subject.title,
        "corruptions": _corruptions(data),
        "accuracy": _accuracy_speed(subject),
        "parity": _parity(subject),
        "autoattack": _autoattack_parity(subject),
    }


def _corruptions(data: Path | None) -> dict[str, Any]:
    """Seconds a photo takes through all 15 kinds at all 5 severities."""
    photos = load_images(str(data or "shapes"), PHOTO_SIZE, limit=IMAGES).pixels
    singles = [photo.permute(1, 2, 0).double().numpy() / 255 for photo in photos[:PLAIN]]
    corrupt(photos[:2] / 255, CorruptionConfig("frost", 1))  # its textures are drawn once
    batched, plain = {}, {}
    for kind in CORRUPTIONS:
        batched[kind] = _seconds(partial(_ours, photos, kind)) / len(photos)
        plain[kind] = _seconds(partial(_plain, singles, kind)) / len(singles)
    gain = sum(plain.values()) / sum(batched.values())
    print(f"  15 corruptions at 5 severities of a photo at {PHOTO_SIZE} px")
    for kind in CORRUPTIONS:
        print(
            f"    {kind:18} {batched[kind] * 1000:7.1f} ms of {len(photos)}, "
            f"{plain[kind] * 1000:8.1f} ms alone in NumPy: {plain[kind] / batched[kind]:6.1f}×"
        )
    slow = plain["glass_blur"], batched["glass_blur"]  # its plain form is a loop over pixels
    without = (sum(plain.values()) - slow[0]) / (sum(batched.values()) - slow[1])
    print(
        f"    all: {sum(batched.values()) * 1000:.0f} ms against {sum(plain.values()) * 1000:.0f} "
        f"ms, {gain:.1f}× (target 5×: {verdict(gain >= 5)}); without glass blur {without:.1f}×"
    )
    return {"batched": batched, "plain": plain, "ratio": gain, "ratio_without_glass": without}


def _ours(photos: Tensor, kind: str) -> None:
    for severity in SEVERITIES:
        for part in photos.split(BATCH_SIZE):
            corrupt(part / 255, CorruptionConfig(kind, severity))


def _plain(photos: list[np.ndarray], kind: str) -> None:
    draw = np.random.default_rng(0)
    for photo in photos:
        for level in range(len(SEVERITIES)):
            KINDS[kind](photo, level, draw).clip(0, 1)


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _accuracy_speed(subject: Subject) -> dict[str, Any]:
    """PGD-10 accuracy over the whole folder, in as many parts as there are rounds."""
    plain = subject.model.branch(BRANCH)
    perturb = peers(plain)["torchattacks"]
    images = (subject.pixels * 255).round().byte()

    def ours(images: Tensor, labels: Tensor) -> float:
        tested = TestedModel("", subject.model, images, labels, (BRANCH,))
        (result,) = evaluate(Suite([tested], [Condition(CONFIG)])).results
        return result.top1

    def loop(images: Tensor, labels: Tensor) -> float:
        right = 0
        for part, wanted in zip(images.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
            right += int(_right(plain, perturb(part.float() / 255, wanted), wanted).sum())
        return right / len(labels)

    torch.manual_seed(0)
    part = -(-len(images) // ROUNDS)
    parts = list(zip(images.split(part), subject.labels.split(part), strict=True))
    seconds = interleave({OURS: ours, "torchattacks": loop}, parts, len(parts), warm_up=1)
    gain = ratio(seconds["torchattacks"], seconds[OURS])
    print(f"  {CONFIG.name} accuracy of {BRANCH}, {subject.title}, batches of {BATCH_SIZE}")
    for name, values in seconds.items():
        print(f"    {name:13} {part / statistics.median(values):7.1f} images/s")
    print(
        f"    {gain['median']:.2f}× the plain loop (half of the rounds within {gain['low']:.2f}–"
        f"{gain['high']:.2f}; target 1.5×: {verdict(gain['median'] >= 1.5)})"
    )
    return {"seconds": seconds, "ratio": gain}


def _parity(subject: Subject) -> dict[str, Any]:
    """The same images under PGD-10 of each library, judged by the plain branch."""
    plain = subject.model.branch(BRANCH)
    pixels, labels = subject.pixels[:PARITY_IMAGES], subject.labels[:PARITY_IMAGES]
    own = ours_folded(fold(plain, pixels[:1]))
    torch.manual_seed(0)
    right = {
        name: _judged(plain, perturb, pixels, labels)
        for name, perturb in {OURS: own, **peers(plain)}.items()
    }
    print(f"  {CONFIG.name} accuracy of the same {len(labels)} images")
    return _compared(right)


def _autoattack_parity(subject: Subject) -> dict[str, Any]:
    """The members of AutoAttack against those of torchattacks, both with few steps."""
    import torchattacks  # type: ignore[import-untyped]

    plain = subject.model.branch(BRANCH)
    pixels, labels = subject.pixels[:SHORT_IMAGES], subject.labels[:SHORT_IMAGES]
    classes = plain(pixels[:1]).shape[1]
    size = {"norm": "Linf", "eps": SHORT.epsilon}
    steps = {"steps": SHORT.steps, **size}
    theirs = {
        "APGD-CE": torchattacks.APGD(plain, **steps),
        "APGD-T": torchattacks.APGDT(plain, n_classes=classes, **steps),
        "FAB-T": torchattacks.FAB(plain, n_classes=classes, multi_targeted=True, **steps),
        "Square": torchattacks.Square(plain, n_queries=SHORT.queries, **size),
    }
    folded, results = fold(plain, pixels[:1]), {}
    print(f"  {SHORT.name}, the same {len(labels)} images")
    for member, attack in theirs.items():
        print(f"   {member}")

        def ours(pixels: Tensor, labels: Tensor, member: str = member) -> Tensor:
            return auto_attack(folded, pixels, labels, SHORT, [member]).adversarial

        right = {
            OURS: _judged(plain, ours, pixels, labels),
            "torchattacks": _judged(plain, attack, pixels, labels),
        }
        results[member] = _compared(right)
    whole = auto_attack(folded, pixels, labels, SHORT).robust_accuracy
    least = min(one["accuracy"][OURS] for one in results.values())
    print(
        f"    all four {whole:.1%}, the best of them alone {least:.1%}: {verdict(whole <= least)}"
    )
    return {"members": results, "all": whole}


def _compared(right: Mapping[str, Tensor]) -> dict[str, Any]:
    """Accuracies, and each peer's paired difference from ours with its 95 % interval."""
    accuracy = {name: float(own.double().mean()) for name, own in right.items()}
    differences = {}
    for name, own in right.items():
        print(f"    {name:13} {accuracy[name]:6.1%}", end="")
        if name == OURS:
            print()
            continue
        n = len(own)
        only_ours = int((right[OURS] & ~own).sum())
        only_theirs = int((~right[OURS] & own).sum())
        difference = (only_ours - only_theirs) / n
        # As in McNemar's test, only images that the two judge differently tell anything.
        error = (only_ours + only_theirs - n * difference**2) ** 0.5 / n
        low, high = difference - _Z * error, difference + _Z * error
        print(
            f"   ours − theirs {difference:+.1%} ({low:+.1%} to {high:+.1%}, {only_ours} and "
            f"{only_theirs} images differ): {'agree' if low <= 0 <= high else 'DISAGREE'}"
        )
        differences[name] = {"difference": difference, "interval": [low, high]}
    return {"accuracy": accuracy, "differences": differences}


def _judged(
    plain: nn.Module, perturb: Callable[[Tensor, Tensor], Tensor], pixels: Tensor, labels: Tensor
) -> Tensor:
    pairs = zip(pixels.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True)
    return torch.cat([_right(plain, perturb(*pair), pair[1]) for pair in pairs])


def _right(plain: nn.Module, pixels: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return plain(pixels).argmax(1) == labels
