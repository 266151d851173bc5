import json
import socket
import urllib.request

import pytest
import timm
import torch
from safetensors.torch import save_file

from advprop_core.errors import InputError
from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.class_names import imagenet_classes
from advprop_core.models.timm_networks import Offline, UnknownArchitecture
from advprop_core.predict import logits_of

NAMES = ["n01440764", "n02102040", "own class"]


@pytest.fixture
def hub_folder(tmp_path):
    """A folder as timm's hub code writes it, with a normalisation and class names of its own."""
    torch.manual_seed(3)
    network = timm.create_model("test_resnet", num_classes=3).eval()
    config = {
        "architecture": "test_resnet",
        "num_classes": 3,
        "num_features": 512,
        "pretrained_cfg": {
            "input_size": [3, 48, 48],
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "num_classes": 3,
            "first_conv": "conv1.0",
            "classifier": "fc",
            "label_names": NAMES,
            "label_descriptions": {"n01440764": "tench, Tinca tinca"},
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(network.state_dict(), tmp_path / "model.safetensors", {"format": "pt"})
    return tmp_path, network


def test_create_builds_what_the_information_says(make_info):
    model = timm_networks.create(make_info(branches={"main": "trained", "aux": "copied"}))
    assert model.branch_names == ("main", "aux")
    assert model.branch("aux").network.num_classes == 6
    assert model.branch("main").mean.flatten().tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    "key",
    ["pretrained", "checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"],
)
def test_create_hands_timm_nothing_that_loads(make_info, monkeypatch, key):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    with pytest.raises(ValueError, match=f"arguments may hold .*got {key}"):
        timm_networks.create(make_info(arguments={key: "x"}))


@pytest.mark.parametrize("name", ["hf-hub:someone/x", "local-dir:/tmp/x"])
def test_create_fetches_no_architecture(make_info, monkeypatch, name):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    with pytest.raises(UnknownArchitecture, match="source of weights"):
        timm_networks.create(make_info(architecture=name))
    with pytest.raises(UnknownArchitecture, match="source of weights"):
        timm_networks.pretrained_config(name)


def test_a_network_without_a_classifier_is_refused(monkeypatch):
    headless = timm.create_model("test_resnet", num_classes=0)
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: headless)
    with pytest.raises(InputError, match="local-dir:x has no classifier: choose"):
        timm_networks.load_pretrained("local-dir:x")


def test_create_takes_harmless_arguments(make_info):
    model = timm_networks.create(make_info(arguments={"drop_rate": 0.5}))
    assert model.branch("main").network.drop_rate == 0.5


@pytest.mark.parametrize(
    ("name", "near"),
    [("resnet19", "resnet18"), ("resnet18.a1_in2k", "resnet18.a1_in1k"), ("", "")],
)
def test_unknown_architecture_lists_near_matches(name, near):
    assert not timm_networks.is_known(name)
    for call in (timm_networks.load_pretrained, timm_networks.pretrained_config):
        with pytest.raises(UnknownArchitecture) as caught:
            call(name)
        assert repr(name) in str(caught.value)
        assert near in str(caught.value)


def test_known_names():
    for name in ("resnet18", "resnet18.a1_in1k", "hf-hub:a/b", "local-dir:/x"):
        assert timm_networks.is_known(name)


def test_pretrained_config_is_the_architectures_own():
    config = timm_networks.pretrained_config("tf_efficientnet_b0.ap_in1k")
    assert tuple(config.mean) == (0.5, 0.5, 0.5)
    assert config.classifier == "classifier"


def test_hub_folder_loads_with_its_own_normalisation_and_classes(hub_folder, pixels):
    folder, network = hub_folder
    model, info = timm_networks.load_pretrained(f"local-dir:{folder}")
    assert dict(info.branches) == {"main": "trained", "aux": "copied"}
    assert info.mean == (0.1, 0.2, 0.3)
    assert info.std == (0.4, 0.5, 0.6)
    assert info.input_size == 48
    assert info.architecture == "test_resnet"
    assert info.class_ids == tuple(NAMES)
    assert info.class_names == ("tench", "n02102040", "own class")
    assert not any(p.requires_grad for p in model.parameters())
    image = pixels(2, 48)
    mean, std = torch.tensor(info.mean).view(3, 1, 1), torch.tensor(info.std).view(3, 1, 1)
    expected = logits_of(network, (image - mean) / std)
    for name in model.branch_names:
        torch.testing.assert_close(logits_of(model.branch(name), image), expected)


