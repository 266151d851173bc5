"""Numbers that the page's engine must reproduce, written for its tests in Node."""

import base64
import json

import torch

from advprop_core.attacks import digits
from advprop_core.attacks.gradient import attack, random_start
from advprop_core.browser.graph import Step
from advprop_core.browser.lessons import lesson_material
from advprop_core.browser.network import page_network
from advprop_core.browser.tiny_training import (
    draw_scenes,
    evaluation_graph,
    training_graph,
    training_plan,
)
from advprop_core.datasets.named import load_images
from advprop_core.types import AttackConfig

CONFIGS = (
    AttackConfig.pgd(2 / 255, steps=10),
    AttackConfig.pgd(0.5, norm="l2", steps=5),
    AttackConfig.fgsm(2 / 255),
    AttackConfig.pgd(2 / 255, steps=5, target_class=1),
)


LEARNT = 32  # pictures, all of them in each step


def write_training(folder):
    """plan.json, levels.bin, step.onnx and evaluation.onnx of the network that a page trains."""
    train, validation = draw_scenes("train", LEARNT), draw_scenes("val", 10)
    plan = training_plan(train, validation, ["advprop"]) | {"batch": LEARNT}
    (folder / "plan.json").write_text(json.dumps(plan))
    images = [scene.image.transpose(2, 0, 1) for scene in [*train, *validation]]
    (folder / "levels.bin").write_bytes(b"".join(image.tobytes() for image in images))
    (folder / "step.onnx").write_bytes(training_graph("advprop", LEARNT))
    (folder / "evaluation.onnx").write_bytes(evaluation_graph(len(validation)))


def write_cases(checkpoint, name, folder, count):
    """Files of a network, of what it makes of drawn scenes, and of the digits of the lessons."""
    network = page_network(checkpoint, name)
    (folder / "graph.onnx").write_bytes(network.assets[f"graph:{name}"])
    (folder / "norms.bin").write_bytes(network.assets[f"norms:{name}"])
    (folder / "manifest.json").write_text(json.dumps(network.entry))
    info, model = checkpoint.info, checkpoint.model
    step = Step(model, info.input_size)
    images = load_images("shapes", info.input_size, classes=info.classes, limit=count)
    cases = []
    for number, (levels, label) in enumerate(
        zip(images.pixels, images.labels.tolist(), strict=True)
    ):
        branch = model.branch_names[number % len(model.branch_names)]
        config = CONFIGS[number // len(model.branch_names) % len(CONFIGS)]
        cases.append(_case(step, model, branch, levels, label, config))
    (folder / "cases.json").write_text(json.dumps(cases))
    lessons = {"material": lesson_material(), "errors": digits.begin().errors()}
    (folder / "lessons.json").write_text(json.dumps(lessons))
    return cases


def _case(step, model, branch, levels, label, config):
    from advprop_core.browser.norms import norm_vector

    norm = norm_vector(model.branch(branch))
    through = step.through(norm)
    pixels = levels[None].float() / 255
    start = random_start(pixels, config) if config.random_start else pixels
    perturbed = attack(through, pixels, torch.tensor([label]), config)
    with torch.no_grad():
        logits = through(perturbed)
    answer = torch.zeros_like(logits)
    answer[0, logits.argmax()] = 1
    _, gradient, cam = step(perturbed, answer, torch.zeros(1), norm)
    return {
        "branch": branch,
        "norm": config.norm,
        "epsilon": config.epsilon,
        "step_size": config.step_size,
        "steps": config.steps,
        "label": label,
        "target": config.target_class,
        "pixels": base64.b64encode(levels.numpy().tobytes()).decode(),
        "start": _floats(start),
        "perturbed": _floats(perturbed),
        "logits": logits[0].tolist(),
        "saliency": _floats(gradient.abs().amax(1)),
        "cam": cam.flatten().tolist(),
    }


def _floats(values):
    return base64.b64encode(values.contiguous().numpy().astype("<f4").tobytes()).decode()
