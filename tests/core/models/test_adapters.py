from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from advprop_core import open_model
from advprop_core.models import bundle, checkpoints
from advprop_core.models.digest import tensors_sha256
from advprop_core.models.header import CheckpointError, read_info
from advprop_core.models.published import PUBLISHED, is_installed, read_published
from advprop_core.models.timm_networks import create
from advprop_core.types import Base


@pytest.fixture
def base(tmp_path, make_dual, make_info):
    path = tmp_path / "base.safetensors"
    checkpoints.save(path, make_dual(auxiliaries=0), make_info(branches={"main": "trained"}))
    return path


@pytest.fixture
def make_adapter(base, tmp_path, make_dual, make_info):
    """(auxiliaries) to an adapter's file, and the whole network that it makes with its base."""

    def make(auxiliaries=1, name="adapter.safetensors", base_name=str(base)):
        model = make_dual(auxiliaries=auxiliaries)
        main = open_model(base).model.branch("main").network.state_dict()
        model.load_state_dict(main, strict=False)
        branches = dict.fromkeys(model.branch_names, "adapted") | {"main": "trained"}
        info = make_info(branches=branches, base=Base(base_name, tensors_sha256(main)))
        checkpoints.save(tmp_path / name, model, info)
        return tmp_path / name, model

    return make


@pytest.mark.parametrize("auxiliaries", [1, 2])
def test_an_adapter_opens_its_base(make_adapter, base, pixels, auxiliaries):
    path, model = make_adapter(auxiliaries)
    assert all(".aux_bn." in key for key in load_file(path))
    opened = open_model(path)
    assert opened.info.branches["aux"] == "adapted"
    main = open_model(base).model.branch("main")
    with torch.no_grad():
        for branch in model.branch_names:
            expected = model.branch(branch)(pixels(2))
            assert torch.equal(opened.model.branch(branch)(pixels(2)), expected)
        assert torch.equal(opened.model.branch("main")(pixels(2)), main(pixels(2)))


def test_a_page_can_list_it_without_its_base(make_adapter, base):
    path, _ = make_adapter()
    base.unlink()
    info = read_info(path)
    assert list(info.branches) == ["main", "aux"]
    assert info.base.name == str(base)


def test_a_missing_base_is_named(make_adapter, base):
    path, _ = make_adapter()
    base.unlink()
    with pytest.raises(CheckpointError, match=r"is an adapter for .*base\.safetensors, which"):
        open_model(path)


def test_a_base_is_found_beside_its_adapter(make_adapter):
    path, _ = make_adapter(base_name="/elsewhere/base.safetensors")
    assert open_model(path).info.branches["aux"] == "adapted"


def test_a_base_with_other_weights_is_refused(make_adapter, base, make_dual, make_info):
    path, _ = make_adapter()
    other = make_dual(auxiliaries=0)
    other.branch("main").network.get_classifier().bias.data[0] += 1e-3
    checkpoints.save(base, other, make_info(branches={"main": "trained"}))
    with pytest.raises(CheckpointError, match=r"adapter\.safetensors is an adapter for other"):
        open_model(path)


def test_an_adapter_of_another_architecture_is_refused(make_adapter, base, make_info, tmp_path):
    path, _ = make_adapter()
    info = replace(read_info(path), architecture="resnet10t")
    checkpoints.save(tmp_path / "other.safetensors", create(info).freeze(), info)
    with pytest.raises(CheckpointError, match="does not fit resnet10t"):
        open_model(tmp_path / "other.safetensors")


def test_an_exported_branch_is_whole(make_adapter, tmp_path, base, pixels):
    path, model = make_adapter()
    base_file = tmp_path / "plain.safetensors"
    checkpoints.export(open_model(path), "aux", base_file)
    base.unlink()
    plain = open_model(base_file)
    assert plain.info.base is None
    with torch.no_grad():
        assert torch.equal(plain.model.branch("main")(pixels(2)), model.branch("aux")(pixels(2)))


@pytest.mark.parametrize("name", [name for name in PUBLISHED if is_installed(name)])
def test_main_of_a_published_network_is_what_its_package_holds(name):
    """All but the auxiliary norm layers stays in the package, and stays as it is."""
    assert bundle.bundled_models()[name].stat().st_size < 1_100_000
    opened = open_model(name)
    assert opened.model.branch_names == ("main", "aux", "aux2")
    network = opened.model.branch("main").network.state_dict()
    assert all(torch.equal(network[key], tensor) for key, tensor in read_published(name).items())


def test_an_adapter_needs_a_way_to_its_base(make_adapter):
    path, _ = make_adapter()
    with pytest.raises(CheckpointError, match="open it with open_model"):
        checkpoints.load(path)
    assert bundle.open_file(path).info.base is not None
