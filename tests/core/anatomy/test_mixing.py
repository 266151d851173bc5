"""Blends of two branches, and swaps of single layers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.layers import execution_order
from advprop_core.anatomy.mixing import blend, path, swap
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
    quarter = tensors(blend(model, 0.25), "1")  # from mean 0, variance 1, γ 1, β 0
    assert {key: value.tolist() for key, value in quarter.items()} == {
        "running_mean": [1.0, 1.0],
        "running_var": [3.0, 3.0],  # the variance is on the line: its root would be 2.25
        "weight": [1.25, 1.25],
        "bias": [2.0, 2.0],
    }


def test_a_step_of_t_is_batchnorms_own_update():
    """Running statistics with momentum t, fed with images that have aux's statistics."""
    model = DualBNModel(nn.BatchNorm2d(3, momentum=0.3), (0.0,) * 3, (1.0,) * 3).freeze()
    main, aux = (model.branch(name).network for name in ("main", "aux"))
    sample = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    aux.running_mean.copy_(sample.mean((0, 2, 3)))
    aux.running_var.copy_(sample.var((0, 2, 3)))
    mixed = blend(model, 0.3).network
    main.train()(sample)
    torch.testing.assert_close(main.running_mean, mixed.running_mean)
    torch.testing.assert_close(main.running_var, mixed.running_var)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_ends_are_the_branches_bit_for_bit(make_dual, pixels, architecture):
    model, image = make_dual(architecture), pixels(2, 48)
    before = snapshot(model)
    main, aux = (logits_of(model.branch(name), image) for name in ("main", "aux"))
    assert torch.equal(logits_of(blend(model, 0), image), main)
    assert torch.equal(logits_of(blend(model, 1), image), aux)
    assert torch.equal(logits_of(swap(model, model.norm_layer_names()), image), aux)
    assert torch.equal(logits_of(swap(model, []), image), main)
    half = logits_of(blend(model, 0.5), image)
    assert not torch.allclose(half, main)
    assert not torch.allclose(half, aux)
    assert_untouched(model, before)


def test_norm_tensors_are_linear_in_t(dual):
    main, aux = dual.branch("main"), dual.branch("aux")
    for t in (0.1, 0.5, 0.9):
        mixed = blend(dual, t)
        for layer in dual.norm_layer_names():
            for key, value in tensors(mixed, layer).items():
                expected = (1 - t) * tensors(main, layer)[key] + t * tensors(aux, layer)[key]
                torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_blend_shares_all_but_the_norm_tensors_that_move(make_dual, architecture):
    model = make_dual(architecture)
    before = snapshot(model)
    layer = model.norm_layer_names()[2]
    mixed = blend(model, 0.5, layers=[layer])
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
        statistics, affine = blend(dual, 1, affine=False), blend(dual, 1, statistics=False)
        assert is_of(statistics, aux, layer, STATISTICS)
        assert is_of(statistics, main, layer, AFFINE)
        assert is_of(affine, main, layer, STATISTICS)
        assert is_of(affine, aux, layer, AFFINE)
    with pytest.raises(ValueError, match="nothing to blend"):
        blend(dual, 0.5, statistics=False, affine=False)


def test_swap_changes_the_layers_and_stages_it_is_given(make_dual):
    model = make_dual("regnetx_002")
    mixed = swap(model, ["s1", "s4.b7.conv3.bn"])
    for layer in model.norm_layer_names():
        swapped = layer.startswith("s1.") or layer == "s4.b7.conv3.bn"
        assert is_of(mixed, model.branch("aux" if swapped else "main"), layer), layer


def test_any_two_branches(make_dual, pixels):
    model, image = make_dual(auxiliaries=2), pixels()
    end = blend(model, 1, first="aux2", second="aux")
    assert torch.equal(logits_of(end, image), logits_of(model.branch("aux"), image))
    rest = swap(model, ["bn1"], first="aux2", second="main")
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
    half = blend(model, 0.5)
    assert half.network[0].running_mean.tolist() == [0.5] * 3
    assert half.network[1].bias.tolist() == [1.0] * 3
    assert half.network[0].weight is half.network[1].running_mean is None
    assert half(pixels()).isfinite().all()


