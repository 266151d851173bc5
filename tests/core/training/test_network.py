"""What a run starts from, and which parameters it moves."""

import json
import re
from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers import DropPath

from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.training.network import (
    head_parameters,
    new_model,
    set_trainable,
    stages,
    take_over,
)
from advprop_core.training.run import train
from tests.core.training.tiny import tiny_recipe

CATS_DOGS = (("cats", "cats"), ("dogs", "dogs"))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def save(tmp_path_factory, make_dual, make_info):
    """(classes, auxiliaries) to a file with branches that differ, and its model."""

    def save_source(classes=CATS_DOGS, auxiliaries=1):
        path = tmp_path_factory.mktemp("source") / "source.safetensors"
        names = ("main", "aux", "aux2")[: auxiliaries + 1]
        ids, texts = (tuple(one) for one in zip(*classes, strict=True))
        info = make_info(
            class_ids=ids, class_names=texts, branches=dict.fromkeys(names, "copied"), name="old"
        )
        model = make_dual("test_resnet", len(ids), auxiliaries)
        checkpoints.save(path, model, info)
        return str(path), model.state_dict()

    return save_source


def is_head(key):
    return key.startswith("fc.")


def is_norm(key):
    """As test_resnet names them; two are numbered parts of its stem."""
    return re.match(r"conv1\.[14]\.|bn1\.|layer\d\.0\.(bn\d|downsample\.2)\.", key) is not None


# -- weights to start from ----------------------------------------------------------------------


def test_other_classes_get_a_new_head_and_all_else_is_kept(save):
    path, given = save((("zebra", "zebra"), *CATS_DOGS))
    model, info = new_model(tiny_recipe(start_from=path), CATS_DOGS)
    values = model.state_dict()
    assert values["fc.weight"].shape[0] == 2
    assert set(values) == set(given)
    for key, value in values.items():
        assert is_head(key) or torch.equal(value, given[key]), key
    assert info.classes == CATS_DOGS
    assert dict(info.branches) == {"main": "trained", "aux": "trained"}
    assert info.mean == (0.5, 0.5, 0.5)
    assert info.metrics == ()


def test_the_same_classes_keep_their_head(save):
    path, given = save()
    model, _ = new_model(tiny_recipe(start_from=path), CATS_DOGS)
    values = model.state_dict()
    assert all(torch.equal(value, given[key]) for key, value in values.items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("known", "rows"),
    [
        (CATS_DOGS[::-1], [1, 0]),
        ((("n1", "cow"), *CATS_DOGS), [1, 2]),
        ((("n1", "Dogs"), ("n2", "Cats")), [1, 0]),
        ((CATS_DOGS[0], ("n1", "cow")), None),
    ],
    ids=["another order", "among others", "by name", "one is new"],
)
def test_classes_that_the_source_knows_keep_their_rows_of_its_head(save, known, rows):
    path, given = save(known)
    values = new_model(tiny_recipe(start_from=path), CATS_DOGS)[0].state_dict()
    for key in ("fc.weight", "fc.bias"):
        if rows is None:
            assert not torch.equal(values["fc.weight"][0], given["fc.weight"][0])
        else:
            assert torch.equal(values[key], given[key][rows])


def test_a_head_that_norms_as_well_keeps_all_that_does_not_count_classes(make_info):
    """RepVit's classifier has a BatchNorm over its features."""
    info = make_info(
        architecture="repvit_m0_9", class_ids=("n1", "n2", "n3"), class_names=("a", "b", "c")
    )
    source = Checkpoint(timm_networks.create(info), info)
    model = timm_networks.create(replace(info, class_ids=("n3", "n1"), class_names=("c", "a")))
    take_over(model, source, rows=[2, 0])
    values, given = model.state_dict(), source.model.state_dict()
    for key in head_parameters(model):
        expected = given[key][[2, 0]] if len(given[key]) == 3 else given[key]
        assert torch.equal(values[key], expected), key


