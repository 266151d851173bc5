import copy
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
from timm.layers import convert_splitbn_model, convert_sync_batchnorm
from timm.layers.norm_act import SyncBatchNormAct
from timm.utils import ModelEmaV2, ModelEmaV3
from torch import nn

from advprop_core.attacks import attack
from advprop_core.attribution import explain
from advprop_core.dual_bn import (
    DualBNModel,
    attack_view,
    auxiliary_name,
    fold,
    norm_layers,
    private_view,
)
from advprop_core.predict import logits_of
from advprop_core.types import AttackConfig

HALVES = (0.5, 0.5, 0.5)
FAMILIES = {  # architecture: (norm layers, of them foldable)
    "resnet18": (20, 20),
    "resnext26ts": (31, 31),  # fused BatchNorm and activation
    "densenet121": (121, 59),
    "efficientnet_b0": (49, 49),
    "mobilenetv2_035": (52, 52),
    "mobilenetv3_small_050": (34, 34),
    "regnetx_002": (44, 44),
}
NASNET = "nasnetalarge"  # the only one timm has, made small below


def build(architecture):
    torch.manual_seed(0)
    if architecture == NASNET:
        from timm.models.nasnet import NASNetALarge

        return NASNetALarge(num_classes=5, stem_size=8, num_features=192, channel_multiplier=2)
    return timm.create_model(architecture, num_classes=5)


def all_tensors(module):
    """(dotted name, tensor) with repeats, for every place that holds one."""
    for place, part in module.named_modules(remove_duplicate=False):
        for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
            if tensor is not None:
                yield f"{place}.{name}", tensor


def assert_shared(model):
    """Every tensor outside norm layers is one object in all branches; norm tensors are not."""
    main = model.branch("main")
    norms = set(norm_layers(main))
    ours = dict(all_tensors(main))
    for name in model.branch_names[1:]:
        theirs = dict(all_tensors(model.branch(name)))
        assert ours.keys() == theirs.keys()
        for key, tensor in ours.items():
            own = key.rpartition(".")[0] in norms
            assert (theirs[key] is tensor) is not own, key
            if not tensor.is_meta:
                assert (theirs[key].data_ptr() == tensor.data_ptr()) is not own, key


# -- sharing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("auxiliaries", [1, 3])
def test_construction_shares_all_but_norm_tensors(make_dual, auxiliaries):
    model = make_dual(auxiliaries=auxiliaries)
    assert model.branch_names == ("main", "aux", "aux2", "aux3")[: auxiliaries + 1]
    assert_shared(model)


