"""A branch as a network of its own."""

import pytest
import torch

from advprop_core.models import checkpoints
from advprop_core.models.bundle import open_model
from advprop_core.training.network import new_model
from advprop_core.training.recipe import Recipe
from advprop_core.transfer.sources import describe_training, open_source, split_name

ATTACK = {"norm": "linf", "epsilon": 4 / 255}


def test_the_branch_alone_answers_as_in_its_network(network, pixels) -> None:
    source = open_source(f"{network}:aux")
    shown = pixels(2)
    assert torch.equal(source.network(shown), open_model(network).model.branch("aux")(shown))
    assert source.digest != open_source(str(network)).digest


def test_a_task_that_the_network_knows_gets_a_new_head_too(network, tmp_path) -> None:
    source = open_source(str(network))
    checkpoints.save(tmp_path / "alone.safetensors", source.model, source.info)
    recipe = Recipe(objective="vanilla", start_from=str(tmp_path / "alone.safetensors"), size=32)
    known = open_model(network).info.classes
    model, _ = new_model(recipe, known)
    before = source.model.state_dict()["fc.weight"]
    assert not torch.equal(model.state_dict()["fc.weight"], before)
    assert torch.equal(model.state_dict()["bn1.weight"], source.model.state_dict()["bn1.weight"])


def test_a_branch_that_is_none_or_a_copy_is_refused(
    network, tmp_path, make_dual, make_info
) -> None:
    with pytest.raises(ValueError, match=r"no branch 'aux2'\. Did you mean aux"):
        open_source(f"{network}:aux2")
    path = tmp_path / "plain.safetensors"
    info = make_info(branches={"main": "trained", "aux": "copied"})
    checkpoints.save(path, make_dual(), info)
    with pytest.raises(ValueError, match="is a copy of main, because"):
        open_source(f"{path}:aux")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("imagenet-lite0", ("imagenet-lite0", "main")),
        ("imagenet-lite0:aux2", ("imagenet-lite0", "aux2")),
        ("local-dir:folder", ("local-dir:folder", "main")),
        ("local-dir:folder:aux", ("local-dir:folder", "aux")),
    ],
)
def test_a_name_may_end_with_a_branch(name, parts) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("recipe", "branch", "words"),
    [
        ({}, "main", "natural"),
        ({"objective": "vanilla"}, "main", "natural"),
        ({"objective": "auxiliary", "attack": ATTACK}, "main", "natural"),
        ({"objective": "auxiliary", "attack": ATTACK}, "aux", "auxiliary, aux, L∞ ε = 4/255"),
        ({"objective": "adversarial", "attack": ATTACK}, "main", "adversarial, L∞ ε = 4/255"),
        (
            {"objective": "advprop", "attack": ATTACK, "auxiliaries": ["1/255", "gaussian:0.1"]},
            "aux",
            "advprop, aux, L∞ ε = 1/255",
        ),
        (
            {"objective": "advprop", "attack": ATTACK, "auxiliaries": ["1/255", "gaussian:0.1"]},
            "aux2",
            "advprop, aux2, gaussian:0.1",
        ),
    ],
)
def test_how_a_branch_was_trained(recipe, branch, words) -> None:
    assert describe_training(recipe, branch, "trained") == words
