"""What a training step minimises: small functions, from which ``make_plan`` makes each objective.

Written F for a forward pass, a full backward pass costs 2F, and an attack step 2F, for it needs
no weight gradients. With K attack steps an image then costs

==============  ==============  =======================================================
objective       cost            over vanilla's 3F at K = 1
==============  ==============  =======================================================
vanilla         3F              1
adversarial     3F + 2KF        1.67
mixed           6F + 2KF        2.67
advprop         6F + 2KF        2.67 (each further attacked branch adds 3F + 2KF)
fast-advprop    3F (1 + share)  1.2 for a share of 20 %
auxiliary       4F + 2KF        2 (each further branch adds 3F + 2KF)
adv-reg         8F              2.67
trades          7F + 2KF        3 (one forward pass for the attack's own targets)
==============  ==============  =======================================================

Every function takes (forward, batch) and yields outcomes. All forward passes that train weights
go through ``forward``, so that a run on several processes keeps them equal; attacks go through
an eval-mode view, so that they move no statistics and leave no gradient behind. Losses of
different inputs are **summed**, each a mean over its own images: Lc + La, which is twice the
mean over both.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attacks.balls import BALLS
from advprop_core.attacks.gradient import random_start, unchecked_gradient, walk
from advprop_core.models.dual_bn import MAIN, DualBNModel, auxiliary_name
from advprop_core.models.folding import folded_attack_view
from advprop_core.training.batch import (
    Batch,
    Figures,
    Forward,
    Outcome,
    Plan,
    View,
    score,
    shuffle_across_ranks,
)
from advprop_core.training.inputs import Input, at_strength, attack_input, make_input
from advprop_core.training.recipe import Recipe
from advprop_core.types import AttackConfig

AUX = auxiliary_name(0)
CLEAN: Mapping[str, tuple[str, Input]] = {MAIN: ("clean", lambda batch: batch.pixels)}
"""What main is shown: branch to the kind of its images, and what makes them."""


def make_plan(model: DualBNModel, recipe: Recipe, classes: int, *, compiled: bool = False) -> Plan:
    """The recipe's objective for one model, which must already be where it will be trained.

    ``compiled`` says whether the views that attacks go through are.

    Raises:
        InputError: If an auxiliary branch is to be shown something unknown.
    """
    objective, smoothing = recipe.objective, recipe.label_smoothing

    def view(name: str) -> View:
        example = next(model.parameters()).new_zeros(1, 3, recipe.size, recipe.size)
        attacked_view = folded_attack_view(model.branch(name), example)
        if compiled:
            attacked_view().compile()
        return attacked_view

    if objective == "vanilla":
        return Plan(partial(each_branch, smoothing=smoothing, shown=CLEAN))
    if objective in ("adversarial", "mixed", "adv-reg"):
        perturb = attack_input(view(MAIN), recipe.attack, classes)
        if objective == "adversarial":
            attacked = {MAIN: ("adversarial", perturb)}
            return Plan(partial(each_branch, smoothing=smoothing, shown=attacked))
        both = partial(clean_and_moved, smoothing=smoothing, perturb=perturb)
        if objective == "mixed":
            return Plan(partial(both, join=torch.cat))
        return Plan(partial(both, join=torch.stack, multiplier=recipe.weight))
    config = recipe.attack.config()
    if objective == "fast-advprop":
        share = recipe.adversarial_share
        return Plan(partial(fast_advprop, smoothing=smoothing, config=config, share=share), 2)
    if objective == "trades":
        return Plan(
            partial(trades, smoothing=smoothing, view=view(MAIN), config=config, beta=recipe.weight)
        )
    shown = {
        (name := auxiliary_name(index)): (
            "adversarial" if kind == "attack" else kind,
            make_input(kind, strength, recipe.attack, partial(view, name), classes),
        )
        for index, (kind, strength) in enumerate(recipe.auxiliary_inputs)
    }
    if objective == "auxiliary":
        return Plan(partial(auxiliary, teacher=view(MAIN)(), shown=shown), len(shown))
    return Plan(partial(each_branch, smoothing=smoothing, shown={**CLEAN, **shown}))


def each_branch(
    forward: Forward, batch: Batch, *, smoothing: float, shown: Mapping[str, tuple[str, Input]]
) -> Iterator[Outcome]:
    """Each branch learns from images of its own, in one backward pass.

    min over w of  E[ sum over k of  L(w_k, x_k, y) ]

    x_k is what branch k is shown, and w_k are equal except in their norm layers. So it is, with

    - main alone, on clean images: ordinary training (vanilla)
    - main alone, on attacked images: adversarial training (Madry et al., arXiv 1706.06083),
      whose inner maximum is what the attack finds
    - main on clean images and auxiliaries on others: AdvProp (Xie et al., arXiv 1911.09665,
      algorithm 1; several branches: its section 4.3). An attack is made through branch k itself
      with its running statistics.
    """
    inputs = {name: make(batch) for name, (_, make) in shown.items()}
    losses, all_figures = [], {}
    for name, logits in forward(inputs).items():
        loss, figures = score(logits, batch.targets, smoothing)
        losses.append(loss)
        all_figures[f"{name}/{shown[name][0]}"] = figures
    yield Outcome(torch.stack(losses).sum(), all_figures)


def clean_and_moved(
    forward: Forward,
    batch: Batch,
    *,
    smoothing: float,
    perturb: Input,
    join: Callable[[list[Tensor]], Tensor],
    multiplier: float = 1.0,
) -> Iterator[Outcome]:
    """Clean and perturbed images through one BatchNorm.

    min over w of  E[ L(w, x, y) + m L(w, x + d, y) ]

    Joined by ``torch.cat`` they are one batch (mixed), the baseline that AdvProp's paper argues
    against: BatchNorm takes its mean and variance over the 2N images of both kinds together, which
    come from two distributions, and one running average has to stand for both.

    Joined by ``torch.stack`` they take turns, each batch normalised by itself. With d the epsilon
    times the sign of the gradient at x (L-infinity), or times the gradient divided by its Euclidean
    length (L2), this is adversarial regularisation (adv-reg) as in Neural Structured Learning
    (arXiv 1412.6572's loss).
    """
    logits = forward({MAIN: join([batch.pixels, perturb(batch)])})[MAIN]
    clean, moved = logits.reshape(2, len(batch.pixels), -1)
    clean_loss, clean_figures = score(clean, batch.targets, smoothing)
    loss, figures = score(moved, batch.targets, smoothing)
    yield Outcome(
        clean_loss + multiplier * loss, {"main/clean": clean_figures, "main/adversarial": figures}
    )


def auxiliary(
    forward: Forward, batch: Batch, *, teacher: nn.Module, shown: Mapping[str, tuple[str, Input]]
) -> Iterator[Outcome]:
    """Auxiliary branches for a network that is there: its own clean answers are the targets.

    min over the norm layers of w_k of  E[ sum over k of  L(w_k, x_k, p(x)) ]

    p(x) are main's softmax outputs on the clean image, so photos need no labels. Nothing of main
    is trained, and x_k is what branch k is shown, as in AdvProp.
    """
    with torch.no_grad():
        answers = teacher(batch.pixels).float().softmax(1)
    batch = replace(batch, targets=answers)
    # The branches share nothing that is trained, so each has a backward pass of its own: several
    # take no more memory than one.
    for name, (kind, make) in shown.items():
        logits = forward({name: make(batch)})[name]
        loss, part = score(logits, answers, smoothing=0.0)
        yield Outcome(loss, {f"{name}/{kind}": part})


def fast_advprop(
    forward: Forward, batch: Batch, *, smoothing: float, config: AttackConfig, share: float
) -> Iterator[Outcome]:
    """Fast AdvProp (Mei et al., arXiv 2204.09838).

    Of N images, the first s N (shuffled, as every batch is) are made adversarial by one step
    from a random start, the others stay clean. The step needs the gradient of the loss at the
    noisy start; the same backward pass gives weight gradients, which are kept for the update:

    g = (1 - s) grad Lc(main, clean) + s/2 grad Ln(aux, noisy) + s/2 grad La(aux, adversarial)

    with L a mean over its own images and s the share of a whole number of images (13 of 64 where
    20 % are asked for): each clean image weighs 1/N, each noisy and each adversarial one half of
    that. Main's norm layers see only the share (1 - s) and aux's only s, so their gradients are
    divided by it (``Outcome.norm_scales``): all parameters are then updated by an average over
    the images that reach them. Unlike AdvProp's, this attack uses the statistics of its batch. On
    several processes the adversarial images are shuffled across them, so that no image is
    normalised with the ones whose noisy versions shaped it.
    """
    count = round(share * len(batch.pixels))
    share = count / len(batch.pixels)
    attacked, clean = batch.subset(slice(count)), batch.subset(slice(count, None))
    config = at_strength(config, batch)
    noisy = random_start(attacked.pixels, config) if config.random_start else attacked.pixels
    noisy = noisy.detach().clone().requires_grad_()
    loss, figures = score(forward({AUX: noisy})[AUX], attacked.targets, smoothing)
    yield Outcome(loss * share / 2, {"aux/noisy": figures})

    assert noisy.grad is not None
    ball = BALLS[config.norm]
    moved = noisy.detach() + config.step_size * ball.direction(noisy.grad) - attacked.pixels
    pixels = (attacked.pixels + ball.project(moved, config.epsilon)).clamp(0, 1)
    pixels, targets = shuffle_across_ranks(pixels, attacked.targets, batch.common_seed)
    logits = forward({MAIN: clean.pixels, AUX: pixels})
    clean_loss, clean_figures = score(logits[MAIN], clean.targets, smoothing)
    loss, figures = score(logits[AUX], targets, smoothing)
    yield Outcome(
        (1 - share) * clean_loss + share / 2 * loss,
        {"main/clean": clean_figures, "aux/adversarial": figures},
        norm_scales={MAIN: 1 / (1 - share), AUX: 1 / share},
    )


def trades(
    forward: Forward,
    batch: Batch,
    *,
    smoothing: float,
    view: View,
    config: AttackConfig,
    beta: float,
) -> Iterator[Outcome]:
    """TRADES (Zhang et al., arXiv 1901.08573).

    min over w of  E[ L(w, x, y) + beta max over |d| <= epsilon of  KL(p(x) || p(x + d)) ]

    p are the softmax outputs. The attack raises the cross-entropy against p(x), which differs
    from the divergence by the entropy of p(x), a constant. At d = 0 the divergence is at its
    minimum and its gradient 0, so the walk needs its random start.
    """
    network = view()
    with torch.no_grad():
        natural = network(batch.pixels).float().softmax(1)
    config = at_strength(config, batch)
    attacked = walk(network, batch.pixels, natural, config, unchecked_gradient)
    clean, moved = forward({MAIN: torch.stack([batch.pixels, attacked])})[MAIN].float()
    loss, figures = score(clean, batch.targets, smoothing)
    _, (_, hits) = score(moved, batch.targets, smoothing)
    divergence = F.kl_div(
        moved.log_softmax(1), clean.log_softmax(1), reduction="batchmean", log_target=True
    )
    yield Outcome(
        loss + beta * divergence,
        {"main/clean": figures, "main/adversarial": Figures(divergence.detach(), hits)},
    )
