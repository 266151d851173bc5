"""Training steps: AdvProp against vanilla and its arithmetic floor, and against a plain port."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
from accelerate import Accelerator
from torch import Tensor

from advprop_core.cli.memory import keep_freed_memory
from advprop_core.datasets.listed import Images
from advprop_core.training.data import TrainingData
from advprop_core.training.network import new_model
from advprop_core.training.recipe import Attacker, Augmentation, ObjectiveName, Precision, Recipe
from advprop_core.training.sources import InMemory
from advprop_core.training.trainer import Trainer
from benchmarks.port import PortedAdvProp, port_step
from benchmarks.timing import interleave, ratio, verdict

ROUNDS = 8
CLASSES = tuple((f"class {i}", f"class {i}") for i in range(10))


def run(data: Path | None) -> dict[str, Any]:
    """Speed does not depend on the photos, so ``data`` is not read."""
    keep_freed_memory()  # as `advprop train` does; the port gets the same
    on_gpu = torch.cuda.is_available()
    small = ("resnet50", 224, 256, 20) if on_gpu else ("regnetx_002", 96, 256, ROUNDS)
    large = ("resnet50", 224, 256, 20) if on_gpu else ("resnet50", 224, 8, 3)
    return {"objectives": _objectives(*small), "port": _against_port(*large)}


def _objectives(architecture: str, size: int, batch: int, rounds: int) -> dict[str, Any]:
    make = partial(_stepper, architecture, size, batch)
    contenders = {
        "vanilla": make("vanilla", 1),
        "advprop K=1": make("advprop", 1),
        "advprop K=5": make("advprop", 5),
        "fast-advprop": make("fast-advprop", 1),
    }
    seconds = interleave(contenders, [()], rounds)
    print(f"  {architecture}, {size} px, batch {batch}")
    floors = {"advprop K=1": 8 / 3, "advprop K=5": 16 / 3, "fast-advprop": 1.2}
    slack = {"advprop K=1": 1.1, "advprop K=5": 1.1, "fast-advprop": 1.1}
    results: dict[str, Any] = {
        "images_per_second": {
            name: batch / statistics.median(values) for name, values in seconds.items()
        }
    }
    print(f"    vanilla       {results['images_per_second']['vanilla']:8.0f} images/s")
    for name, floor in floors.items():
        cost = ratio(seconds[name], seconds["vanilla"])
        results[name] = {"cost": cost, "floor": floor}
        print(
            f"    {name:13} {results['images_per_second'][name]:8.0f} images/s, "
            f"{cost['median']:.2f}x vanilla (quartiles {cost['low']:.2f}-{cost['high']:.2f}; "
            f"floor {floor:.2f}, target at most {floor * slack[name]:.2f}: "
            f"{verdict(cost['median'] <= floor * slack[name])})"
        )
    return results


def _against_port(architecture: str, size: int, batch: int, rounds: int) -> dict[str, Any]:
    target = 3.0 if torch.cuda.is_available() else 1.3
    results = {}
    for steps in (1, 5):
        make = partial(_stepper, architecture, size, batch, "advprop", steps)
        contenders = {
            "port": _port_stepper(architecture, size, batch, steps),
            **{f"ours, {precision}": make(precision) for precision in _precisions()},
        }
        seconds = interleave(contenders, [()], rounds, warm_up=1)
        for name in list(contenders)[1:]:
            gain = ratio(seconds["port"], seconds[name])
            results[f"K={steps}, {name}"] = gain
            print(
                f"  {architecture}, {size} px, batch {batch}, K={steps}: {name} "
                f"{gain['median']:.2f}x the plain port (quartiles {gain['low']:.2f}-"
                f"{gain['high']:.2f}; target {target}: {verdict(gain['median'] >= target)})"
            )
    return results


def _precisions() -> tuple[Precision, ...]:
    """The port computes in float32; ours too, and in bfloat16 where the machine has it."""
    fast = torch.cuda.is_available() or torch.cpu.get_capabilities().get("amx_bf16")
    return ("float32", "bfloat16") if fast else ("float32",)


def _stepper(
    architecture: str,
    size: int,
    batch: int,
    objective: ObjectiveName,
    steps: int,
    precision: Precision = "auto",
) -> Callable[[], None]:
    """One training step of ours, on images that stay the same."""
    recipe = Recipe(
        architecture=architecture,
        objective=objective,
        attack=Attacker(epsilon=4 / 255, steps=steps, step_size=1 / 255),
        augmentation=Augmentation(crop_scale=1.0, flip=False),
        size=size,
        batch_size=batch,
        warmup_epochs=0,
        precision=precision,
        learning_rate=0.001,
    )
    accelerator = Accelerator()
    images, labels = _images(batch, size)
    source = InMemory(
        images.to(accelerator.device), labels.to(accelerator.device), recipe, len(CLASSES)
    )
    data = TrainingData(source, None, Images(images[:0], labels[:0], CLASSES), "")
    model, _ = new_model(recipe, CLASSES)
    nowhere = Path(tempfile.gettempdir()) / "advprop-bench-writes-nothing"
    trainer = Trainer(recipe, data, nowhere, accelerator, model, "")
    (photos,) = source.epoch(0, 0, accelerator.device)

    def step() -> None:
        trainer.step(photos, 0)
        _wait()

    return step


def _port_stepper(architecture: str, size: int, batch: int, steps: int) -> Callable[[], None]:
    from advprop_core.types import AttackConfig

    device = Accelerator().device
    network = timm.create_model(architecture, num_classes=len(CLASSES))
    config = AttackConfig.pgd(4 / 255, steps=steps, step_size=1 / 255)
    model = PortedAdvProp(network, config, std=0.226).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, nesterov=True)
    images, labels = _images(batch, size)
    x, y = ((images.float() / 255 - 0.45) / 0.226).to(device), labels.to(device)

    def step() -> None:
        port_step(model, optimizer, x, y)
        _wait()

    return step


def _images(batch: int, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, generator=generator)
    return images, torch.randint(0, len(CLASSES), (batch,), generator=generator)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
