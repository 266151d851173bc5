"""A page holds all it needs, and says what it lacks."""

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest
import torch

from advprop_core.attacks.gradient import attack
from advprop_core.browser.gallery import pictures_for
from advprop_core.browser.graph import Step
from advprop_core.browser.network import first_look, page_network, to_levels
from advprop_core.browser.norms import norm_vector
from advprop_core.browser.page import Page, read_built
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.pictures.decoding import decode, encode_png, to_image, to_pixels
from advprop_core.types import AttackConfig


@pytest.fixture(scope="module")
def checkpoint(make_dual, make_info):
    return Checkpoint(make_dual(), make_info(input_size=64, name="tiny <1>"))


@pytest.fixture(scope="module")
def network(checkpoint):
    return page_network(checkpoint, "tiny")


@pytest.fixture
def built():
    return {
        "lab.js": b"lab('</script>')",
        "lab.css": b"p{}",
        "lab.css.br": b"smaller",
        "worker.js": b"worker",
        "sw.js": b"serve()",
        "ort-wasm-simd-threaded.wasm": b"\0asm",
        "THIRD_PARTY.txt": b"MIT",
    }


def test_one_file_holds_every_asset_whole(network, built, tmp_path):
    Page([network], built).write_one_file(tmp_path / "lab.html")
    page = (tmp_path / "lab.html").read_text()
    manifest = json.loads(re.search(r'id="lab-manifest">(.*?)</script>', page)[1])
    packed = dict(re.findall(r'data-asset="([^"]+)">([^<]*)</script>', page))
    assert set(packed) == set(manifest["assets"]) == {"wasm", "worker", "graph:tiny", "norms:tiny"}
    for name, text in packed.items():
        content = gzip.decompress(base64.b64decode(text))
        facts = manifest["assets"][name]
        assert facts["url"] is None
        assert facts["bytes"] == len(content)
        assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert page.count("<script") == page.count("</script>")  # none ends another early
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert manifest["networks"][0]["title"] == "tiny <1>"


def test_vectors_are_those_of_the_branches_in_order(checkpoint, network):
    entry, model = network.entry, checkpoint.model
    vectors = np.frombuffer(network.assets["norms:tiny"], "<f4").reshape(2, 2, entry["channels"])
    for branch, vector in zip(("main", "aux"), vectors, strict=True):
        assert np.array_equal(vector, norm_vector(model.branch(branch)).numpy())
    assert [branch["name"] for branch in entry["branches"]] == ["main", "aux"]


def test_the_first_look_is_what_the_network_says_of_the_saved_picture(checkpoint, network):
    model, first = checkpoint.model, network.first
    shown = network.entry["pictures"][0]
    assert first["picture"] == shown["name"]
    clean, perturbed = (to_pixels(decoded(url), 64) for url in (shown["png"], first["perturbed"]))
    assert 0 < (perturbed - clean).abs().max() <= 2 / 255 + 1e-6
    for kind, pixels in (("clean", clean), ("perturbed", perturbed)):
        for branch in model.branch_names:
            probabilities = model.branch(branch)(pixels).softmax(1)[0]
            for class_index, probability in first["answers"][kind][branch]:
                assert probability == pytest.approx(probabilities[class_index].item(), abs=5e-3)


def decoded(url):
    return decode(base64.b64decode(url.split(",")[1]))


@pytest.mark.parametrize("epsilon", [0.3, 1, 2, 2.5])
def test_levels_stay_in_the_ball(checkpoint, epsilon):
    pixels = torch.randint(0, 256, (1, 3, 64, 64)) / 255
    config = AttackConfig.pgd(epsilon / 255, steps=3)
    walked = attack(checkpoint.model.branch("main"), pixels, torch.tensor([1]), config)
    levels = to_levels(walked, pixels, epsilon / 255) * 255
    moved = (levels - (pixels * 255).round()).abs()
    assert moved.max() == int(epsilon)
    assert torch.equal(levels, levels.round())


def test_a_network_of_scenes_begins_with_scenes(make_info, tmp_path):
    knows = make_info(class_ids=SHAPES, class_names=SHAPES)
    assert [p.true_class for p in pictures_for(knows, 64)[:3]] == [2, 0, 1]
    elsewhere, *_ = pictures_for(make_info(), 64)
    assert (elsewhere.title, elsewhere.true_class) == ("Coffee", None)
    imagenet = ("n02123045", "n07920052", "n03773504")
    photos = pictures_for(
        make_info(class_ids=imagenet, class_names=("tabby", "espresso", "missile")), 64
    )
    assert [photo.true_class for photo in photos] == [1, 0, 2, "none", "none"]
    (tmp_path / "mine.png").write_bytes(encode_png(to_image(torch.rand(3, 40, 90))))
    first, *_ = pictures_for(make_info(), 64, (tmp_path / "mine.png",))
    assert (first.title, first.image.size) == ("mine", (64, 64))


def test_the_attack_of_the_first_look_is_the_one_asked_for(checkpoint):
    model = checkpoint.model
    step = Step(model, 64)
    norms = {name: norm_vector(model.branch(name)) for name in model.branch_names}
    (picture, *_) = pictures_for(checkpoint.info, 64)
    config = AttackConfig.pgd(4 / 255)
    settings = first_look(step, norms, picture, config, "aux")["settings"]
    assert (settings["epsilon"], settings["attack_branch"]) == (4 / 255, "aux")
    with pytest.raises(InputError, match="no branch 'aux7'"):
        page_network(checkpoint, "tiny", attack_branch="aux7")


def test_the_split_form_names_files_by_their_content(network, built, tmp_path):
    Page([network], built).write_split(tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text()
    manifest = json.loads(re.search(r'id="lab-manifest">(.*?)</script>', page)[1])
    for facts in manifest["assets"].values():
        content = (tmp_path / "site" / facts["url"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == facts["sha256"]
        assert hashlib.sha256(content).hexdigest()[:12] in facts["url"]
        packed = (tmp_path / "site" / f"{facts['url']}.gz").read_bytes()
        assert gzip.decompress(packed) == content
    (packed,) = (tmp_path / "site").rglob("*.br")  # made where the scripts are built
    assert packed.name.startswith("lab.")
    assert packed.name.endswith(".css.br")
    assert packed.read_bytes() == b"smaller"
    assert "'unsafe-inline'" not in page


def test_two_networks_of_one_name_are_refused(network, built):
    with pytest.raises(InputError, match="name of its own"):
        Page([network, network], built)


def test_a_page_that_was_not_built_says_how(tmp_path):
    with pytest.raises(InputError, match="make page"):
        read_built(tmp_path)
