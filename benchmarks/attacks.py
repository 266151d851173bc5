"""PGD-10 against torchattacks and foolbox: the same settings, branch, images and judge.

Ours runs as the library is used (see `advprop_core.evaluation`): the branch folded once, pixels
channels-last. The peers run as their documentation says, on the plain branch in eval mode. For
all three it is frozen, so that no one computes weight gradients, and of foolbox only `run` is
timed, which leaves out the checks around the attack and its last forward pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import attack
from advprop_core.models.folding import fold
from advprop_core.text import radius
from advprop_core.types import AttackConfig
from benchmarks.subjects import open_subject
from benchmarks.timing import interleave, ratio, summary, verdict

CONFIG = AttackConfig.pgd(2 / 255, steps=10, step_size=0.5 / 255)
BRANCH = "aux"  # the branch that AdvProp attacks through
OURS = "advprop_core"
IMAGES = 128

Attack = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Size:
    """A batch size, how often it is measured, and how many times faster we mean to be."""

    batch: int
    rounds: int
    target: float


SIZES = (Size(16, 24, 1.5), Size(1, 48, 1.3))


def run(data: Path | None) -> dict[str, Any]:
    subject = open_subject(data, IMAGES)
    plain = subject.model.branch(BRANCH)
    start = time.perf_counter()
    folded = fold(plain, subject.pixels[:1])
    folding = time.perf_counter() - start
    print(
        f"{CONFIG.name}, L∞ ≤ {radius(CONFIG.epsilon, CONFIG.norm)}, step "
        f"{CONFIG.step_size * 255:g}/255, random start, through {BRANCH} of {subject.title}"
    )
    print(f"  folding took {folding:.2f} s, once per branch; it is not part of what follows")
    contenders = {OURS: ours(folded), **peers(plain)}
    speeds = [_speed(contenders, subject.pixels, subject.labels, size) for size in SIZES]
    success = _success(contenders, plain, subject.pixels, subject.labels)
    return {
        "subject": subject.title,
        "folding_seconds": folding,
        "speed": speeds,
        "success": success,
    }


def ours(folded: nn.Module) -> Attack:
    def perturb(pixels: Tensor, labels: Tensor) -> Tensor:
        return attack(folded, pixels.contiguous(memory_format=torch.channels_last), labels, CONFIG)

    return perturb


def peers(plain: nn.Module) -> dict[str, Attack]:
    try:
        import foolbox
        import torchattacks  # type: ignore[import-untyped]
        from foolbox.models.pytorch import PyTorchModel
    except ImportError as error:
        raise SystemExit(f"{error.name} is missing: run `make bench`, which installs it") from None
    torch_pgd = torchattacks.PGD(
        plain, eps=CONFIG.epsilon, alpha=CONFIG.step_size, steps=CONFIG.steps, random_start=True
    )
    wrapped = PyTorchModel(plain, bounds=(0, 1), device="cpu")
    foolbox_pgd = foolbox.attacks.LinfPGD(
        abs_stepsize=CONFIG.step_size, steps=CONFIG.steps, random_start=True
    )

    def run_foolbox(pixels: Tensor, labels: Tensor) -> Tensor:
        goal = foolbox.criteria.Misclassification(labels)
        found: Tensor = foolbox_pgd.run(wrapped, pixels, goal, epsilon=CONFIG.epsilon)
        return found

    return {"torchattacks": torch_pgd, "foolbox": run_foolbox}


def _speed(
    contenders: Mapping[str, Attack], pixels: Tensor, labels: Tensor, size: Size
) -> dict[str, Any]:
    batches = list(zip(pixels.split(size.batch), labels.split(size.batch), strict=True))
    batches = [batch for batch in batches if len(batch[1]) == size.batch]
    torch.manual_seed(0)  # the peers draw their starts from the global generator
    seconds = interleave(contenders, batches, size.rounds)
    middle = {name: summary(values)["median"] for name, values in seconds.items()}
    peer = min((name for name in middle if name != OURS), key=lambda name: middle[name])
    gain = ratio(seconds[peer], seconds[OURS])
    print(f"  batch {size.batch}, median of {size.rounds} rounds")
    for name, value in middle.items():
        print(f"    {name:13} {size.batch / value:7.1f} images/s   {value * 1000:7.1f} ms a batch")
    print(
        f"    {gain['median']:.2f}× the faster peer, {peer} (half of the rounds within "
        f"{gain['low']:.2f}–{gain['high']:.2f}); target {size.target}×: "
        f"{verdict(gain['median'] >= size.target)}"
    )
    return {
        "batch": size.batch,
        "rounds": size.rounds,
        "images_per_second": {name: size.batch / value for name, value in middle.items()},
        "faster_peer": peer,
        "ratio": gain,
        "target": size.target,
    }


def _success(
    contenders: Mapping[str, Attack], plain: nn.Module, pixels: Tensor, labels: Tensor
) -> dict[str, Any]:
    """The plain branch judges all three, images that were wrong before included."""
    torch.manual_seed(0)
    rates, reach = {}, {}
    for name, perturb in contenders.items():
        found = _in_batches(perturb, pixels, labels)
        rates[name] = _wrong(plain, found, labels)
        reach[name] = float((found - pixels).abs().max())
    before = _wrong(plain, pixels, labels)
    error = (rates[OURS] * (1 - rates[OURS]) / len(labels)) ** 0.5
    print(f"  success on the same {len(labels)} images ({before:.1%} were wrong before)")
    for name, rate in rates.items():
        print(f"    {name:13} {rate:6.1%}   largest change {reach[name] * 255:.3f}/255")
    worst = max(abs(rate - rates[OURS]) for rate in rates.values())
    print(
        f"    largest difference from ours {worst:.1%}, binomial standard error {error:.1%}: "
        f"{'agree' if worst <= 2 * error else 'DISAGREE'}"
    )
    return {
        "images": len(labels),
        "wrong_before": before,
        "rates": rates,
        "largest_change": reach,
        "largest_difference": worst,
        "standard_error": error,
    }


def _in_batches(perturb: Attack, pixels: Tensor, labels: Tensor) -> Tensor:
    size = SIZES[0].batch
    pairs = zip(pixels.split(size), labels.split(size), strict=True)
    return torch.cat([perturb(*pair) for pair in pairs])


def _wrong(module: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        predicted = torch.cat([module(part).argmax(1) for part in pixels.split(32)])
    return float((predicted != labels).float().mean())
