"""Networks of timm's hub, from a local folder that is laid out as its cache."""

from dataclasses import replace

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from advprop_core import open_model
from advprop_core.models import checkpoints
from advprop_core.models.class_names import imagenet_classes
from advprop_core.models.digest import tensors_sha256
from advprop_core.models.header import CheckpointError
from advprop_core.types import Base

HALVES = (0.5, 0.5, 0.5)
IMAGENET_MEAN = (0.485, 0.456, 0.406)


@pytest.fixture
def put_in_cache(tmp_path, monkeypatch):
    """(name, seed) makes random weights what the hub's cache holds under that name."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def put(name, seed=0):
        torch.manual_seed(seed)
        network = timm.create_model(name).eval()
        folder = tmp_path / f"models--timm--{name}"
        snapshot = folder / "snapshots" / "0123abcd"
        snapshot.mkdir(parents=True, exist_ok=True)
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text("0123abcd")
        save_file(network.state_dict(), snapshot / "model.safetensors", {"format": "pt"})
        return network

    return put


@pytest.mark.parametrize(
    ("name", "mean"),
    [("resnet50.a1_in1k", IMAGENET_MEAN), ("tf_efficientnet_b0.ap_in1k", HALVES)],
)
def test_a_network_of_the_hub_opens_and_takes_an_adapter(put_in_cache, name, mean, tmp_path):
    network = put_in_cache(name)
    checkpoint = open_model(name)
    model, info = checkpoint.model, checkpoint.info
    assert info.classes == imagenet_classes()
    assert info.mean == mean
    pixels = torch.rand(2, 3, 64, 64)
    std = torch.tensor(info.std).view(3, 1, 1)
    with torch.no_grad():
        expected = network((pixels - torch.tensor(mean).view(3, 1, 1)) / std)
        answers = model.branch("main")(pixels)
        torch.testing.assert_close(answers, expected, rtol=1e-4, atol=1e-4)

    adapter = tmp_path / "adapter.safetensors"
    base = Base(name, tensors_sha256(model.branch("main").network.state_dict()))
    origins = {"main": "trained", "aux": "adapted"}
    checkpoints.save(adapter, model, replace(info, branches=origins, base=base))
    assert adapter.stat().st_size < 2_000_000
    again = open_model(adapter)
    assert again.info.base == base
    with torch.no_grad():
        assert torch.equal(again.model.branch("main")(pixels), answers)

    put_in_cache(name, seed=1)
    with pytest.raises(CheckpointError, match=f"other weights of {name}"):
        open_model(adapter)