def test_what_is_trained_from_an_adapter_is_no_adapter(tmp_path, save, photos):
    path, _ = save(auxiliaries=0)
    recipe = tiny_recipe(objective="auxiliary", start_from=path, max_steps=1)
    adapter = train(recipe, str(photos), tmp_path / "adapter")
    trained = train(tiny_recipe(start_from=str(adapter), epochs=1), str(photos), tmp_path / "run")
    info = checkpoints.load(trained).info
    assert info.base is None
    assert dict(info.branches) == {"main": "trained", "aux": "trained"}


def test_digits_are_not_the_classes_with_these_numbers(save):
    path, given = save((("n1", "fish"), ("n2", "shark"), ("n3", "ray")))
    digits = (("0", "0"), ("1", "1"))
    values = new_model(tiny_recipe(start_from=path), digits)[0].state_dict()
    assert not torch.equal(values["fc.weight"], given["fc.weight"][:2])


def test_a_branch_that_the_source_lacks_starts_as_main(save):
    path, given = save(auxiliaries=0)
    recipe = tiny_recipe(start_from=path, auxiliaries=("1/255", "4/255"))
    values = new_model(recipe, CATS_DOGS)[0].state_dict()
    assert torch.equal(values["bn1.running_mean"], given["bn1.running_mean"])
    copies = [key for key in values if ".aux_bn." in key]
    assert {key.split(".aux_bn.")[1][0] for key in copies} == {"0", "1"}
    for key in copies:
        layer, _, name = key.partition(".aux_bn.")
        assert torch.equal(values[key], given[f"{layer}.{name[2:]}"]), key


def test_a_branch_that_the_source_has_is_not_main(save):
    path, given = save(auxiliaries=1)
    recipe = tiny_recipe(start_from=path, auxiliaries=("1/255", "4/255"))
    values = new_model(recipe, CATS_DOGS)[0].state_dict()
    aux = given["bn1.aux_bn.0.running_mean"]
    assert not torch.equal(aux, given["bn1.running_mean"])
    assert torch.equal(values["bn1.aux_bn.0.running_mean"], aux)
    assert torch.equal(values["bn1.aux_bn.1.running_mean"], given["bn1.running_mean"])


def test_branches_that_are_not_trained_are_left_behind(save):
    path, given = save(auxiliaries=2)
    model, info = new_model(tiny_recipe(objective="vanilla", start_from=path), CATS_DOGS)
    assert model.branch_names == tuple(info.branches) == ("main",)
    assert torch.equal(model.state_dict()["bn1.weight"], given["bn1.weight"])


def test_a_folder_in_the_hubs_layout(tmp_path, photos):
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=3)
    config = {
        "architecture": "test_resnet",
        "num_classes": 3,
        "pretrained_cfg": {
            "input_size": [3, 48, 48],
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "num_classes": 3,
            "first_conv": "conv1.0",
            "classifier": "fc",
        },
    }
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "config.json").write_text(json.dumps(config))
    save_file(network.state_dict(), tmp_path / "hub" / "model.safetensors", {"format": "pt"})
    recipe = tiny_recipe(start_from=f"local-dir:{tmp_path / 'hub'}", trainable="head", epochs=1)
    path = train(recipe, str(photos), tmp_path / "run", name="fine")
    info = checkpoints.load(path).info
    assert (info.architecture, info.name, info.input_size) == ("test_resnet", "fine", 32)
    assert info.mean == (0.1, 0.2, 0.3)
    assert dict(info.branches) == {"main": "trained", "aux": "copied"}  # aux was not touched
    assert info.recipe["start_from"] == recipe.start_from
    trained = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["model"]
    for key, value in network.state_dict().items():
        assert is_head(key) or torch.equal(trained[key], value), key