def pickled(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def reloaded(model):
    model.load_state_dict({key: value + 1 for key, value in model.state_dict().items()})
    return model


@pytest.mark.parametrize(
    "change",
    [
        copy.deepcopy,
        pickled,
        reloaded,
        lambda model: model.double(),
        lambda model: model.half(),
        lambda model: model.to(torch.bfloat16),
        lambda model: model.to(memory_format=torch.channels_last),
        lambda model: model.to("meta"),
        lambda model: model.to("meta").to_empty(device="cpu"),
        lambda model: model.freeze(),
        lambda model: model.train(),
        lambda model: model.share_memory(),
        lambda model: convert_sync_batchnorm(model),
    ],
    ids=[
        "deepcopy",
        "pickle",
        "load_state_dict",
        "double",
        "half",
        "bfloat16",
        "channels_last",
        "meta",
        "to_empty",
        "freeze",
        "train",
        "share_memory",
        "sync",
    ],
)
@pytest.mark.parametrize("architecture", ["test_resnet", "regnetx_002"])
def test_sharing_survives(make_dual, change, architecture):
    model = make_dual(architecture, auxiliaries=2)
    keys = list(model.state_dict())
    changed = change(model)
    assert_shared(changed)
    assert list(changed.state_dict()) == keys


def test_gradients_survive_a_conversion_shared(make_dual, pixels):
    model = make_dual().requires_grad_(True)
    sum(out.sum() for out in model({"main": pixels(), "aux": pixels()}).values()).backward()
    before = model.branch("main").network.get_classifier().weight.grad.clone()
    model.double()
    grads = [model.branch(n).network.get_classifier().weight.grad for n in model.branch_names]
    assert grads[0] is grads[1]
    torch.testing.assert_close(grads[0], before.double())


def test_assign_is_refused(dual):
    with pytest.raises(ValueError, match="assign=True"):
        dual.load_state_dict(dual.state_dict(), assign=True)
    assert_shared(dual)


def test_optimizer_sees_each_parameter_once(dual):
    main = sum(p.numel() for p in dual.branch("main").parameters())
    norm = sum(
        p.numel()
        for layer in norm_layers(dual.branch("main")).values()
        for p in layer.parameters(recurse=False)
    )
    assert sum(p.numel() for p in dual.parameters()) == main + norm


@pytest.mark.parametrize(("architecture", "share"), [("resnet18", 0.0009), ("regnetx_002", 0.02)])
def test_overhead_is_small(architecture, share):
    network = timm.create_model(architecture)
    alone = sum(p.numel() for p in network.parameters())
    both = sum(p.numel() for p in DualBNModel(network, HALVES, HALVES).parameters())
    assert 0 < both / alone - 1 < share


# -- state dict -------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["resnet18", "efficientnet_b0", "densenet121"])
def test_state_dict_has_timms_split_layout_and_each_tensor_once(architecture):
    network = timm.create_model(architecture, num_classes=5)
    model = DualBNModel(network, HALVES, HALVES, auxiliaries=2)
    state = model.state_dict()
    assert len({t.data_ptr() for t in state.values()}) == len(state)
    plain = timm.create_model(architecture, num_classes=5)
    main = {key: value for key, value in state.items() if ".aux_bn." not in key}
    plain.load_state_dict(main, strict=True)
    if architecture == "resnet18":  # timm's converter drops the activation of fused layers
        split = convert_splitbn_model(plain, num_splits=3)
        assert set(split.state_dict()) == set(state)
        split.load_state_dict(state, strict=True)


def test_state_dict_of_a_wrapper_has_its_prefix(dual):
    wrapper = nn.ModuleDict({"inner": dual})
    assert list(wrapper.state_dict()) == [f"inner.{key}" for key in dual.state_dict()]


def test_state_dict_round_trip(make_dual, pixels):
    source, copied = make_dual(), make_dual()
    for tensor in copied.state_dict().values():
        tensor.zero_()
    result = copied.load_state_dict(source.state_dict())
    assert result == ([], [])
    for name in source.branch_names:
        assert torch.equal(source.branch(name)(pixels()), copied.branch(name)(pixels()))


def test_load_state_dict_refuses_before_it_writes(dual):
    state = {key: value.clone() + 1 for key, value in dual.state_dict().items()}
    before = {key: value.clone() for key, value in dual.state_dict().items()}
    *_, last = state
    for bad in (
        {**state, "extra": torch.ones(1)},
        {key: value for key, value in state.items() if key != last},
        {**state, last: torch.ones(99)},
    ):
        with pytest.raises(RuntimeError, match="extra|aux_bn"):
            dual.load_state_dict(bad)
    assert all(torch.equal(before[key], value) for key, value in dual.state_dict().items())


def test_load_state_dict_not_strict_reports(dual):
    state = dual.state_dict()
    key = next(iter(state))
    del state[key]
    assert dual.load_state_dict({**state, "extra": torch.ones(1)}, strict=False) == (
        [key],
        ["extra"],
    )


@pytest.mark.parametrize("average", [ModelEmaV2, ModelEmaV3])
def test_ema_averages_a_shared_weight_once(make_dual, average):
    model = make_dual()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    ema = average(model, decay=0.9)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1)
    ema.update(model)
    for key, value in ema.module.state_dict().items():
        if value.is_floating_point() and "running" not in key:
            torch.testing.assert_close(value, torch.full_like(value, 0.1), msg=key)


# -- branches ---------------------------------------------------------------------------------


def test_auxiliary_names():
    assert [auxiliary_name(index) for index in range(3)] == ["aux", "aux2", "aux3"]


def test_unknown_branch_is_named_with_a_near_match(dual):
    with pytest.raises(ValueError, match=r"main, aux, got 'aus' \(did you mean 'aux'\?\)"):
        dual.branch("aus")
    with pytest.raises(ValueError, match="branch must be one of main, aux"):
        dual({"clean": torch.rand(1, 3, 32, 32)})


