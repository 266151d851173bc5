"""A blend as a network of its own."""

import pytest
import torch

from advprop_core.anatomy.mixing import blend, soup
from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import Checkpoint, export, load, save
from advprop_core.predict import logits_of
from advprop_core.types import ModelInfo

NAMES = tuple("abcd")
HALVES = (0.5, 0.5, 0.5)


@pytest.fixture
def checkpoint(randomise):
    branches = {"main": "trained", "aux": "trained"}
    info = ModelInfo("test_resnet", NAMES, NAMES, 32, HALVES, HALVES, branches, recipe={"seed": 3})
    torch.manual_seed(0)
    model = timm_networks.create(info)
    randomise(model)
    return Checkpoint(model.freeze(), info)


def test_it_is_the_blend_and_survives_a_file(checkpoint, pixels, tmp_path):
    images = pixels(6)
    made = soup(checkpoint, 0.25, images, layers=["layer1"])
    assert made.model.branch_names == ("main",)
    assert dict(made.info.branches) == {"main": "calibrated"}
    assert made.info.recipe["seed"] == 3
    assert made.info.recipe["blend"] == {
        "first": "main", "second": "aux", "affine": 0.25, "layers": ["layer1"],
        "reference_images": 6,
    }  # fmt: skip
    expected = logits_of(blend(checkpoint.model, 0.25, images, layers=["layer1"]), images)
    save(tmp_path / "soup.safetensors", made.model, made.info)
    again = load(tmp_path / "soup.safetensors")
    assert torch.equal(logits_of(again.model.branch("main"), images), expected)


def test_it_can_be_exported_as_a_plain_network(checkpoint, pixels, tmp_path):
    images = pixels(6)
    export(soup(checkpoint, 0.5, images), "main", tmp_path / "plain.safetensors")
    again = load(tmp_path / "plain.safetensors")
    before = blend(checkpoint.model, 0.5, images).network
    plain = again.model.branch("main").network
    assert all(torch.equal(plain.state_dict()[k], v) for k, v in before.state_dict().items())


def test_the_checkpoint_is_not_changed(checkpoint, pixels):
    before = {key: value.clone() for key, value in checkpoint.model.state_dict().items()}
    soup(checkpoint, 0.5, pixels(6))
    after = checkpoint.model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
