"""Families of networks: what holds for one with BatchNorm holds for the others."""

from dataclasses import replace

import pytest
import torch

from advprop_core import attack, explain, open_model
from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.adapters import base_of
from advprop_core.models.dual_bn import attack_view, norm_layers
from advprop_core.models.folding import fold
from advprop_core.types import AttackConfig, ModelInfo

HALVES = (0.5, 0.5, 0.5)
SIZES = {
    "resnet18": 64,
    "resnetv2_50": 64,
    "res2net50_26w_4s": 64,
    "selecsls42": 64,
    "seresnext26d_32x4d": 64,
    "densenet121": 64,
    "ese_vovnet19b_dw": 64,
    "inception_v3": 96,
    "xception41": 64,
    "dpn48b": 64,
    "dla34": 64,
    "hrnet_w18_small": 64,
    "mobilenetv2_050": 64,
    "mobilenetv3_small_050": 64,
    "mnasnet_small": 64,
    "efficientnet_b0": 64,
    "tf_efficientnet_lite0": 64,
    "ghostnet_050": 64,
    "rexnet_100": 64,
    "regnety_002": 64,
    "repvgg_a0": 64,
    "mobileone_s0": 64,
    "cspresnet50": 64,
    "fastvit_t8": 64,
    "nasnetalarge": 96,
}


@pytest.mark.parametrize("architecture", SIZES)
def test_a_family(architecture, tmp_path):
    size = SIZES[architecture]
    ids = tuple(f"class-{index}" for index in range(5))
    info = ModelInfo(architecture, ids, ids, size, HALVES, HALVES, {"main": "trained"})
    torch.manual_seed(0)
    base = timm_networks.create(info).freeze()
    checkpoints.save(tmp_path / "base.safetensors", base, info)
    pixels = torch.rand(2, 3, size, size)
    labels = torch.tensor([0, 1])

    # An adapter is the base with an auxiliary branch whose norm layers differ.
    origins = {"main": "trained", "aux": "adapted"}
    main = base.branch("main").network.state_dict()
    described = replace(info, branches=origins, base=base_of("base.safetensors", main))
    dual = timm_networks.create(described).freeze()
    dual.load_state_dict(main, strict=False)
    with torch.no_grad():
        for norm in norm_layers(dual.branch("aux")).values():
            norm.bias.add_(0.1)
    checkpoints.save(tmp_path / "adapter.safetensors", dual, described)

    opened = open_model(tmp_path / "adapter.safetensors")
    with torch.no_grad():
        answers = {name: opened.model.branch(name)(pixels) for name in ("main", "aux")}
        assert torch.equal(answers["main"], base.branch("main")(pixels))
        assert torch.equal(answers["aux"], dual.branch("aux")(pixels))
    assert not torch.allclose(answers["main"], answers["aux"])

    view = attack_view(opened.model.branch("aux"))
    moved = attack(view, pixels, labels, AttackConfig.fgsm(4 / 255))
    assert (moved - pixels).abs().max() <= 4 / 255 + 1e-6
    assert not torch.equal(moved, pixels)

    folded = fold(opened.model.branch("aux"), pixels)
    with torch.no_grad():
        torch.testing.assert_close(folded(pixels), answers["aux"], rtol=1e-3, atol=1e-3)

    (grad_cam,) = explain(folded, pixels[:1], 0, "grad-cam")
    assert grad_cam.shape == (size, size)
    assert grad_cam.isfinite().all()

    checkpoints.export(opened, "aux", tmp_path / "alone.safetensors")
    alone = open_model(tmp_path / "alone.safetensors").model
    with torch.no_grad():
        torch.testing.assert_close(alone.branch("main")(pixels), answers["aux"])
