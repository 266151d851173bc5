"""A network of one's own, opened in the app: what is asked, said, refused and kept."""

import argparse
import hashlib
import io
import os

import pytest
import timm
import torch
from timm.layers import convert_splitbn_model

from advprop_core.compare.bundles.network import Source
from advprop_core.compare.bundles.read import read_bundle
from advprop_core.compare.bundles.replay import replay
from advprop_core.models import checkpoints
from advprop_core.models.settings import ModelSettings
from app.playground import saving
from app.shell import cache, history, network_files
from app.shell.public import is_public
from tests.app.visiting import chosen

NAMES = b"cat\ndog\nbird\nhorse\nship\nfrog\n"


@pytest.fixture(autouse=True)
def _few_networks(monkeypatch):
    """So that the search is short."""
    few = ["resnet18", "resnetblur18", "resnet34", "test_resnet", "test_vit"]
    monkeypatch.setattr(timm, "list_models", lambda *_, **__: few)


@pytest.fixture(scope="module")
def split_state():
    """ResNet-18 with timm's split BatchNorm, whose branches differ."""
    torch.manual_seed(0)
    network = convert_splitbn_model(timm.create_model("resnet18", num_classes=6), 2)
    with torch.no_grad():
        network.fc.weight.normal_(0, 0.3)
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.3)
    return network.state_dict()


def saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def small():
    """The weights of a small network, and no word of what it is."""
    torch.manual_seed(0)
    return saved(timm.create_model("test_resnet", num_classes=6).state_dict())


class Dialogue:
    """What a person does in it."""

    def __init__(self, person):
        self.person, self.at = person, person.at

    def open(self):
        self.at.button(key="opening.sidebar").click()
        self.person.run()
        return self

    def give(self, name, data):
        uploaders = self.at.get("file_uploader")
        (uploader,) = [w for w in uploaders if w.key and w.key.startswith("opening.upload.")]
        uploader.set_value((name, data, "application/octet-stream"))
        self.person.run()
        return self

    def field(self, kind, end):
        (widget,) = [w for w in self.at.get(kind) if w.key and w.key.endswith(end)]
        return widget

    def fill(self, kind, end, value):
        self.field(kind, end).set_value(value)
        self.person.run()
        return self

    def name_classes(self, data):
        self.fill("selectbox", ".names", "A text file, one name a line")
        return self.fill("file_uploader", ".text", ("names.txt", data, "text/plain"))

    def use(self):
        self.at.button(key="opening.use").click()
        self.person.run()
        return self.person

    @property
    def facts(self):
        """What the dialogue knows of the file: name to value and to where that is known from."""
        table = self.at.table[0].value.set_index("What")
        return table["Value"], table["Known from"]

    @property
    def offers_use(self):
        return any(button.key == "opening.use" for button in self.at.button)


@pytest.fixture
def dialogue(visit):
    return Dialogue(visit(perturbation="none")).open()


def files(state):
    """As torchvision's reference scripts and as timm's training script write it."""
    options = argparse.Namespace(model="resnet18", img_size=32, split_bn=True)
    wrapped = {f"module.{key}": tensor for key, tensor in state.items()}
    return {
        "checkpoint.pth": {"model": wrapped, "epoch": 3, "lr_scheduler": {}},
        "model_best.pth.tar": {"state_dict": state, "arch": "resnet", "args": options},
    }


@pytest.mark.parametrize("name", files({}))
def test_a_resnet_with_split_norm_layers_opens_with_class_names(dialogue, split_state, name):
    content = files(split_state)[name]
    dialogue.give(name, saved(content)).name_classes(NAMES)
    if name == "checkpoint.pth":
        assert "resnetblur18 would fit as well" in dialogue.person.text
        dialogue.fill("number_input", ".size", 32)
    values, sources = dialogue.facts
    assert values["branches"] == "main \\(trained\\) and aux \\(trained\\)"
    assert values["classes"].startswith("cat, dog, bird, horse and 2 more")
    assert sources["classes"] == "set by the person who opened it"
    person = dialogue.use()
    person.assert_whole()
    assert not person.errors
    opened = chosen(person).model
    assert opened.startswith(name.partition(".")[0])
    assert person.at.query_params["model"] == opened
    info = cache.model_info(opened)
    assert (info.architecture, info.input_size) == ("resnet18", 32)
    assert info.class_names == tuple(NAMES.decode().split())
    kept = checkpoints.load(cache.file_of(opened)).model.state_dict()
    assert all(torch.equal(kept[key], tensor) for key, tensor in split_state.items())


