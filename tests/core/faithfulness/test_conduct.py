"""What holds for every check: seeds, global generators, the module, progress."""

import random
from functools import partial

import numpy as np
import pytest
import torch

from advprop_core.datasets.texture_shapes.scenes import draw_scene
from advprop_core.faithfulness.curves import measure_curves
from advprop_core.faithfulness.fidelity import max_sensitivity, measure_infidelity
from advprop_core.faithfulness.objects import object_share
from advprop_core.faithfulness.randomisation import check_randomisation

SCENES = [draw_scene(0, index, size=32) for index in range(8)]


class Cancelled(Exception):
    pass


def gradient(network, pixels):
    own = pixels.detach().requires_grad_()
    return torch.autograd.grad(network(own)[:, 0].sum(), own)[0].abs().amax(1)


def curves(module, pixels, **options):
    measured = measure_curves(module, pixels, gradient(module, pixels), 0, **options)
    names = ("deletion", "insertion", "random_deletion", "random_insertion")
    return [getattr(lines, name).probabilities.tolist() for lines in measured for name in names]


def infidelity(module, pixels, **options):
    return measure_infidelity(module, pixels, gradient(module, pixels), 0, **options)


def sensitivity(module, pixels, **options):
    original = gradient(module, pixels)
    make_map = partial(gradient, module)
    return max_sensitivity(make_map, pixels, original, samples=3, **options)


def randomisation(module, pixels, **options):
    original, stages = gradient(module, pixels), ("conv1", "layer1", "fc")
    return check_randomisation(
        module, pixels, gradient, original, stages=stages, draws=1, **options
    )


def objects(module, pixels, **options):
    return object_share(lambda shown, _: gradient(module, shown), SCENES, batch_size=4, **options)


EVERY_CHECK = pytest.mark.parametrize(
    "check", [curves, infidelity, sensitivity, randomisation, objects]
)


TELLING = pytest.mark.parametrize("check", [curves, infidelity, objects])


@pytest.fixture
def module(dual):
    return dual.branch("aux")


def state_of(module):
    parts = list(module.modules())
    hooks = [len(part._forward_hooks) + len(part._backward_hooks) for part in parts]
    flags = [part.training for part in parts], [p.requires_grad for p in module.parameters()]
    gradients = [p.grad for p in module.parameters()]
    named = module.state_dict(keep_vars=True).values()
    tensors = [(id(tensor), tensor._version, tensor.sum().item()) for tensor in named]
    return hooks, flags, gradients, tensors


@EVERY_CHECK
def test_a_seed_gives_the_same_again_and_another_something_else(module, pixels, check):
    images = pixels()
    assert check(module, images, seed=3) == check(module, images, seed=3)
    assert check(module, images, seed=3) != check(module, images, seed=4)


@EVERY_CHECK
def test_no_global_generator_is_asked(module, pixels, check):
    images = pixels()
    before = torch.get_rng_state(), random.getstate(), str(np.random.get_state())
    once = check(module, images)
    torch.testing.assert_close(torch.get_rng_state(), before[0])
    assert (random.getstate(), str(np.random.get_state())) == before[1:]
    torch.manual_seed(1234)
    assert check(module, images) == once


@EVERY_CHECK
def test_the_module_and_the_pixels_stay_as_they_were(module, pixels, check):
    images = pixels()
    kept, state = images.clone(), state_of(module)
    check(module, images)
    assert state_of(module) == state
    assert torch.equal(images, kept)
    assert not images.requires_grad


@TELLING
def test_progress_counts_up_to_all(module, pixels, check):
    told = []
    check(module, pixels(), progress=lambda done, total: told.append((done, total)))
    done = [one for one, _ in told]
    assert done == sorted(set(done))
    assert len({total for _, total in told}) == 1
    assert told[-1][0] == told[-1][1]


@TELLING
def test_what_progress_raises_ends_the_check(module, pixels, check):
    told = []

    def stop(done, total):
        told.append(done)
        raise Cancelled

    state = state_of(module)
    with pytest.raises(Cancelled):
        check(module, pixels(), progress=stop)
    assert len(told) == 1
    assert state_of(module) == state
    assert torch.is_grad_enabled()
