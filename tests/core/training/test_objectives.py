"""Each objective's step against the same step written out in formulas.

Double precision, or a slope near zero could round to another sign and move a pixel.
"""

import pytest
import torch
from torch.nn import functional as F

from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.training import inputs
from advprop_core.training.batch import Batch, mixed_seed
from advprop_core.training.objectives import make_plan
from advprop_core.training.recipe import OBJECTIVES, Attacker, Recipe

HALVES = (0.5, 0.5, 0.5)
SEED, SMOOTHING = 11, 0.1
EPSILON, STEP = 8 / 255, 3 / 255
PGD = Attacker("pgd", "linf", EPSILON, 2, STEP)
ONE_STEP = Attacker("pgd", "linf", EPSILON, 1, STEP)


class ByHand:
    """The tiny network in formulas, with values of its own."""

    def __init__(self, model):
        self.values = {key: value.clone() for key, value in model.state_dict().items()}
        for key, value in self.values.items():
            value.requires_grad_(key.endswith(("weight", "bias")))

    def __call__(self, pixels, branch="main", training=True):
        own = self.values
        x = F.conv2d((pixels - 0.5) / 0.5, own["0.weight"], padding=1)
        x = self.normalise(x, "1", branch, training).relu()
        x = F.conv2d(x, own["3.weight"], own["3.bias"], stride=2, padding=1)
        x = self.normalise(x, "4", branch, training).relu()
        return x.mean((2, 3)) @ own["8.weight"].T + own["8.bias"]

    def normalise(self, x, layer, branch, training):
        own, place = self.values, layer
        if branch != "main":
            place += f".aux_bn.{int(branch[3:] or 1) - 1}"
        mean, var = own[f"{place}.running_mean"], own[f"{place}.running_var"]
        if training:
            was, spread, count = mean, var, x[:, 0].numel()
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            own[f"{place}.running_mean"] = 0.9 * was + 0.1 * mean.detach()
            unbiased = var.detach() * count / (count - 1)
            own[f"{place}.running_var"] = 0.9 * spread + 0.1 * unbiased
            own[f"{place}.num_batches_tracked"] += 1
        mean, var, weight, bias = (
            t[:, None, None] for t in (mean, var, own[f"{place}.weight"], own[f"{place}.bias"])
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias


def entropy(logits, labels, smoothing=SMOOTHING):
    """Mean over the images."""
    log = logits - logits.logsumexp(1, keepdim=True)
    wanted = F.one_hot(labels, 4) * (1 - smoothing) + smoothing / 4
    return -(wanted * log).sum(1).mean()


def noised(x, radius=EPSILON):
    draw = torch.rand(x.shape, generator=torch.Generator().manual_seed(SEED))
    return (x + (draw * 2 - 1) * radius).clamp(0, 1)


def climbed(x, point, loss, radius=EPSILON, step=STEP, steps=2):
    for _ in range(steps):
        point = point.detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss(point), point)
        point = (x + (point + step * slope.sign() - x).clamp(-radius, radius)).clamp(0, 1)
    return point.detach()


def attacked(net, x, y, branch="main", scale=1.0):
    """Through running statistics, on labels that are not smoothed."""

    def loss(point):
        return entropy(net(point, branch, training=False), y, smoothing=0.0)

    return climbed(x, noised(x, EPSILON * scale), loss, EPSILON * scale, STEP * scale)


# Each gives the loss, and what is logged of it.


def vanilla(net, x, y):
    clean = entropy(net(x), y)
    return clean, {"main/clean": clean}


def adversarial(net, x, y):
    loss = entropy(net(attacked(net, x, y)), y)
    return loss, {"main/adversarial": loss}


def mixed(net, x, y):
    logits = net(torch.cat([x, attacked(net, x, y)]))
    clean, loss = entropy(logits[: len(x)], y), entropy(logits[len(x) :], y)
    return clean + loss, {"main/clean": clean, "main/adversarial": loss}


def advprop(net, x, y):
    moved = attacked(net, x, y, "aux")
    clean, loss = entropy(net(x), y), entropy(net(moved, "aux"), y)
    return clean + loss, {"main/clean": clean, "aux/adversarial": loss}


