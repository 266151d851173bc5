import copy
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.training import inputs
from advprop_core.training.batch import Batch, mixed_seed
from advprop_core.training.inputs import at_strength, attack_input, make_input, wrong_classes
from advprop_core.training.recipe import Attacker
from advprop_core.types import AttackConfig

LABELS = torch.tensor([0, 1, 2, 3])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def view(make_tiny, randomise):
    network = make_tiny()
    randomise(network)
    return network.eval().requires_grad_(False)


@pytest.fixture
def batch(pixels):
    return Batch(pixels(4, 32), LABELS, seed=7)


# -- attacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", ["pgd", "i-fgsm", "gd", "fgsm"])
def test_the_attack_is_the_librarys_own(view, batch, name, norm):
    fields = {} if name == "fgsm" else {"steps": 3, "step_size": 1 / 255}
    expected = {
        "pgd": AttackConfig(norm, 2 / 255, 1 / 255, 3, random_start=True, seed=7),
        "i-fgsm": AttackConfig(norm, 2 / 255, 1 / 255, 3, random_start=False),
        "gd": AttackConfig(norm, 3 / 255, 1 / 255, 3, random_start=False),
        "fgsm": AttackConfig.fgsm(2 / 255, norm=norm),
    }[name]
    found = attack_input(lambda: view, Attacker(name, norm, 2 / 255, **fields), 4)(batch)
    # Training follows the cross-entropy and the library its log odds: one direction, but for
    # rounding.
    theirs = attack(view, batch.pixels, LABELS, expected)
    torch.testing.assert_close(found, theirs, rtol=0, atol=1e-5)


def test_gd_goes_as_far_as_its_steps_carry_it(view):
    grey = Batch(torch.full((2, 3, 32, 32), 0.5), LABELS[:2], seed=0)
    attacker = Attacker("gd", epsilon=1 / 255, steps=4, step_size=2 / 255)
    moved = attack_input(lambda: view, attacker, 4)(grey) - grey.pixels
    assert moved.abs().max() == pytest.approx(8 / 255, rel=1e-4)


def test_an_auxiliary_radius_replaces_the_attackers_and_scales_its_step(view, batch):
    attacker = Attacker(epsilon=4 / 255, steps=2, step_size=3 / 255)
    found = make_input("attack", 2 / 255, attacker, lambda: lambda: view, 4)(batch)
    how = AttackConfig("linf", 2 / 255, 1.5 / 255, 2, random_start=True, seed=7)
    torch.testing.assert_close(found, attack(view, batch.pixels, LABELS, how))


def test_strength_scales_radius_and_step_alone(batch):
    how = AttackConfig("l2", 0.5, 0.25, 3, random_start=True, seed=1)
    now = at_strength(how, replace(batch, strength=0.5))
    assert now == AttackConfig("l2", 0.25, 0.125, 3, random_start=True, seed=7)


def test_the_goal_random_lowers_the_loss_of_another_class(view, batch):
    attacker = Attacker("i-fgsm", epsilon=0.05, steps=5, goal="random")
    targets = wrong_classes(LABELS, 4, generator(mixed_seed(batch.seed, inputs._TARGETS)))
    found = attack_input(lambda: view, attacker, 4)(batch)
    before, after = (
        F.cross_entropy(view(x), targets, reduction="none") for x in (batch.pixels, found)
    )
    assert (after < before).all()


def test_attacks_move_and_change_nothing_on_the_view(view, batch):
    before = copy.deepcopy(view.state_dict())
    clean = batch.pixels.clone()
    found = attack_input(lambda: view, Attacker(steps=3), 4)(batch)
    assert not found.requires_grad
    assert torch.equal(clean, batch.pixels)
    assert all(torch.equal(before[key], value) for key, value in view.state_dict().items())


@pytest.mark.parametrize("kind", ["gaussian_blur:3", "spatter:3", "gaussian:0.2"])
def test_what_is_no_network_is_computed_in_float32(batch, kind):
    name, _, strength = kind.partition(":")
    show = make_input(name, float(strength), Attacker(), lambda: None, 4)
    with torch.autocast("cpu", torch.bfloat16):
        shown = show(batch)
    assert torch.equal(shown, show(batch))


# -- wrong classes ------------------------------------------------------------------------------


def test_wrong_classes_are_never_the_label_and_uniform_over_the_others():
    labels = torch.arange(5).repeat(4000)
    drawn = wrong_classes(labels, 5, generator())
    counts = torch.zeros(5, 5)
    counts.index_put_((labels, drawn), torch.ones(()), accumulate=True)
    assert (counts.diagonal() == 0).all()
    others = counts[~torch.eye(5, dtype=torch.bool)]
    assert (others - 1000).abs().max() < 5 * (1000 * 3 / 4) ** 0.5


