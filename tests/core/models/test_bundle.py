import hashlib
import json

import pytest
import torch

from advprop_core.models import bundle, checkpoints, timm_networks
from advprop_core.models.checkpoints import CheckpointError


@pytest.fixture
def shipped(tmp_path, monkeypatch, make_dual, make_info):
    """A bundle of one model."""
    folder = tmp_path / "assets" / "models"
    checkpoints.save(folder / "small.safetensors", make_dual(), make_info(name="small"))
    digest = hashlib.sha256((folder / "small.safetensors").read_bytes()).hexdigest()
    manifest = {"small": {"file": "small.safetensors", "sha256": digest}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(bundle, "bundle_dir", lambda: tmp_path)
    return folder / "small.safetensors"


def test_bundled_models_are_those_of_the_manifest(shipped):
    assert bundle.bundled_models() == {"small": shipped}
    assert bundle.open_model("small").info.name == "small"
    bundle.verify_bundled("small")


def test_no_manifest_means_no_models(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "bundle_dir", lambda: tmp_path)
    assert bundle.bundled_models() == {}


def test_a_damaged_or_missing_bundled_file_is_named(shipped):
    content = bytearray(shipped.read_bytes())
    content[-1] ^= 1
    shipped.write_bytes(content)
    with pytest.raises(CheckpointError, match="small is damaged.*Install again$"):
        bundle.open_model("small")
    with pytest.raises(CheckpointError, match="small is damaged"):
        bundle.open_file(shipped)
    shipped.unlink()
    with pytest.raises(CheckpointError, match="small is missing"):
        bundle.verify_bundled("small")
    entries = {name: {"file": "none", "sha256": ""} for name in ("small", "large", "huge")}
    (shipped.parent / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(CheckpointError, match="or choose another network: large, huge$"):
        bundle.verify_bundled("small")


def test_a_file_is_opened(shipped, make_dual):
    assert bundle.open_model(str(shipped)).info.name == "small"
    plain = shipped.with_name("plain.pth")
    torch.save(make_dual().branch("main").network.state_dict(), plain)
    assert bundle.open_model(str(plain), architecture="test_resnet").info.num_classes == 6


def test_a_missing_file_is_named(shipped):
    with pytest.raises(CheckpointError, match="There is no file .*missing.safetensors"):
        bundle.open_model(str(shipped.with_name("missing.safetensors")))


def test_a_timm_name_is_handed_on(shipped, monkeypatch, tmp_path):
    asked = []

    def load_pretrained(name):
        asked.append(name)
        return None, None

    monkeypatch.setattr(timm_networks, "load_pretrained", load_pretrained)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet18").mkdir()  # a folder of that name is not a checkpoint
    names = ["resnet18.a1_in1k", "resnet18", f"local-dir:{tmp_path}/a.b"]
    for name in names:
        bundle.open_model(name)
    assert asked == names


def test_an_unknown_name_lists_what_there_is(shipped):
    with pytest.raises(
        timm_networks.UnknownArchitecture, match=r"no bundled model \(small\).*resnet18"
    ):
        bundle.open_model("resnet19")


def test_every_model_that_ships_is_what_the_manifest_says():
    for name, path in bundle.bundled_models().items():
        bundle.verify_bundled(name)
        checkpoint = bundle.open_model(name)
        assert path.stat().st_size < 12e6
        assert checkpoint.info.metrics, f"{name} has no measured figures"
        assert next(iter(checkpoint.info.branches)) == "main"