def advprop_of_two_radii(net, x, y):
    full, quarter = attacked(net, x, y, "aux"), attacked(net, x, y, "aux2", scale=1 / 4)
    parts = {
        "main/clean": entropy(net(x), y),
        "aux/adversarial": entropy(net(full, "aux"), y),
        "aux2/adversarial": entropy(net(quarter, "aux2"), y),
    }
    return sum(parts.values()), parts


def fast_advprop(net, x, y):
    """Two of five images are attacked, by the gradient that is kept for the update."""
    start = noised(x[:2]).requires_grad_()
    noisy = entropy(net(start, "aux"), y[:2])
    (slope,) = torch.autograd.grad(noisy, start, retain_graph=True)
    shift = (start.detach() + STEP * slope.sign() - x[:2]).clamp(-EPSILON, EPSILON)
    clean = entropy(net(x[2:]), y[2:])
    loss = entropy(net((x[:2] + shift).clamp(0, 1), "aux"), y[:2])
    parts = {"main/clean": clean, "aux/noisy": noisy, "aux/adversarial": loss}
    return 0.6 * clean + 0.4 * (noisy / 2 + loss / 2), parts


def adv_reg(net, x, y):
    point = x.clone().requires_grad_()
    loss = entropy(net(point, training=False), y, smoothing=0.0)
    (slope,) = torch.autograd.grad(loss, point)
    near = (x + EPSILON * slope.sign()).clamp(0, 1)
    clean, loss = entropy(net(x), y), entropy(net(near), y)
    return clean + 0.2 * loss, {"main/clean": clean, "main/adversarial": loss}


def divergence(before, after):
    p, q = before.softmax(1), after.softmax(1)
    return (p * (p / q).log()).sum(1).mean()


def trades(net, x, y):
    natural = net(x, training=False).detach()
    moved = climbed(x, noised(x), lambda point: divergence(natural, net(point, training=False)))
    clean, after = net(x), net(moved)
    loss, apart = entropy(clean, y), divergence(clean, after)
    return loss + 6 * apart, {"main/clean": loss, "main/adversarial": apart}


CASES = {
    "vanilla": (vanilla, {}),
    "adversarial": (adversarial, {"attack": PGD}),
    "mixed": (mixed, {"attack": PGD}),
    "advprop": (advprop, {"attack": PGD}),
    "advprop, two radii": (
        advprop_of_two_radii,
        {"attack": PGD, "auxiliaries": ("8/255", "2/255")},
    ),
    # 0.45 of five images are two, and weigh as two
    "fast-advprop": (fast_advprop, {"attack": ONE_STEP, "adversarial_share": 0.45}),
    "adv-reg": (adv_reg, {"attack": Attacker("fgsm", epsilon=EPSILON)}),
    "trades": (trades, {"attack": PGD}),
}


def recipe_of(case, **fields):
    fields = {"label_smoothing": SMOOTHING, **CASES[case][1], **fields}
    return Recipe(objective=case.partition(",")[0], **fields)


def prepared(make_tiny, randomise, recipe):
    """A model that has changed since its plan was made, as after a few steps."""
    model = DualBNModel(make_tiny(), HALVES, HALVES, recipe.auxiliary_count).double().train()
    plan = make_plan(model, recipe, classes=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.25)
    randomise(model)
    return model, plan


def step(model, plan, batch):
    """What a run does before the optimiser: (loss, parts)."""
    total, parts, passes = 0.0, {}, 0
    for outcome in plan.step(model, batch):
        outcome.loss.backward()
        total += outcome.loss.item()
        parts |= outcome.figures
        passes += 1
    assert passes == plan.passes
    for name, factor in outcome.norm_scales.items():
        for norm in norm_layers(model.branch(name)).values():
            norm.weight.grad *= factor
            norm.bias.grad *= factor
    return total, parts


def close(ours, theirs, message=None):
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, msg=message)


def assert_same_step(model, net, batch, plan, expected, norm_scales=()):
    loss, parts = expected
    loss.backward()
    for key, value in net.values.items():
        if value.grad is not None:
            aux, norm = ".aux_bn." in key, key[0] in "14"
            value.grad *= dict(norm_scales).get("aux" if aux else "main", 1) if norm else 1
    total, ours = step(model, plan, batch)
    assert total == pytest.approx(loss.item(), rel=1e-5)
    assert {key: part.loss.item() for key, part in ours.items()} == {
        key: pytest.approx(value.item(), rel=1e-5, abs=1e-7) for key, value in parts.items()
    }
    for key, value in model.state_dict(keep_vars=True).items():
        close(value, net.values[key], key)  # weights have not moved, statistics have
        if value.requires_grad:
            assert net.values[key].grad.abs().max() > 1e-7 or key == "3.bias", key
            close(value.grad, net.values[key].grad, f"gradient of {key}")