def test_size_mean_and_std_can_be_mended(dialogue, small):
    dialogue.give("mine.pth", small)
    values, sources = dialogue.facts
    assert values["architecture"] == "test\\_resnet"
    assert sources["architecture"] == "found from the tensors"
    assert any("Check the guesses" in warning for warning in dialogue.person.warnings)
    dialogue.fill("number_input", ".size", 48).fill("text_input", ".mean", "0.5, 0.5")
    assert any("three numbers" in error for error in dialogue.person.errors)
    assert not dialogue.offers_use
    dialogue.fill("text_input", ".mean", "0.5, 0.5, 0.5").fill("text_input", ".std", "1,1,1")
    info = cache.model_info(chosen(dialogue.use()).model)
    assert (info.input_size, info.mean, info.std) == (48, (0.5,) * 3, (1.0,) * 3)


def test_a_file_of_this_project_says_all_itself(dialogue, tiny_models):
    dialogue.give("mine.safetensors", tiny_models["tiny-advprop"].read_bytes())
    assert "it describes itself completely" in dialogue.person.text
    person = dialogue.use()
    person.assert_whole()
    assert cache.model_info(chosen(person).model).name == "tiny-advprop"


class Touch:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def wrong(small, tmp_path):
    """Name to a file that cannot be used, and what is said of it."""
    no_norms = timm.create_model("test_vit", num_classes=6).state_dict()
    return {
        "notes.pth": (b"no network at all\n" * 9, "truncated or is not a checkpoint"),
        "cut.pth": (small[: len(small) // 2], "truncated or is not a checkpoint"),
        "empty.safetensors": (b"", "truncated or is not a checkpoint"),
        "code.pth": (saved({"model": Touch(tmp_path / "touched")}), "pickled code"),
        "vit.pth": (saved(no_norms), "has no BatchNorm"),
        "none.pth": (saved({"epoch": 3}), "holds no tensors"),
        "Grüße <b>_*~.pth": (b"x" * 99, "truncated"),
    }


def test_a_wrong_file_gets_one_sentence_and_nothing_is_lost(dialogue, wrong, tmp_path):
    person, before = dialogue.person, chosen(dialogue.person)
    for name, (data, reason) in wrong.items():
        dialogue.give(name, data)
        assert not person.at.exception
        (error,) = person.errors
        assert reason in error, name
        assert str(tmp_path) not in error
        assert "/tmp" not in error  # where the server keeps it
        assert not dialogue.offers_use
        assert chosen(person) == before
    assert not (tmp_path / "touched").exists()
    assert network_files.opened() == ()


def test_fewer_names_than_classes(dialogue, small):
    dialogue.give("mine.pth", small).name_classes(b"cat\ndog\n")
    (error,) = dialogue.person.errors
    assert "has 6 classes, but 2 names are given" in error
    assert not dialogue.offers_use
    dialogue.fill("file_uploader", ".text", ("names.txt", b"\xff\xfe\x00", "text/plain"))
    assert "is not UTF-8 text" in dialogue.person.errors[0]
    dialogue.fill("file_uploader", ".text", ("names.txt", NAMES, "text/plain"))
    assert not dialogue.person.errors
    assert dialogue.offers_use


def test_it_stays_in_the_list_after_a_reload_of_any_page(dialogue, small, visit_other):
    """A reload is a new session with the same address."""
    first = chosen(dialogue.give("first.pth", small).use()).model
    person = dialogue.open().give("second.pth", small).use().choose(model="tiny-advprop")
    person.choose(perturbation="none")
    for page in ("models", "maps", "robustness", "playground"):
        person.turn_to(f"app/{page}/page.py")
        assert first in person.at.query_params["opened"], page
        link = dict(person.at.query_params)
        assert dict(person.run().at.query_params) == link, "or every run were a step of history"
        again = visit_other(**link)
        options = again.widget("model").options
        assert [*map(options.count, ("first (opened here)", "second (opened here)"))] == [1, 1]
    assert chosen(again).model == "tiny-advprop"
    assert "opened" not in history.link(chosen(again), ""), "who gets a link gets one network"


def test_a_link_opens_it_for_others_until_the_server_drops_it(dialogue, small, visit_other):
    opened = chosen(dialogue.give("mine.pth", small).use()).model
    other = visit_other(model=opened, perturbation="none")
    other.assert_whole()
    assert "mine (opened here)" in other.widget("model").options
    stranger = visit_other(perturbation="none")
    assert not any("mine" in option for option in stranger.widget("model").options)
    cache.opened_networks.clear()
    late = visit_other(model=opened, perturbation="none")
    assert any("the server no longer keeps it" in warning for warning in late.warnings)
    in_chinese = visit_other(model=opened, perturbation="none", lang="zh")
    assert any("服务器" in warning for warning in in_chinese.warnings)
    assert chosen(late).model == "tiny-advprop"
    person = dialogue.open().give("mine.pth", small).use()  # which finds the finished job
    assert chosen(person).model == opened


def test_the_card_says_what_was_read_said_and_guessed(dialogue, small):
    dialogue.give("mine.pth", small).fill("number_input", ".size", 48)
    person = dialogue.use().turn_to("app/models/page.py")
    assert "Opened from the file `mine.pth`" in person.text
    lines = person.at.table[0].value.set_index("What")["Known from"]
    assert lines["architecture"] == "found from the tensors"
    assert lines["size"] == "set by the person who opened it"
    assert lines["mean"] == "guessed: check it"


def test_what_is_saved_names_the_persons_file_and_is_made_again_from_it(dialogue, small, tmp_path):
    file = tmp_path / "mine.pth"
    file.write_bytes(small)
    dialogue.give("mine.pth", small).fill("number_input", ".size", 48).name_classes(NAMES)
    slots = dialogue.use().at.session_state
    saved_file = tmp_path / "saved.zip"
    saved_file.write_bytes(
        saving._bundle(slots["shown.playground"], slots["shown.playground.maps"])
    )
    bundle = read_bundle(saved_file)
    assert bundle.network["name"] == "mine.pth"
    assert bundle.network["file_sha256"] == hashlib.sha256(small).hexdigest()
    classes = tuple(NAMES.decode().split())
    assert bundle.settings == ModelSettings("test_resnet", size=48, classes=classes)
    assert "--model mine.pth --arch test_resnet --size 48" in bundle.manifest["command"]
    checkpoint = checkpoints.load(file, bundle.settings)
    assert replay(bundle, Source.opened(str(file), checkpoint, bundle.settings)).is_exact


def test_a_server_that_others_reach_takes_no_files(visit, monkeypatch):
    monkeypatch.setenv("ADVPROP_PUBLIC", "1")
    dialogue = Dialogue(visit(perturbation="none")).open()
    assert not [w for w in dialogue.at.get("file_uploader") if "opening" in (w.key or "")]
    assert "accepts no network files" in dialogue.at.info[0].value


@pytest.mark.parametrize(("address", "public"), [("localhost", False), ("0.0.0.0", True)])
def test_it_depends_on_who_can_reach_the_server(monkeypatch, address, public):
    monkeypatch.setattr("streamlit.get_option", lambda name: address)
    assert is_public() is public


def test_an_adapter_may_name_no_file_of_the_server(tiny_models, tiny_info_of, tmp_path):
    from advprop_core.models.header import CheckpointError
    from advprop_core.models.opening import open_unknown
    from advprop_core.types import Base

    model = checkpoints.load(tiny_models["tiny-advprop"]).model
    info = tiny_info_of(base=Base(str(tiny_models["tiny-vanilla"]), "0" * 64))
    checkpoints.save(tmp_path / "adapter.safetensors", model, info)
    with pytest.raises(CheckpointError, match="which is not here"):
        open_unknown(tmp_path / "adapter.safetensors", ModelSettings())