def test_an_auxiliary_that_no_step_touches_keeps_its_origin(save):
    path, _ = save()
    _, info = new_model(tiny_recipe(start_from=path, trainable="head"), CATS_DOGS)
    assert dict(info.branches) == {"main": "copied", "aux": "copied"}  # as the file says
    several = ("1/255", "2/255")
    recipe = tiny_recipe(start_from=path, trainable="norm", auxiliaries=several)
    _, info = new_model(recipe, CATS_DOGS)
    assert dict(info.branches) == dict.fromkeys(("main", "aux", "aux2"), "trained")


def test_what_is_unfrozen_on_the_way_is_trained_too(save, photos, tmp_path):
    path, _ = save()
    recipe = tiny_recipe(
        start_from=path, trainable="head", unfreeze_patience=1, epochs=4, learning_rate=1e-9
    )
    info = checkpoints.load(train(recipe, str(photos), tmp_path / "run", name="x")).info
    assert dict(info.branches) == {"main": "trained", "aux": "trained"}


def test_a_foreign_file_with_its_architecture(tmp_path):
    network = timm.create_model("test_resnet", num_classes=2)
    path = tmp_path / "plain.safetensors"
    save_file(network.state_dict(), path)
    model, _ = new_model(tiny_recipe(start_from=str(path)), CATS_DOGS)
    assert torch.equal(model.state_dict()["conv1.0.weight"], network.conv1[0].weight)


def test_a_foreign_files_colours_and_classes_are_those_of_the_recipe(tmp_path):
    network = timm.create_model("test_resnet", num_classes=2)
    path = tmp_path / "plain.safetensors"
    save_file(network.state_dict(), path)
    settings = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "classes": ("cats", "dogs")}
    model, info = new_model(tiny_recipe(start_from=str(path), **settings), CATS_DOGS)
    assert (info.mean, info.std) == (settings["mean"], settings["std"])
    assert torch.equal(model.state_dict()["fc.weight"], network.fc.weight)
    other, _ = new_model(tiny_recipe(start_from=str(path)), CATS_DOGS)
    assert not torch.equal(other.state_dict()["fc.weight"], network.fc.weight)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"architecture": "inception_v3"}, "cannot take images of 32 pixels .*another --size"),
        ({"architecture": "vit_tiny_patch16_224"}, "no BatchNorm"),
    ],
)
def test_networks_that_cannot_be_trained_so(words, message):
    with pytest.raises(ValueError, match=message):
        new_model(tiny_recipe(**words), CATS_DOGS)


# -- what is trained ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [
        ("head", is_head),
        ("norm", lambda key: is_head(key) or is_norm(key)),
        ("last:1", lambda key: is_head(key) or key.startswith("layer4.")),
        ("last:2", lambda key: is_head(key) or key.startswith(("layer3.", "layer4."))),
        ("all", lambda key: True),
    ],
)
def test_a_run_moves_what_it_trains_and_nothing_else(save, photos, tmp_path, trainable, expected):
    """Statistics too: a frozen norm layer keeps its own."""
    path, given = save()
    recipe = tiny_recipe(
        start_from=path, trainable=trainable, epochs=1, schedule="constant", warmup_epochs=0
    )
    train(recipe, str(photos), tmp_path / "run", name="x")
    after = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["model"]
    moved = {key for key, value in after.items() if not torch.equal(value, given[key])}
    assert moved == {key for key in given if expected(key)}


def test_both_heads_of_a_distilled_network_are_its_classifier():
    model, _ = new_model(tiny_recipe(architecture="levit_128s", size=224), CATS_DOGS)
    parts = {name.split(".")[0] for name in head_parameters(model)}
    assert parts == {"head", "head_dist"}


def test_what_a_recipe_drops_is_dropped_and_in_the_header():
    recipe = tiny_recipe(drop_rate=0.3, drop_path_rate=0.2)
    model, info = new_model(recipe, CATS_DOGS)
    assert dict(info.arguments) == {"drop_rate": 0.3, "drop_path_rate": 0.2}
    assert model.branch("main").network.drop_rate == 0.3
    shares = [one.drop_prob for one in model.branch("aux").modules() if isinstance(one, DropPath)]
    assert max(shares) == pytest.approx(0.2)