def batch_of(pixels, **fields):
    return Batch(pixels(5, 16).double(), torch.tensor([0, 1, 2, 3, 1]), SEED, **fields)


@pytest.mark.parametrize("case", CASES)
def test_loss_gradients_and_statistics_are_those_of_the_formulas(
    case, make_tiny, randomise, pixels
):
    model, plan = prepared(make_tiny, randomise, recipe_of(case))
    net, batch = ByHand(model), batch_of(pixels)
    # Shared weights, main's norm layers and aux's each get an average over what reaches them.
    scales = {"main": 1 / 0.6, "aux": 1 / 0.4} if case == "fast-advprop" else {}
    expected = CASES[case][0](net, batch.pixels, batch.targets)
    assert_same_step(model, net, batch, plan, expected, scales)


def test_every_objective_is_among_the_cases():
    apart = {"auxiliary"}  # which has a file of its own
    assert {case.partition(",")[0] for case in CASES} == set(OBJECTIVES) - apart


@pytest.mark.parametrize("case", CASES)
def test_targets_that_are_certain_probabilities_are_labels(case, make_tiny, randomise, pixels):
    """MixUp gives (N, C) targets to every objective."""
    figures = []
    for soft in (False, True):
        model, plan = prepared(make_tiny, randomise, recipe_of(case))
        batch = batch_of(pixels)
        targets = F.one_hot(batch.targets, 4).float() if soft else batch.targets
        loss, parts = step(model, plan, Batch(batch.pixels, targets, SEED))
        hits = {key: part.hits.item() for key, part in parts.items()}
        figures.append((loss, hits, model.branch("main").network[0].weight.grad))
    (loss, hits, gradient), (soft_loss, soft_hits, soft_gradient) = figures
    assert soft_loss == pytest.approx(loss, rel=1e-5)
    assert soft_hits == hits
    close(soft_gradient, gradient)


def test_auxiliary_branches_are_shown_noises_corruptions_and_colours(make_tiny, randomise, pixels):
    shown = ("gaussian:0.1", "fog:3", "color-jitter:0")
    model, plan = prepared(make_tiny, randomise, recipe_of("advprop", auxiliaries=shown))
    model.float()
    batch = Batch(pixels(3, 32), torch.tensor([0, 1, 2]), SEED)
    net, x = ByHand(model), batch.pixels
    drawn = torch.Generator().manual_seed(mixed_seed(SEED, inputs._NOISE))
    draw = torch.randn(x.shape, generator=drawn)
    images = {
        "main/clean": x,
        "aux/gaussian": (x + 0.1 * draw).clamp(0, 1),
        "aux2/fog": corrupt(x, CorruptionConfig("fog", 3, SEED)),
        "aux3/color-jitter": x,
    }
    parts = {
        key: entropy(net(image, key.partition("/")[0]), batch.targets)
        for key, image in images.items()
    }
    assert_same_step(model, net, batch, plan, (sum(parts.values()), parts))


LITERAL = {  # in units of the one loss that there is
    "vanilla": 1,
    "adversarial": 1,
    "mixed": 2,  # Lc + La, not the mean over both
    "advprop": 2,
    "advprop, two radii": 3,
    "fast-advprop": 1,
    "adv-reg": 1.2,
    "trades": 1,  # both outputs are alike
}


@pytest.mark.parametrize("case", CASES)
def test_a_head_of_zeros_loses_the_logarithm_of_the_classes(case, make_tiny, randomise, pixels):
    model, plan = prepared(make_tiny, randomise, recipe_of(case, label_smoothing=0.0))
    with torch.no_grad():
        model.branch("main").network[8].weight.zero_()
        model.branch("main").network[8].bias.zero_()
    loss, _ = step(model, plan, batch_of(pixels))
    assert loss == pytest.approx(LITERAL[case] * 1.3862944, rel=1e-6)
