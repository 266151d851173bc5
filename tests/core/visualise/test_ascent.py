from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from advprop_core.attacks.gradient import attack
from advprop_core.errors import InputError
from advprop_core.visualise.ascent import ascent, noise_start, visualise
from advprop_core.visualise.goals import Channel, ChannelMean

WALK = ascent(3.0, 6)
LAYER = "layer1"


@pytest.fixture
def branches(dual):
    return {name: dual.branch(name) for name in dual.branch_names}


def test_a_class_visualisation_is_a_targeted_attack_through_each_branch(branches, pixels):
    start, label = pixels(1), torch.tensor([2])
    made = visualise(branches, start, 2, WALK)
    targeted = replace(WALK, target_class=2)
    for name, module in branches.items():
        film = made[name]
        assert torch.equal(film.picture[None], attack(module, start, label, targeted))
        assert torch.equal(film.frames[0], start[0])
        assert film.steps == (0, 1, 2, 3, 4, 5, 6)
        assert film.scores[-1] == float(film.answers[-1].probabilities[2]) > film.scores[0]
        assert float(film.change.norm()) <= 3.0001
    assert not torch.equal(made["main"].picture, made["aux"].picture)


def test_a_channels_mean_rises_and_nothing_stays_on_the_network(branches, pixels):
    start = noise_start(32, seed=3)
    for name, film in visualise(branches, start, Channel(LAYER, 5), WALK).items():
        module = branches[name]
        assert film.scores[-1] > film.scores[0]
        (mean,) = ChannelMean(module, Channel(LAYER, 5))(film.picture[None])
        assert float(mean) == pytest.approx(film.scores[-1], rel=1e-4)
        layer = module.network.get_submodule(LAYER)
        assert not layer._forward_hooks, "the shared branch has no hook"


def test_means_are_of_what_the_layer_gives_before_the_network_goes_on_in_place(make_tiny, pixels):
    network = make_tiny().eval().requires_grad_(False)
    expected = network[:2](pixels()).mean((2, 3))[:, 1]
    torch.testing.assert_close(ChannelMean(network, Channel("1", 1))(pixels()), expected)


def test_noise_follows_from_its_seed():
    assert torch.equal(noise_start(16, 1), noise_start(16, 1))
    assert not torch.equal(noise_start(16, 1), noise_start(16, 2))
    assert noise_start(16).mean() == pytest.approx(0.5, abs=0.01)


def test_progress_rises_to_the_end_and_what_it_raises_ends_the_work(branches):
    told = []
    visualise(branches, noise_start(32), 1, WALK, progress=lambda *at: told.append(at))
    assert told == sorted(told)
    assert told[-1] == (2000, 2000)

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        visualise(branches, noise_start(32), 1, WALK, progress=stop)


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (9, "the model has 6 classes"),
        (Channel("layer9", 0), "no layer 'layer9'. Did you mean"),
        (Channel(LAYER, 999), r"channel must lie in \[0, \d+\], layer layer1 has \d+ channels"),
        (Channel(LAYER, -1), "channel must lie in"),
    ],
)
def test_a_goal_that_the_network_does_not_have(branches, goal, message):
    with pytest.raises(InputError, match=message):
        visualise(branches, noise_start(32), goal, WALK)


def test_a_layer_of_tokens_has_no_channels():
    network = timm.create_model("test_vit", num_classes=3).eval().requires_grad_(False)
    with pytest.raises(InputError, match=r"layer blocks.0 has no channels: it gives \(1, \d+, 64"):
        visualise({"main": network}, noise_start(160), Channel("blocks.0", 0), WALK)


def test_a_goal_that_does_not_react_to_the_start():
    dead = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    nn.init.constant_(dead[0].weight, 0.0)
    nn.init.constant_(dead[0].bias, -1.0)
    with pytest.raises(InputError, match="gradient of channel 1 of 1 is 0 at the start"):
        visualise({"main": dead.eval()}, noise_start(8), Channel("1", 1), WALK)


@pytest.mark.parametrize("epsilon", [0, -1, float("nan"), 5000])
def test_a_radius_that_cannot_be(epsilon):
    with pytest.raises(InputError, match="epsilon must be"):
        ascent(epsilon)