def test_hub_folder_says_what_it_changed_of_the_network(hub_folder, pixels, tmp_path):
    folder, _ = hub_folder
    config = json.loads((folder / "config.json").read_text())
    changed = config | {"model_args": {"act_layer": "silu", "global_pool": "max"}}
    (folder / "config.json").write_text(json.dumps(changed))
    model, info = timm_networks.load_pretrained(f"local-dir:{folder}")
    assert dict(info.arguments) == {"act_layer": "silu", "global_pool": "max"}
    checkpoints.save(tmp_path / "kept.safetensors", model, info)
    again = checkpoints.load(tmp_path / "kept.safetensors").model
    image = pixels(2, 48)
    for name in model.branch_names:
        torch.testing.assert_close(
            logits_of(again.branch(name), image), logits_of(model.branch(name), image)
        )
    config["model_args"] = {"drop_block_rate": 0.1}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="changes its network by drop_block_rate"):
        timm_networks.load_pretrained(f"local-dir:{folder}")


def test_hub_folder_without_weights_is_not_called_offline(hub_folder):
    folder, _ = hub_folder
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="cannot be loaded"):
        timm_networks.load_pretrained(f"local-dir:{folder}")
    with pytest.raises(ValueError, match="cannot be loaded"):
        timm_networks.load_pretrained("local-dir:/no/such/folder")


def test_hub_folder_with_other_weights_is_refused(hub_folder):
    folder, _ = hub_folder
    save_file({"fc.weight": torch.zeros(3, 2)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="cannot be loaded"):
        timm_networks.load_pretrained(f"local-dir:{folder}")


def test_hub_folder_unpickles_no_code(hub_folder, tmp_path):
    folder, network = hub_folder
    touched = tmp_path / "touched"
    (folder / "model.safetensors").unlink()
    torch.save({**network.state_dict(), "x": Malicious(touched)}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="cannot be loaded|Weights only|weights_only"):
        timm_networks.load_pretrained(f"local-dir:{folder}")
    assert not touched.exists()


class Malicious:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def offline(monkeypatch):
    """No connection anywhere, and nothing cached."""

    def refuse(*_args, **_kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(timm_networks.huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "resnet18", "hf-hub:timm/resnet18.a1_in1k"])
def test_offline_gives_one_sentence_without_trying_further(offline, name):
    with pytest.raises(Offline) as caught:
        timm_networks.load_pretrained(name)
    assert name in str(caught.value)
    assert str(caught.value).count(". ") == 0


def test_a_failing_download_is_offline_too(monkeypatch):
    def fail(*_args, **_kwargs):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr(timm_networks, "_hub_is_reachable", lambda: True)
    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(Offline, match="resnet18"):
        timm_networks.load_pretrained("resnet18.a1_in1k")


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "hf-hub:someone/resnet"])
def test_what_is_wrong_with_what_was_found_is_no_connection_problem(monkeypatch, name):
    def fail(*_args, **_kwargs):
        raise KeyError("architecture")

    monkeypatch.setattr(timm_networks, "_hub_is_reachable", lambda: True)
    monkeypatch.setattr(timm, "create_model", fail)
    monkeypatch.setattr(timm_networks.timm.models, "is_model", lambda _: True)
    with pytest.raises(ValueError, match=r"cannot be loaded \(KeyError: 'architecture'\)"):
        timm_networks.load_pretrained(name)


def test_a_proxy_may_be_written_without_its_scheme(monkeypatch):
    asked = []
    monkeypatch.setattr(timm_networks, "getproxies", lambda: {"https": "proxy.example:3128"})

    def connect(where, timeout):
        asked.append(where)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert not timm_networks._hub_is_reachable()
    assert asked == [("proxy.example", 3128)]


def test_what_is_cached_needs_no_network(monkeypatch):
    monkeypatch.setattr(timm_networks, "_hub_is_reachable", lambda: pytest.fail("was asked"))
    monkeypatch.setattr(
        timm_networks.huggingface_hub, "try_to_load_from_cache", lambda repository, file: "/cached"
    )
    called = []
    network = timm.create_model("test_resnet")
    monkeypatch.setattr(timm, "create_model", lambda name, **_: called.append(name) or network)
    _, info = timm_networks.load_pretrained("test_resnet.r160_in1k")
    assert called == ["test_resnet.r160_in1k"]
    assert info.class_names[0] == "tench"


def test_a_proxy_is_asked_instead_of_the_hub(monkeypatch):
    asked = []
    for key in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert urllib.request.getproxies()["https"] == "http://proxy.example:3128"

    class Connection:
        def close(self):
            pass

    monkeypatch.setattr(
        socket, "create_connection", lambda where, timeout: asked.append(where) or Connection()
    )
    assert timm_networks._hub_is_reachable()
    assert asked == [("proxy.example", 3128)]


def test_a_network_without_published_weights_is_no_connection_problem():
    name = next(n for n in timm.list_models() if not timm.is_model_pretrained(n))
    with pytest.raises(ValueError, match="publishes no pretrained weights"):
        timm_networks.load_pretrained(name)


def test_imagenet_classes():
    classes = imagenet_classes()
    assert len(classes) == 1000
    assert classes[0] == ("n01440764", "tench")
    assert timm_networks.default_classes(1000) == classes
    assert timm_networks.default_classes(2) == (("class 0", "class 0"), ("class 1", "class 1"))