def test_wrong_classes_of_a_mixed_image_are_neither_of_its_two():
    targets = torch.tensor([[0.7, 0.0, 0.3, 0.0, 0.0]]).repeat(3000, 1)
    counts = wrong_classes(targets, 5, generator()).bincount(minlength=5)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert (counts[[1, 3, 4]] - 1000).abs().max() < 5 * (1000 * 2 / 3) ** 0.5


def test_wrong_classes_are_drawn_by_their_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    labels = torch.arange(4).repeat(20)
    first = wrong_classes(labels, 4, generator(1))
    assert torch.equal(first, wrong_classes(labels, 4, generator(1)))
    assert not torch.equal(first, wrong_classes(labels, 4, generator(2)))
    assert torch.equal(before, torch.get_rng_state())


# -- everything else ----------------------------------------------------------------------------


def shown(kind, strength, batch):
    return make_input(kind, strength, Attacker(), lambda: None, 4)(batch)


def test_a_noise_has_the_given_severity_everywhere():
    grey = Batch(torch.full((3, 3, 64, 64), 0.5), LABELS[:3], seed=7)
    gaussian = shown("gaussian", 0.1, grey) - 0.5
    assert [x.std().item() for x in gaussian] == [pytest.approx(0.1, rel=0.03)] * 3
    pepper = shown("salt-and-pepper", 0.4, grey)
    assert (pepper == 0.5).float().mean().item() == pytest.approx(0.6, abs=0.02)
    poisson = shown("poisson", 0.1, grey) - 0.5
    assert poisson.var().item() == pytest.approx(0.005, rel=0.05)


def test_a_corruption_is_the_librarys_own(batch):
    expected = corrupt(batch.pixels, CorruptionConfig("contrast", 2, seed=7))
    assert torch.equal(shown("contrast", 2.0, batch), expected)


def test_colour_jitter_of_flat_images_is_brightness():
    grey = Batch(torch.full((200, 3, 2, 2), 0.5), LABELS, seed=7)
    levels = shown("color-jitter", 0.4, grey)
    assert (levels == levels[:, :1, :1, :1]).float().mean() > 0.9  # but for rounding
    assert levels.min() == pytest.approx(0.3, abs=0.005)
    assert levels.max() == pytest.approx(0.7, abs=0.005)


def test_randaugment_follows_the_steps_seed(batch):
    seen = [shown("randaugment", 9.0, replace(batch, seed=seed)) for seed in (0, 0, 1)]
    assert not torch.equal(seen[0], seen[2])
    assert seen[0].shape == batch.pixels.shape
    assert seen[0].dtype == torch.float32
    assert torch.equal(seen[0], seen[1])
    assert (seen[0] - batch.pixels).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "salt-and-pepper", "fog", "color-jitter"])
def test_every_kind_is_drawn_by_the_steps_seed(batch, kind):
    strength = 3 if kind == "fog" else 0.3
    before, clean = torch.get_rng_state(), batch.pixels.clone()
    first = shown(kind, strength, batch)
    assert torch.equal(first, shown(kind, strength, batch))
    assert not torch.equal(first, shown(kind, strength, replace(batch, seed=8)))
    assert first.shape == clean.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(clean, batch.pixels)


@pytest.mark.parametrize(
    ("kind", "strength", "error", "words"),
    [
        ("gausian", 0.1, ValueError, "cannot be shown 'gausian'. Did you mean gaussian"),
        ("xyzzy", 0.1, ValueError, "Choose from gaussian, poisson"),
        ("gaussian", 1.5, ValueError, r"gaussian needs a strength in \[0, 1\], got 1.5"),
        ("color-jitter", -0.1, ValueError, r"color-jitter needs a strength in \[0, 1\]"),
        ("fog", 2.5, ValueError, "fog has whole severities, got 2.5"),
        ("fog", 6, ValueError, "severity"),
        ("attack", -0.1, ValueError, "epsilon"),
    ],
)
def test_refuses(kind, strength, error, words):
    with pytest.raises(error, match=words):
        make_input(kind, strength, Attacker(), lambda: None, 4)


@pytest.mark.parametrize("magnitude", [-1, 9.5, 11])
def test_randaugment_refuses_other_magnitudes(view, magnitude):
    with pytest.raises(ValueError, match="whole magnitude from 0 to 10"):
        make_input("randaugment", magnitude, Attacker(), lambda: None, 4)


def test_the_target_and_the_start_of_a_step_are_drawn_apart(view, batch):
    """Both from the batch's seed, but not from one stream."""
    start = torch.Generator().manual_seed(batch.seed)
    other = torch.Generator().manual_seed(mixed_seed(batch.seed, inputs._TARGETS))
    assert not torch.equal(torch.rand(8, generator=start), torch.rand(8, generator=other))
