"""Which of timm's architectures a file's tensors are of."""

import pytest
import timm
import torch

from advprop_core.models import architectures
from advprop_core.models.architectures import Match, near_matches
from advprop_core.models.header import CheckpointError
from advprop_core.models.opening import look

NAMES = ["resnetblur18", "resnet18", "resnet34", "test_resnet", "test_vit"]


@pytest.fixture(autouse=True)
def _few_networks(monkeypatch):
    """In timm's order, which is not that of the answer."""
    monkeypatch.setattr(timm, "list_models", lambda: NAMES)


@pytest.fixture(scope="module")
def state():
    return timm.create_model("resnet18", num_classes=6).state_dict()


def test_what_fits_comes_first_and_twins_are_named(state):
    wrapped = {"model": {f"module.{key}": tensor for key, tensor in state.items()}, "epoch": 3}
    search = near_matches(wrapped)
    assert search.fitting == ("resnet18", "resnetblur18")  # they differ in what has no weights
    assert [match.architecture for match in search.matches][:3] == [*search.fitting, "resnet34"]
    assert search.matches[0] == Match("resnet18", 102, 102, 0)
    assert search.looked_at == search.candidates == 3  # the others begin with other layers


def test_an_auxiliary_branch_is_no_sign_of_another_network(state):
    auxiliary = {
        key.replace("bn1.", "bn1.aux_bn.0."): t for key, t in state.items() if "bn1" in key
    }
    assert near_matches(state | auxiliary).matches[0].unused == 0
    assert near_matches(state | {"head.weight": torch.zeros(2)}).matches[0].unused == 1


def test_shapes_count_and_not_names_alone(state):
    wide = {key: torch.zeros(3, *tensor.shape) for key, tensor in state.items()}
    assert near_matches(wide).matches == ()


def test_variants_of_what_fits_are_compared_next(monkeypatch):
    names = ["test_resnet", "resnet18", "test_resnet_more", "tf_test_resnet"]
    monkeypatch.setattr(architectures, "_candidates", lambda content: iter(names))
    compared = []

    def compare(content, name):
        compared.append(name)
        return Match(name, 1, 1 if name == "test_resnet" else 2, 0)

    monkeypatch.setattr(architectures, "match", compare)
    near_matches({})
    assert compared == ["test_resnet", "test_resnet_more", "tf_test_resnet", "resnet18"]


def test_it_ends_when_time_is_up(state):
    search = near_matches(state, seconds=-1)
    assert (search.matches, search.looked_at, search.candidates) == ((), 0, 3)


def test_whoever_waits_can_stop_it(state):
    class Stopped(Exception):
        pass

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        near_matches(state, progress=stop)


def test_a_look_searches_where_the_file_names_no_network_that_fits(state, tmp_path):
    path = tmp_path / "x.pth"
    for said, proposal in ((None, "resnet18"), ("resnet34", "resnet18"), ("resnet18", "resnet18")):
        torch.save({"arch": said, "state_dict": state}, path)
        seen = look(path)
        assert (seen.architecture, seen.proposal) == (said, proposal)
        assert (seen.search is None) == (said == proposal)
    torch.save({"something.weight": torch.zeros(3)}, path)
    assert look(path).proposal is None
    torch.save({"epoch": 3}, path)
    with pytest.raises(CheckpointError, match=r"x\.pth holds no tensors"):
        look(path)