def test_a_model_in_training_gives_a_frozen_blend_and_goes_on(make_dual, pixels):
    model = make_dual().train().requires_grad_(True)
    mixed = blend(model, 0.5)
    assert not any(part.training for part in mixed.modules())
    assert all(part.training for part in model.modules())
    before = {key: value.clone() for key, value in model.state_dict().items()}
    logits_of(mixed, pixels())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_blend_is_attacked_like_a_branch(dual, pixels):
    image, label = pixels(1), torch.tensor([0])
    found = attack(blend(dual, 1), image, label, AttackConfig.pgd(8 / 255, steps=2))
    expected = attack(dual.branch("aux"), image, label, AttackConfig.pgd(8 / 255, steps=2))
    assert torch.equal(found, expected)


@pytest.mark.parametrize("architecture", FAMILIES)
@pytest.mark.parametrize("what", [{}, {"affine": False}, {"statistics": False, "layers": [2, 3]}])
def test_a_path_is_what_the_blends_along_it_say(make_dual, pixels, architecture, what):
    model, image = make_dual(architecture), pixels(2, 48)
    if "layers" in what:
        names = model.norm_layer_names()
        what = {**what, "layers": [names[index] for index in what["layers"]]}
    before, places, told = snapshot(model), (0, 0.3, 1, 0.3), []
    found = path(model, image, places, **what, progress=lambda *shares: told.append(shares))
    assert found.shape == (4, 2, 6)
    for row, t in zip(found, places, strict=True):
        assert torch.equal(row, logits_of(blend(model, t, **what), image))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert_untouched(model, before)


def test_a_path_goes_between_any_two_branches(make_dual, pixels):
    model, image = make_dual(auxiliaries=2), pixels()
    ends = path(model, image, (0, 1), first="aux2", second="aux")
    for end, name in zip(ends, ("aux2", "aux"), strict=True):
        assert torch.equal(end, logits_of(model.branch(name), image))


def test_a_path_can_be_stopped_and_refuses_what_a_blend_does(dual, pixels):
    def stop(done, _total):
        if done == 2:
            raise InterruptedError

    before = snapshot(dual)
    with pytest.raises(InterruptedError):
        path(dual, pixels(), (0, 0.5, 1), progress=stop)
    assert_untouched(dual, before)
    with pytest.raises(ValueError, match="at least one"):
        path(dual, pixels(), ())
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        path(dual, pixels(), (0, 1.5))
    with pytest.raises(ValueError, match="nothing to blend"):
        path(dual, pixels(), (0,), statistics=False, affine=False)
    with pytest.raises(ValueError, match="Did you mean"):
        path(dual, pixels(), (0,), layers=["layer22"])


@pytest.mark.parametrize("t", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_wrong_t_is_refused(dual, t):
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        blend(dual, t)


@pytest.mark.parametrize("t", ["0.5", None, True])
def test_a_t_that_is_no_number_is_refused(dual, t):
    with pytest.raises(TypeError, match="t must be a number"):
        blend(dual, t)


def test_one_branch_and_bad_names_are_refused(make_dual):
    with pytest.raises(ValueError, match="advprop calibrate"):
        blend(make_dual(auxiliaries=0), 0.5)
    with pytest.raises(ValueError, match="Did you mean layer2"):
        swap(make_dual(), ["layer22"])


def test_eight_threads_agree(make_dual, pixels):
    model, image = make_dual(), pixels()
    layers = model.norm_layer_names()

    def work(index):
        mixed = blend(model, index / 16, layers=layers[: index + 1])
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
    assert set(execution_order(model)) == set(model.norm_layer_names())
    ends = [logits_of(blend(model, t), image) for t in (0, 1)]
    branches = [logits_of(model.branch(name), image) for name in ("main", "aux")]
    assert all(torch.equal(*both) for both in zip(ends, branches, strict=True))
    assert not torch.equal(*ends)
    assert_untouched(model, before)
