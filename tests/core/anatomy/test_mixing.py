"""Blends of two branches, and swaps of single layers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.layers import execution_order
from advprop_core.anatomy.mixing import blend
from advprop_core.attacks.gradient import attack
from advprop_core.models.bundle import bundled_models, open_model
from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.predict import logits_of
from advprop_core.types import AttackConfig

HALVES = (0.5, 0.5, 0.5)
FAMILIES = ["test_resnet", "test_efficientnet", "regnetx_002"]  # plain, fused, fused
STATISTICS = ("running_mean", "running_var")
AFFINE = ("weight", "bias")


def tensors(module, layer):
    norm = norm_layers(module.network)[layer]
    return {key: getattr(norm, key) for key in (*STATISTICS, *AFFINE)}


def is_of(module, branch, layer, keys=(*STATISTICS, *AFFINE)):
    ours, theirs = tensors(module, layer), tensors(branch, layer)
    return all(torch.equal(ours[key], theirs[key]) for key in keys)


def snapshot(model):
    return {key: (value.data_ptr(), value.clone()) for key, value in model.state_dict().items()}


def assert_untouched(model, before):
    for key, value in model.state_dict().items():
        assert value.data_ptr() == before[key][0], key
        assert torch.equal(value, before[key][1]), key
    for part in model.modules():
        assert not part.training
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_literal():
    model = DualBNModel(
        nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten()), HALVES, HALVES
    ).freeze()
    (layer,) = norm_layers(model.branch("aux")).values()
    for key, value in (("running_mean", 4.0), ("running_var", 9.0), ("weight", 2.0), ("bias", 8.0)):
        getattr(layer, key).fill_(value)
    quarter = tensors(blend(model, 0.25, 0.25), "1")  # from mean 0, variance 1, γ 1, β 0
    assert {key: value.tolist() for key, value in quarter.items()} == {
        "running_mean": [1.0, 1.0],
        "running_var": [3.0, 3.0],  # the variance is on the line: its root would be 2.25
        "weight": [1.25, 1.25],
        "bias": [2.0, 2.0],
    }


def test_a_step_on_the_line_is_batchnorms_own_update():
    """Running statistics with momentum t, fed with images that have aux's statistics."""
    model = DualBNModel(nn.BatchNorm2d(3, momentum=0.3), (0.0,) * 3, (1.0,) * 3).freeze()
    main, aux = (model.branch(name).network for name in ("main", "aux"))
    sample = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    aux.running_mean.copy_(sample.mean((0, 2, 3)))
    aux.running_var.copy_(sample.var((0, 2, 3)))
    mixed = blend(model, 0.3, 0.3).network
    main.train()(sample)
    torch.testing.assert_close(main.running_mean, mixed.running_mean)
    torch.testing.assert_close(main.running_var, mixed.running_var)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_ends_are_the_branches_bit_for_bit(make_dual, pixels, architecture):
    model, image = make_dual(architecture), pixels(2, 48)
    before = snapshot(model)
    main, aux = (logits_of(model.branch(name), image) for name in ("main", "aux"))
    assert torch.equal(logits_of(blend(model, 0, 0), image), main)
    assert torch.equal(logits_of(blend(model, 1, 1), image), aux)
    assert torch.equal(logits_of(blend(model, 1, 1, layers=[]), image), main)
    half = logits_of(blend(model, 0.5, 0.5), image)
    assert not torch.allclose(half, main)
    assert not torch.allclose(half, aux)
    assert_untouched(model, before)


def test_norm_tensors_lie_on_the_line(dual):
    main, aux = dual.branch("main"), dual.branch("aux")
    for t in (0.1, 0.5, 0.9):
        mixed = blend(dual, t, t)
        for layer in dual.norm_layer_names():
            for key, value in tensors(mixed, layer).items():
                expected = (1 - t) * tensors(main, layer)[key] + t * tensors(aux, layer)[key]
                torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_blend_shares_all_but_the_norm_tensors_that_move(make_dual, architecture):
    model = make_dual(architecture)
    before = snapshot(model)
    layer = model.norm_layer_names()[2]
    mixed = blend(model, 0.5, 0.5, layers=[layer])
    ours = dict(model.branch("main").network.state_dict(keep_vars=True))
    theirs = dict(mixed.network.state_dict(keep_vars=True))
    assert ours.keys() == theirs.keys()
    own = {key for key, value in theirs.items() if value is not ours[key]}
    assert own == {f"{layer}.{key}" for key in (*STATISTICS, *AFFINE)}
    storages = {value.data_ptr() for value in model.state_dict().values()}
    assert sum(value.data_ptr() not in storages for value in theirs.values()) == len(own)
    shared_modules = {id(part) for part in model.modules()}
    assert not any(id(part) in shared_modules for part in mixed.modules())
    assert_untouched(model, before)


def test_statistics_and_affine_move_apart(dual):
    main, aux = dual.branch("main"), dual.branch("aux")
    for layer in dual.norm_layer_names():
        statistics, affine = blend(dual, 0, 1), blend(dual, 1, 0)
        assert is_of(statistics, aux, layer, STATISTICS)
        assert is_of(statistics, main, layer, AFFINE)
        assert is_of(affine, main, layer, STATISTICS)
        assert is_of(affine, aux, layer, AFFINE)