def test_network_without_batchnorm_is_refused():
    with pytest.raises(ValueError, match="Sequential has no BatchNorm"):
        DualBNModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4)), HALVES, HALVES)
    assert DualBNModel(nn.Linear(1, 1), HALVES, HALVES, auxiliaries=0).branch_names == ("main",)


def test_arguments_are_validated(make_tiny):
    with pytest.raises(ValueError, match="auxiliaries must be 0 or more, got -1"):
        DualBNModel(make_tiny(), HALVES, HALVES, auxiliaries=-1)
    with pytest.raises(ValueError, match="std must be positive"):
        DualBNModel(make_tiny(), HALVES, (0.5, 0.0, 0.5))


def test_mean_and_std_are_applied():
    model = DualBNModel(nn.Identity(), (0.1, 0.2, 0.3), (0.5, 0.25, 1.0), auxiliaries=0)
    out = model.branch("main")(torch.full((1, 3, 1, 1), 0.6))
    assert out.flatten().tolist() == pytest.approx([1.0, 1.6, 0.3])


@pytest.mark.parametrize("architecture", [*FAMILIES, NASNET])
def test_twins_fold_and_part_in_every_family(architecture, randomise, pixels):
    """Equal at the start, apart when only aux changes, and equal to what folding makes of them."""
    model = DualBNModel(build(architecture), HALVES, HALVES).freeze()
    image = pixels(2, 96 if architecture == NASNET else 64)
    main, aux = model.branch("main"), model.branch("aux")
    before = logits_of(main, image)
    assert torch.equal(before, logits_of(aux, image))
    randomise(aux)
    assert torch.equal(before, logits_of(main, image))
    after = logits_of(aux, image)
    assert not torch.allclose(before, after, rtol=1e-3, atol=1e-5)

    state = {key: value.clone() for key, value in model.state_dict().items()}
    folded = fold(aux, image[:1])
    torch.testing.assert_close(logits_of(folded, image), after, rtol=1e-4, atol=1e-4)
    if architecture in FAMILIES:
        total, foldable = FAMILIES[architecture]
        assert len(norm_layers(aux)) == total
        assert len(norm_layers(folded)) == total - foldable
    assert not any(p.requires_grad for p in folded.parameters())
    assert not any(part.training for part in folded.modules())
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert torch.equal(logits_of(aux, image), after)


def test_sync_batchnorm_keeps_the_activation_of_fused_layers(make_dual):
    model = make_dual("regnetx_002")
    converted = convert_sync_batchnorm(model)
    for name in model.branch_names:
        layers = norm_layers(converted.branch(name))
        assert len(layers) == 44
        assert all(isinstance(layer, SyncBatchNormAct) for layer in layers.values())
        assert any(isinstance(layer.act, nn.ReLU) for layer in layers.values())
    assert_shared(converted)


# -- views ------------------------------------------------------------------------------------


def test_private_view_shares_tensors_and_owns_hooks_and_mode(dual, pixels):
    aux = dual.branch("aux")
    view = private_view(aux)
    ours, theirs = dict(all_tensors(aux)), dict(all_tensors(view))
    assert ours.keys() == theirs.keys()
    assert all(theirs[key] is tensor for key, tensor in ours.items())
    calls = []
    for part in view.modules():
        part.register_forward_hook(lambda *_: calls.append(1))
    view.train()
    aux(pixels())
    assert not calls
    assert not any(part._forward_hooks or part.training for part in dual.modules())


def test_attack_view_follows_training_and_moves_nothing(make_dual, pixels):
    model = make_dual().requires_grad_(True).train()
    aux = model.branch("aux")
    view = attack_view(aux)
    assert not any(part.training for part in view.modules())
    assert aux.training

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model({"main": pixels(4), "aux": pixels(4)})["aux"].square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    expected = logits_of(private_view(aux).eval(), pixels())
    assert torch.equal(logits_of(view, pixels()), expected)

    state = {key: value.clone() for key, value in model.state_dict().items()}
    point = pixels().requires_grad_()
    view(point).sum().backward()
    assert point.grad is not None
    assert all(parameter.grad is None for parameter in [*model.parameters(), *view.parameters()])
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


# -- folding ----------------------------------------------------------------------------------


