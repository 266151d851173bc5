"""Damaged, foreign and malicious files are refused by name, and nothing in them is run."""

import argparse
import math
import pickle
import zipfile

import pytest
import torch

from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import load, save
from advprop_core.models.settings import ModelSettings
from tests.core.models.checkpoints.files import refusal, with_header, write_safetensors


class Malicious:
    """Unpickled without care, it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_truncated_at_any_length(saved, tmp_path):
    content = saved.read_bytes()
    path = tmp_path / "cut.safetensors"
    for length in [0, 1, 2, 7, 8, 9, 100, *range(1000, len(content), len(content) // 40)]:
        path.write_bytes(content[:length])
        assert "cut.safetensors is truncated" in refusal(path)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
def test_truncated_pickles(tmp_path, old):
    whole, path = tmp_path / "whole.pth", tmp_path / "cut.pth"
    state = {"state_dict": {"fc.weight": torch.rand(9, 9)}, "args": argparse.Namespace(lr=1)}
    torch.save(state, whole, _use_new_zipfile_serialization=not old)
    content = whole.read_bytes()
    for length in range(1, len(content) - 1, 13):
        path.write_bytes(content[:length])
        assert "cut.pth" in refusal(path, "resnet18")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old pickle"])
def test_pickles_with_flipped_bytes(tmp_path, old):
    path = tmp_path / "x.pth"
    torch.save({"a.weight": torch.rand(9, 9)}, path, _use_new_zipfile_serialization=not old)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        assert "x.pth" in refusal(path, "resnet18")


@pytest.mark.parametrize(
    "content",
    [b"", b"PLEASE READ ME " * 9, b"{}" * 50, b"\x89PNG\r\n\x1a\n" * 9, b"\x80\x02" * 50],
    ids=["empty", "text", "json", "image", "junk"],
)
def test_other_files(tmp_path, content):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    assert "other.bin" in refusal(path)


def test_no_file_and_a_folder(tmp_path):
    assert "There is no file" in refusal(tmp_path / "none.safetensors")
    assert str(tmp_path) in refusal(tmp_path)


@pytest.mark.parametrize("how", ["zip", "old", "bare"])
def test_pickled_code_is_not_run(tmp_path, how):
    touched, path = tmp_path / "touched", tmp_path / "evil.pth"
    content = {"state_dict": {"fc.weight": torch.zeros(2, 2)}, "args": Malicious(touched)}
    if how == "bare":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    message = refusal(path, "resnet18")
    assert "never run" in message
    assert "\n" not in message
    assert not touched.exists()
    torch.load(path, weights_only=False) if how == "zip" else pickle.loads(pickle.dumps(content))
    assert touched.exists()  # the test would notice


def test_whole_pickled_model_is_refused_by_name(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "x.pth")
    assert "torch.nn.modules.linear.Linear" in refusal(tmp_path / "x.pth", "resnet18")


def test_namespace_is_allowed_for_the_call_only(tmp_path):
    torch.save({"args": argparse.Namespace(x=1)}, tmp_path / "x.pth")
    assert "no tensors" in refusal(tmp_path / "x.pth", "resnet18")
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(2), {"epoch": 3}])
def test_pickles_without_a_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    assert "holds no" in refusal(tmp_path / "x.pth", "resnet18")


def test_a_packed_archive_that_would_fill_the_memory(tmp_path):
    torch.save({"fc.weight": torch.zeros(1000, 1000)}, tmp_path / "whole.pth")
    path = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(tmp_path / "whole.pth") as whole,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
    assert path.stat().st_size < 10_000
    assert "packed.pth is a packed archive" in refusal(path, "resnet18")


def test_a_tensor_blown_up_by_its_strides_allocates_nothing(tmp_path):
    torch.save({"fc.weight": torch.zeros(1).expand(10**9, 512)}, tmp_path / "x.pth")
    assert (tmp_path / "x.pth").stat().st_size < 5000
    assert "does not fit" in refusal(tmp_path / "x.pth", "resnet18")


def test_foreign_layout_needs_an_architecture(tmp_path, dual):
    path = tmp_path / "x.safetensors"
    write_safetensors(dual.branch("main").network.state_dict(), path)
    assert "--arch" in refusal(path)
    with pytest.raises(timm_networks.UnknownArchitecture, match="Did you mean .*resnet18"):
        load(path, ModelSettings("resnet19"))
    with pytest.raises(timm_networks.UnknownArchitecture, match="source"):
        load(path, ModelSettings("local-dir:/tmp"))


def test_another_architecture_is_refused(saved, tmp_path, dual, make_info):
    path = tmp_path / "x.safetensors"
    write_safetensors(dual.branch("main").network.state_dict(), path)
    assert "does not fit resnet18" in refusal(path, "resnet18")
    assert "none of its tensors" in refusal(path, "densenet121")
    backbone = {k: v for k, v in dual.branch("main").network.state_dict().items() if "fc" not in k}
    write_safetensors(backbone, tmp_path / "backbone.safetensors")
    message = refusal(tmp_path / "backbone.safetensors", "test_resnet")
    assert "give a file that holds the classifier too" in message
    with_header(saved, path, info=make_info(), architecture="resnet18")
    assert "does not fit resnet18" in refusal(path)
    with_header(saved, path, info=make_info(), architecture="resnet19")
    with pytest.raises(timm_networks.UnknownArchitecture, match="resnet18"):
        load(path)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite(tmp_path, dual, make_info, bad):
    with torch.no_grad():
        dual.branch("aux").network.bn1.running_var[2] = bad
    save(tmp_path / "x", dual, make_info())
    assert "not finite, first in bn1.aux_bn.0.running_var" in refusal(tmp_path / "x")