def test_only_the_layers_and_stages_that_are_named_move(make_dual):
    model = make_dual("regnetx_002")
    mixed = blend(model, 1, 1, layers=["s1", "s4.b7.conv3.bn"])
    for layer in model.norm_layer_names():
        swapped = layer.startswith("s1.") or layer == "s4.b7.conv3.bn"
        assert is_of(mixed, model.branch("aux" if swapped else "main"), layer), layer


def test_statistics_are_estimated_on_the_given_images(make_tiny, pixels):
    model, images = DualBNModel(make_tiny(), HALVES, HALVES).freeze(), pixels(6)
    model.branch("aux").network[1].weight.fill_(3.0)
    before = snapshot(model)
    layer = norm_layers(blend(model, 0.5, images).network)["1"]
    main = model.branch("main")
    inputs = main.network[0](main.normalize(images))
    torch.testing.assert_close(layer.running_mean, inputs.mean((0, 2, 3)))
    torch.testing.assert_close(layer.running_var, inputs.var((0, 2, 3)))
    assert layer.weight.tolist() == [2.0] * 8
    assert_untouched(model, before)


def test_every_layer_is_estimated_though_few_move(make_dual, pixels):
    """Layers behind a changed one are given other inputs."""
    model, images = make_dual(), pixels(6)
    mixed = blend(model, 1, images, layers=["bn1"])
    last = model.norm_layer_names()[-1]
    assert is_of(mixed, model.branch("main"), last, AFFINE)
    assert not is_of(mixed, blend(model, 0, images), last, STATISTICS)
    assert not any(part.training for part in mixed.modules())


def test_a_half_that_meets_statistics_of_other_weights_is_mended_by_estimating(make_dual, pixels):
    """Main's γ and β with aux's far larger variances: signals die out, until they are estimated."""
    model, images = make_dual(), pixels(6)
    for layer in norm_layers(model.branch("aux").network).values():
        layer.running_var.mul_(1e4)
    spreads = {
        name: float(logits_of(blend(model, 0, statistics), images).std(0).mean())
        for name, statistics in (("naive", 1), ("estimated", images))
    }
    assert spreads["naive"] < 0.1 * spreads["estimated"]


def test_one_image_has_no_statistics(dual, pixels):
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        blend(dual, 0.5, pixels(1))


def test_any_two_branches(make_dual, pixels):
    model, image = make_dual(auxiliaries=2), pixels()
    end = blend(model, 1, 1, first="aux2", second="aux")
    assert torch.equal(logits_of(end, image), logits_of(model.branch("aux"), image))
    rest = blend(model, 1, 1, first="aux2", second="main", layers=["bn1"])
    assert is_of(rest, model.branch("main"), "bn1")
    assert is_of(rest, model.branch("aux2"), "layer1.0.bn1")


def test_layers_without_statistics_or_affine(pixels):
    network = nn.Sequential(
        nn.BatchNorm2d(3, affine=False),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    model = DualBNModel(network, HALVES, HALVES).freeze()
    model.branch("aux").network[0].running_mean.fill_(1.0)
    model.branch("aux").network[1].bias.fill_(2.0)
    half = blend(model, 0.5, 0.5)
    assert half.network[0].running_mean.tolist() == [0.5] * 3
    assert half.network[1].bias.tolist() == [1.0] * 3
    assert half.network[0].weight is half.network[1].running_mean is None
    assert half(pixels()).isfinite().all()


def test_a_model_in_training_gives_a_frozen_blend_and_goes_on(make_dual, pixels):
    model = make_dual().train().requires_grad_(True)
    mixed = blend(model, 0.5, 0.5)
    assert not any(part.training for part in mixed.modules())
    assert all(part.training for part in model.modules())
    before = {key: value.clone() for key, value in model.state_dict().items()}
    logits_of(mixed, pixels())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_blend_is_attacked_like_a_branch(dual, pixels):
    image, label = pixels(1), torch.tensor([0])
    found = attack(blend(dual, 1, 1), image, label, AttackConfig.pgd(8 / 255, steps=2))
    expected = attack(dual.branch("aux"), image, label, AttackConfig.pgd(8 / 255, steps=2))
    assert torch.equal(found, expected)


def test_one_branch_and_bad_names_are_refused(make_dual):
    with pytest.raises(ValueError, match="advprop calibrate"):
        blend(make_dual(auxiliaries=0), 0.5, 0.5)
    with pytest.raises(ValueError, match="Did you mean layer2"):
        blend(make_dual(), 1, 1, layers=["layer22"])


def test_eight_threads_agree(make_dual, pixels):
    model, image = make_dual(), pixels()
    layers = model.norm_layer_names()

    def work(index):
        mixed = blend(model, index / 16, image, layers=layers[: index + 1])
        return logits_of(mixed, image)

    before = snapshot(model)
    serial = [work(index) for index in range(16)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, range(16)))
    for one, other in zip(serial, together, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    assert_untouched(model, before)


@pytest.mark.skipif("shapes-advprop" not in bundled_models(), reason="no bundled model")
def test_a_bundled_network(pixels):
    opened = open_model("shapes-advprop")
    model, image = opened.model, pixels(2, opened.info.input_size)
    before = snapshot(model)
    assert set(execution_order(model, image)) == set(model.norm_layer_names())
    ends = [logits_of(blend(model, t, t), image) for t in (0, 1)]
    branches = [logits_of(model.branch(name), image) for name in ("main", "aux")]
    assert all(torch.equal(*both) for both in zip(ends, branches, strict=True))
    assert not torch.equal(*ends)
    assert_untouched(model, before)