class Shared(nn.Module):
    """Tiny networks, each with a pair that may not be folded."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)
        self.tail = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        if self.how == "two consumers":
            y = self.conv(x)
            y = self.bn(y) + y
        elif self.how == "two consumers, the other one later":
            y = self.conv(x)
            y = self.tail(self.bn(y)) + y[:, :2]
            return y.mean((2, 3))
        elif self.how == "reused convolution":
            y = self.bn(self.conv(self.conv(x)))
        elif self.how == "reused norm":
            y = self.bn(self.conv(self.bn(x)))
        elif self.how == "activation between":
            y = self.bn(self.conv(x).relu())
        else:
            y = self.bn(self.conv(x))
        return self.tail(y).mean((2, 3))


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("plain", 0),
        ("two consumers", 1),
        ("two consumers, the other one later", 1),
        ("reused convolution", 1),
        ("reused norm", 1),
        ("activation between", 1),
    ],
)
def test_only_a_convolution_that_feeds_the_norm_alone_is_folded(how, left, randomise, pixels):
    torch.manual_seed(0)
    module = Shared(how).eval().requires_grad_(False)
    randomise(module)
    folded = fold(module, pixels(1, 8))
    assert len(norm_layers(folded)) == left
    torch.testing.assert_close(folded(pixels(2, 8)), module(pixels(2, 8)), rtol=1e-5, atol=1e-5)


def test_fold_literal():
    conv, norm = nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1, eps=0.0)
    with torch.no_grad():
        conv.weight.fill_(3)
        norm.weight.fill_(2)
        norm.bias.fill_(5)
        norm.running_mean.fill_(1)
        norm.running_var.fill_(4)
    folded = fold(nn.Sequential(conv, norm).eval(), torch.ones(1, 1, 1, 1))
    assert folded[0].weight.item() == 3  # 3 · 2 / sqrt(4)
    assert folded[0].bias.item() == 4  # 5 − 1 · 2 / sqrt(4)


def test_fold_does_not_rely_on_definition_order(randomise, pixels):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn_b, self.conv_b = nn.BatchNorm2d(4), nn.Conv2d(3, 4, 1)
            self.bn_a, self.conv_a = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return self.bn_b(self.conv_b(self.bn_a(self.conv_a(x)))).mean((2, 3))

    module = Backwards().eval()
    randomise(module)
    folded = fold(module, pixels(1, 8))
    assert not norm_layers(folded)
    torch.testing.assert_close(folded(pixels()), module(pixels()))


def test_fold_is_independent_of_its_source(make_tiny, randomise, pixels):
    module = nn.Sequential(nn.BatchNorm2d(3), make_tiny()).eval()  # the first norm stays
    randomise(module)
    folded = fold(module, pixels(1))
    before = folded(pixels())
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.zero_()
    assert torch.equal(folded(pixels()), before)


def test_fold_refuses_training_mode_in_any_part(make_tiny, pixels):
    module = make_tiny().eval()
    module[1].train()
    with pytest.raises(ValueError, match="eval mode"):
        fold(module, pixels())


def test_fold_passes_over_norms_without_statistics(pixels):
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False), nn.Flatten()
    ).eval()
    torch.testing.assert_close(fold(module, pixels())(pixels()), module(pixels()))
    plain = nn.Flatten().eval()  # nothing to fold, and no gradient to follow
    assert torch.equal(fold(plain, pixels())(pixels()), plain(pixels()))


# -- threads ----------------------------------------------------------------------------------


def test_eight_threads_give_what_one_gives(dual, pixels):
    """Predictions, attacks and maps on both branches of one frozen model, at once."""
    jobs = [(branch, seed) for seed in range(8) for branch in dual.branch_names]

    def work(job):
        name, seed = job
        branch, image = dual.branch(name), pixels(1, seed=seed)
        found = attack(
            branch, image, torch.tensor([seed % 6]), AttackConfig.pgd(8 / 255, steps=3, seed=seed)
        )
        maps = [
            explain(branch, image, seed % 6, method, seed=seed)
            for method in ("saliency", "smoothgrad", "grad-cam")
        ]
        folded = fold(branch, image)
        return [logits_of(branch, image), found, *maps, logits_of(folded, image)]

    serial = [work(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, jobs))
    for job, expected, got in zip(jobs, serial, together, strict=True):
        for one, other in zip(expected, got, strict=True):
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5, msg=str(job))
    assert not any(
        part._forward_hooks or part._forward_pre_hooks or part._backward_hooks or part.training
        for part in dual.modules()
    )
