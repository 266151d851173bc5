"""What an objective costs, moves, leaves alone and refuses."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack
from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.training import inputs
from advprop_core.training.batch import Batch
from advprop_core.training.objectives import make_plan
from advprop_core.training.recipe import OBJECTIVES, Attacker, Recipe
from advprop_core.types import AttackConfig

HALVES = (0.5, 0.5, 0.5)
LABELS = torch.tensor([0, 1, 2, 3, 1])
ATTACKING = [name for name in OBJECTIVES if name != "vanilla"]


def recipe_of(objective, steps=1, **fields):
    attacker = Attacker(epsilon=8 / 255, steps=steps, step_size=3 / 255)
    if objective == "adv-reg":
        attacker = Attacker("fgsm", epsilon=8 / 255)
    given = {"objective": objective, "attack": attacker, "adversarial_share": 0.4}
    start_from = {"start_from": "some network"} if objective == "auxiliary" else {}
    return Recipe(**given | start_from | fields)


@pytest.fixture
def make_model(make_tiny, randomise):
    def make(recipe):
        model = DualBNModel(make_tiny(), HALVES, HALVES, recipe.auxiliary_count)
        randomise(model)
        return model.train()

    return make


@pytest.fixture
def batch(pixels):
    return Batch(pixels(5, 16), LABELS, seed=11)


class Spy:
    """A forward that keeps what it was shown, and asks for a look before the first pass."""

    def __init__(self, model, look=lambda: None):
        self.model, self.look, self.shown = model, look, []

    def __call__(self, inputs):
        if not self.shown:
            self.look()
        self.shown.append(dict(inputs))
        return self.model(inputs)


def shown_by(model, recipe, batch, look=lambda: None):
    spy = Spy(model, look)
    for outcome in make_plan(model, recipe, 4).step(spy, batch):
        outcome.loss.backward()
    return spy.shown


# -- cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "steps", "fields", "cost"),
    [
        ("vanilla", 1, {}, 3),
        ("adversarial", 1, {}, 3 + 2),
        ("adversarial", 5, {}, 3 + 10),
        ("mixed", 3, {}, 6 + 6),
        ("advprop", 1, {}, 6 + 2),
        ("advprop", 5, {}, 6 + 10),
        ("advprop", 2, {"auxiliaries": ("1/255", "2/255")}, 9 + 8),
        ("advprop", 2, {"auxiliaries": ("1/255", "gaussian:0.1")}, 9 + 4),
        ("fast-advprop", 1, {}, 3 * 1.4),
        ("adv-reg", 1, {}, 8),
        ("trades", 1, {}, 7 + 2),
        ("trades", 10, {}, 7 + 20),
    ],
)
def test_cost_is_that_of_the_table(make_model, batch, objective, steps, fields, cost):
    """In images through one convolution: forward, back to its input, back to its weight."""
    recipe = recipe_of(objective, steps, **fields)
    model, work = make_model(recipe), []

    def count(module, _inputs, output):
        work.append(len(output))
        if output.requires_grad:
            both = 1 + module.weight.requires_grad
            output.register_hook(lambda gradient: work.append(both * len(gradient)))

    for name in model.branch_names:
        model.branch(name).network[3].register_forward_hook(count)  # views are copied with it
    plan = make_plan(model, recipe, 4)
    work.clear()  # making the plan looked at one image
    for outcome in plan.step(model, batch):
        outcome.loss.backward()
    assert sum(work) == pytest.approx(cost * len(LABELS))


def test_fast_advprop_shows_a_part_twice_and_the_rest_once(make_model, batch):
    recipe = recipe_of("fast-advprop")
    noisy, both = shown_by(make_model(recipe), recipe, batch)
    assert {name: len(x) for name, x in noisy.items()} == {"aux": 2}
    assert {name: len(x) for name, x in both.items()} == {"main": 3, "aux": 2}
    assert torch.equal(both["main"], batch.pixels[2:])
    for moved in (noisy["aux"], both["aux"]):
        distance = (moved - batch.pixels[:2]).abs().max()
        assert 0 < distance <= 8 / 255 + 1e-6


# -- what an attack leaves behind ---------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_before_the_first_pass_nothing_has_changed(make_model, batch, objective):
    recipe = recipe_of(objective)
    model, clean = make_model(recipe), batch.pixels.clone()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    generator = torch.get_rng_state()

    def look():
        assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
        assert all(p.grad is None and p.requires_grad for p in model.parameters())
        assert all(part.training for part in model.modules())

    for shown in shown_by(model, recipe, batch, look):
        assert all(x.min() >= 0 and x.max() <= 1 for x in shown.values())
    assert torch.equal(clean, batch.pixels)
    assert batch.pixels.grad is None
    assert torch.equal(generator, torch.get_rng_state())


def test_advprop_attacks_through_aux_and_its_running_statistics(make_model, batch):
    recipe = recipe_of("advprop")
    model = make_model(recipe)
    plan, spy = make_plan(model, recipe, 4), Spy(model)
    with torch.no_grad():  # the plan follows what is trained
        for tensor in [*model.parameters(), model.branch("aux").network[1].running_mean]:
            tensor.add_(0.1)
    branches = {name: copy.deepcopy(model.branch(name)).eval() for name in ("main", "aux")}
    next(plan.step(spy, batch))
    (shown,) = spy.shown
    assert list(shown) == ["main", "aux"]
    assert shown["main"] is batch.pixels
    how = AttackConfig("linf", 8 / 255, 3 / 255, 1, random_start=True, seed=11)
    found = {name: attack(one, batch.pixels, LABELS, how) for name, one in branches.items()}
    torch.testing.assert_close(shown["aux"], found["aux"])
    assert (shown["aux"] - found["main"]).abs().max() > 1 / 255


@pytest.mark.parametrize("objective", ["adversarial", "mixed", "advprop", "fast-advprop", "trades"])
def test_each_step_draws_anew(make_model, batch, objective):
    recipe = recipe_of(objective)
    other = Batch(batch.pixels, LABELS, seed=12)
    first, again, later = (
        list(shown_by(make_model(recipe), recipe, one)[0].values())[-1]
        for one in (batch, batch, other)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, later)


@pytest.mark.parametrize("objective", ATTACKING)
def test_warmup_scales_radius_and_step(make_model, batch, objective):
    """On grey images, so that the range cuts nothing short."""
    still = Attacker("i-fgsm", epsilon=8 / 255, step_size=4 / 255)
    own = {} if objective in ("trades", "adv-reg") else {"attack": still}
    recipe = recipe_of(objective, **own)
    grey = 0.5 + (batch.pixels - 0.5) / 4
    reach = []
    for strength in (1.0, 0.25):
        now = Batch(grey, LABELS, seed=11, strength=strength)
        seen = list(shown_by(make_model(recipe), recipe, now)[-1].values())[-1]
        clean = grey[: seen.shape[-4]]
        moved = seen[-1] if seen.ndim == 5 else seen[-len(clean) :]
        reach.append((moved - clean).abs().max().item())
    if objective != "trades":
        assert reach[0] == pytest.approx(8 / 255 if objective == "adv-reg" else 4 / 255, rel=1e-4)
    assert reach[1] == pytest.approx(reach[0] / 4, rel=0.05 if objective == "trades" else 1e-4)


@pytest.mark.parametrize("objective", ["adversarial", "mixed", "advprop", "adv-reg", "trades"])
def test_label_smoothing_is_the_losss_alone(make_model, batch, objective):
    seen = []
    for smoothing in (0.0, 0.5):
        recipe = recipe_of(objective, 2, label_smoothing=smoothing)
        seen.append(shown_by(make_model(recipe), recipe, batch)[-1])
    assert all(torch.equal(seen[0][name], seen[1][name]) for name in seen[0])


@pytest.mark.parametrize("objective", ["adversarial", "mixed", "advprop"])
def test_the_goal_random_walks_to_the_drawn_classes(make_model, batch, objective, monkeypatch):
    wanted, asked = torch.tensor([1, 2, 3, 0, 3]), []

    def draw(targets, classes, generator):
        asked.append((targets.tolist(), classes))
        return wanted

    monkeypatch.setattr(inputs, "wrong_classes", draw)
    recipe = recipe_of(objective, attack=Attacker(epsilon=0.1, steps=5, goal="random"))
    model = make_model(recipe)
    name = "aux" if objective == "advprop" else "main"
    view = copy.deepcopy(model.branch(name)).eval()
    moved = shown_by(model, recipe, batch)[0][name][-5:]
    with torch.no_grad():
        before, after = (
            F.cross_entropy(view(x), wanted, reduction="none") for x in (batch.pixels, moved)
        )
    assert (after < before).all()
    assert asked == [(LABELS.tolist(), 4)]


# -- statistics ---------------------------------------------------------------------------------


def first_norm(model, name="main"):
    norm = norm_layers(model.branch(name))["network.1"]
    return norm.running_mean.clone(), norm.running_var.clone()


def after_passes(before, name, *passes):
    model = copy.deepcopy(before)
    for x in passes:
        model.branch(name)(x)
    return first_norm(model, name)


def test_mixed_normalises_both_kinds_together(make_model, batch):
    recipe = recipe_of("mixed", attack=Attacker("fgsm", epsilon=0.3))
    model = make_model(recipe)
    before = copy.deepcopy(model)
    (shown,) = shown_by(model, recipe, batch)
    assert len(shown["main"]) == 10
    clean, moved = shown["main"].chunk(2)
    assert torch.equal(clean, batch.pixels)
    torch.testing.assert_close(first_norm(model), after_passes(before, "main", shown["main"]))
    apart = after_passes(before, "main", clean, moved)
    assert (first_norm(model)[1] - apart[1]).abs().max() > 1e-3


@pytest.mark.parametrize("objective", ["adv-reg", "trades"])
def test_clean_and_moved_images_take_turns(make_model, batch, objective):
    name = "fgsm" if objective == "adv-reg" else "pgd"
    recipe = recipe_of(objective, attack=Attacker(name, epsilon=0.3))
    model = make_model(recipe)
    before = copy.deepcopy(model)
    (shown,) = shown_by(model, recipe, batch)
    torch.testing.assert_close(first_norm(model), after_passes(before, "main", *shown["main"]))
    assert torch.equal(shown["main"][0], batch.pixels)


def test_advprop_moves_each_branchs_statistics_by_its_own_images_only(make_model, batch):
    recipe = recipe_of("advprop", auxiliaries=("8/255", "salt-and-pepper:0.5"))
    model = make_model(recipe)
    before = copy.deepcopy(model)
    (shown,) = shown_by(model, recipe, batch)
    assert list(shown) == ["main", "aux", "aux2"]
    for name, x in shown.items():
        ours = first_norm(model, name)
        torch.testing.assert_close(ours, after_passes(before, name, x))
        assert norm_layers(model.branch(name))["network.4"].num_batches_tracked == 1
        others = [theirs for other, theirs in shown.items() if other != name]
        assert all(not ours[0].equal(after_passes(before, name, o)[0]) for o in others)


# -- single objectives --------------------------------------------------------------------------


def linear_model():
    """Pixels to logits (x0 - x1, x1 - x0) of the red pixels, behind a BatchNorm that is idle."""
    head = nn.Linear(2, 2, bias=False)
    head.weight.data = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    norm = nn.BatchNorm2d(3)
    pool = nn.AdaptiveAvgPool2d((1, 2))  # takes pictures of any size
    network = nn.Sequential(norm, pool, nn.Flatten(), nn.Linear(6, 2, bias=False), head)
    network[3].weight.data = torch.eye(6)[:2]
    return DualBNModel(network, (0, 0, 0), (1, 1, 1), 0).train()


def near(norm):
    """The neighbour of one pixel pair, labelled 0: x0 must fall and x1 rise."""
    x = torch.full((2, 3, 1, 2), 0.5)
    recipe = Recipe(objective="adv-reg", attack=Attacker("fgsm", norm, epsilon=0.1))
    x = x + torch.rand(2, 3, 1, 2, generator=torch.Generator().manual_seed(0)) / 10
    shown = shown_by(linear_model(), recipe, Batch(x, torch.tensor([0, 0]), seed=0))
    clean, moved = shown[0]["main"]
    assert torch.equal(clean, x)
    return moved - clean


def test_a_neighbour_is_one_sign_step_or_one_step_of_unit_length():
    step = torch.zeros(2, 3, 1, 2)
    step[:, 0, 0] = torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(near("linf"), 0.1 * step)
    torch.testing.assert_close(near("l2"), 0.1 * step / 2**0.5)


def test_trades_walks_up_the_divergence(make_model, batch):
    """The gradient of what the attack climbs is KL's, not only in direction."""
    recipe = recipe_of("trades")
    model = make_model(recipe)
    view = copy.deepcopy(model.branch("main")).eval()
    natural = view(batch.pixels).softmax(1).detach()
    draw = torch.rand(batch.pixels.shape, generator=torch.Generator().manual_seed(11)) * 2 - 1
    start = (batch.pixels + draw * 8 / 255).clamp(0, 1).requires_grad_()
    apart = F.kl_div(view(start).log_softmax(1), natural, reduction="sum")
    (slope,) = torch.autograd.grad(apart, start)
    shift = start.detach() + 3 / 255 * slope.sign() - batch.pixels
    expected = (batch.pixels + shift.clamp(-8 / 255, 8 / 255)).clamp(0, 1)
    moved = shown_by(model, recipe, batch)[0]["main"][1]
    same = (moved - expected).abs() < 1e-5
    assert same.float().mean() > 0.999  # a slope near zero may round to another sign
    with torch.no_grad():
        after = F.kl_div(view(moved).log_softmax(1), natural, reduction="sum")
    assert after > apart


def test_an_unknown_kind_of_image_is_refused(make_model):
    recipe = recipe_of("advprop", auxiliaries=("gausian:0.1",))
    with pytest.raises(ValueError, match="cannot be shown 'gausian'. Did you mean gaussian"):
        make_plan(make_model(recipe), recipe, 4)
