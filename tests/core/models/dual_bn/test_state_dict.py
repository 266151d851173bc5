"""What a model saves, loads and refuses to load."""

import pytest
import timm
import torch
from timm.layers import convert_splitbn_model
from timm.utils import ModelEmaV2, ModelEmaV3
from torch import nn

from advprop_core.models.dual_bn import DualBNModel
from tests.core.models.dual_bn.sharing import HALVES


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
