"""The whole comparison, as the app asks for it: attack, four predictions, four maps.

On `imagenet-lite0` at 224 pixels it is measured beside torchattacks and pytorch-grad-cam, which do
the same work on the plain branches: PGD-10 through main, both branches' answers to both pictures
and to the perturbed one as a PNG keeps it, and Grad-CAM of both for both, a batch at a time.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import skimage.data
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from advprop_core.attribution.layers import default_layer
from advprop_core.compare.compare import MapRequest, compare
from advprop_core.models.bundle import open_model
from advprop_core.models.folding import fold
from advprop_core.pictures.decoding import quantize, to_pixels
from advprop_core.predict import predict
from advprop_core.types import AttackConfig
from benchmarks.subjects import open_subject
from benchmarks.timing import cores, interleave, ratio, verdict

CONFIG = AttackConfig.pgd(4 / 255, steps=10)
REPEATS = 10
TARGET = 0.5  # seconds on two cores, with Grad-CAM
METHODS = ("grad-cam", "integrated-gradients")


ROUNDS = 8
FIRST, WHOLE, GAIN = 0.3, 1.2, 2.0  # seconds until answers, until all; times the peers' speed


def run(data: Path | None) -> dict[str, Any]:
    results = {"own": _own(data)}
    for threads in sorted({cores(), 1}, reverse=True):  # as the app's workers
        torch.set_num_threads(threads)
        results[f"imagenet-lite0, threads: {threads}"] = _beside_peers()
    torch.set_num_threads(cores())
    return results


def _own(data: Path | None) -> dict[str, Any]:
    subject = open_subject(data, REPEATS)
    model, example = subject.model, subject.pixels[:1]
    start = time.perf_counter()
    branches = {name: fold(model.branch(name), example) for name in model.branch_names}
    folding = time.perf_counter() - start

    def compare_with(method: str, pixels: Tensor, label: Tensor) -> object:
        return compare(
            branches,
            pixels,
            CONFIG,
            attack_branch="main",
            true_class=int(label),
            maps=MapRequest(method),
        )

    images = list(zip(subject.pixels.split(1), subject.labels, strict=True))
    seconds = interleave(
        {method: partial(compare_with, method) for method in METHODS}, images, REPEATS
    )
    print(f"{CONFIG.name}, four predictions and four maps of one image with {subject.title}")
    print(f"  folding both branches took {folding:.2f} s, once; it is not part of what follows")
    middle = {method: statistics.median(values) for method, values in seconds.items()}
    for method, value in middle.items():
        low, high = min(seconds[method]), max(seconds[method])
        target = f"; target {TARGET} s: {verdict(value < TARGET)}" if method == METHODS[0] else ""
        print(f"  {method:20} {value:.3f} s, median of {REPEATS} ({low:.3f}–{high:.3f} s){target}")
    return {
        "subject": subject.title,
        "folding_seconds": folding,
        "seconds": seconds,
        "median": middle,
        "target": TARGET,
    }


def _beside_peers() -> dict[str, Any]:
    try:
        import torchattacks  # type: ignore[import-untyped]
    except ImportError as error:
        raise SystemExit(f"{error.name} is missing: run `make bench`, which installs it") from None
    checkpoint = open_model("imagenet-lite0")
    size = checkpoint.info.input_size
    image = to_pixels(Image.fromarray(skimage.data.chelsea()), size)
    plain = {name: checkpoint.model.branch(name) for name in ("main", "aux")}
    branches = {name: fold(branch, image) for name, branch in plain.items()}
    label = predict(branches["main"], image)[0].class_index
    layer = default_layer(plain["main"], image)  # the app knows it, too, before it is asked

    def first(pixels: Tensor) -> object:
        return [predict(branch, pixels) for branch in branches.values()]

    def ours(pixels: Tensor) -> object:
        request = MapRequest("grad-cam", layer)
        return compare(branches, pixels, CONFIG, attack_branch="main", maps=request)

    def peers(pixels: Tensor) -> object:
        attack = torchattacks.PGD(
            plain["main"], eps=CONFIG.epsilon, alpha=CONFIG.step_size, steps=CONFIG.steps
        )
        perturbed = attack(pixels, torch.tensor([label]))
        both = torch.cat([pixels, perturbed])
        pictures = torch.cat([both, quantize(perturbed)])
        answers = {}
        for name, branch in plain.items():
            with torch.no_grad():
                answers[name] = branch(pictures).softmax(1)
            with GradCAM(branch, [branch.network.get_submodule(layer)]) as camera:
                camera(both.clone().requires_grad_(), [ClassifierOutputTarget(label)] * 2)
        return answers

    contenders = {"first answers": first, "ours": ours, "torchattacks + pytorch-grad-cam": peers}
    seconds = interleave(contenders, [(image,)], ROUNDS)
    gain = ratio(seconds["torchattacks + pytorch-grad-cam"], seconds["ours"])
    print(
        f"the same with imagenet-lite0 at {size} px, and two published tools beside it; "
        f"torch threads: {torch.get_num_threads()}"
    )
    targets = {"first answers": FIRST, "ours": WHOLE}
    for name, values in seconds.items():
        middle = statistics.median(values)
        target = ""
        if name in targets:
            target = f"; target {targets[name]} s: {verdict(middle < targets[name])}"
        print(f"  {name:32} {middle:.3f} s, median of {ROUNDS}{target}")
    print(
        f"  ours is {gain['median']:.2f} times as fast ({gain['low']:.2f}–{gain['high']:.2f}); "
        f"target {GAIN}: {verdict(gain['median'] >= GAIN)}"
    )
    return {"seconds": seconds, "gain": gain}