def test_a_network_that_skips_no_blocks_says_so():
    with pytest.raises(ValueError, match=r"vgg11_bn cannot be made so: .*drop_path_rate"):
        new_model(tiny_recipe(architecture="vgg11_bn", drop_path_rate=0.2), CATS_DOGS)


def test_a_network_made_for_one_size_says_so():
    with pytest.raises(ValueError, match="levit_128s takes images of 224 pixels alone, not of 64"):
        new_model(tiny_recipe(architecture="levit_128s", size=64), CATS_DOGS)


def test_stages_go_from_the_stem_to_the_last(make_dual):
    starts = [{name.split(".")[0] for name in part} for part in stages(make_dual())]
    assert starts == [{"conv1", "bn1"}, {"layer1"}, {"layer2"}, {"layer3"}, {"layer4"}]


def test_more_stages_than_there_are(photos, tmp_path):
    recipe = tiny_recipe(trainable="last:6")
    with pytest.raises(ValueError, match="trainable is last:6, but there are 5 stages"):
        train(recipe, str(photos), tmp_path / "run", name="x")


def test_what_is_still_frozen_is_told(make_dual):
    model = make_dual()
    frozen = set_trainable(model, tiny_recipe(trainable="last:1"), more_stages=2)
    assert {name.split(".")[0] for name in frozen} == {"conv1", "bn1", "layer1"}
    assert set_trainable(model, tiny_recipe(trainable="head"), more_stages=5) == []
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_sources_dropout_is_the_recipes_to_choose(tmp_path, make_dual, make_info):
    path = tmp_path / "dropping.safetensors"
    arguments = {"drop_rate": 0.3, "drop_path_rate": 0.2, "act_layer": "silu"}
    ids = ("cats", "dogs")
    info = make_info(class_ids=ids, class_names=ids, arguments=arguments)
    checkpoints.save(path, make_dual("test_resnet", 2), info)
    model, kept = new_model(tiny_recipe(start_from=str(path), drop_rate=0.1), CATS_DOGS)
    assert kept.arguments == {"act_layer": "silu", "drop_rate": 0.1}
    assert model.branch("main").network.drop_rate == 0.1
    assert not [m for m in model.modules() if isinstance(m, DropPath) and m.drop_prob]


def test_a_network_without_stages_is_trained_whole(monkeypatch):
    def refuse(*_):
        raise AssertionError("coarse grouping is not implemented")

    model, _ = new_model(tiny_recipe(), CATS_DOGS)
    monkeypatch.setattr("advprop_core.training.network.group_parameters", refuse)
    assert set_trainable(model, tiny_recipe()) == []
    assert all(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(ValueError, match=r"no stages .* \(coarse grouping is not implemented\)"):
        set_trainable(model, tiny_recipe(trainable="last:1"))


def test_a_block_is_a_part_of_a_stage():
    network = timm.create_model("resnet18", num_classes=3)
    model = DualBNModel(network, (0.5,) * 3, (0.5,) * 3, auxiliaries=0)
    for trainable, parts in (
        ("blocks:1", {"layer4.1"}),
        ("blocks:3", {"layer4.1", "layer4.0", "layer3.1"}),
        ("last:1", {"layer4.1", "layer4.0"}),
    ):
        set_trainable(model, tiny_recipe(start_from="x", trainable=trainable))
        trained = {n for n, p in network.named_parameters() if p.requires_grad}
        assert {n[:8] for n in trained if not is_head(n)} == parts
    with pytest.raises(ValueError, match="trainable is blocks:20, but there are 9 blocks"):
        set_trainable(model, tiny_recipe(start_from="x", trainable="blocks:20"))
