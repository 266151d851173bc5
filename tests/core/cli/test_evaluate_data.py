"""`advprop evaluate` on the data sets of the articles, in small folders of the same layout."""

import csv
import json
import os
import re
import shutil

import pytest
import torch
from PIL import Image

from advprop_core.datasets.cifar import CIFAR10_NAMES
from advprop_core.datasets.imagenet import wnids_of
from advprop_core.datasets.named import load_images
from advprop_core.models import checkpoints
from advprop_core.models.class_names import imagenet_classes
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES
from tests.core.cli.tiny import draw_photo
from tests.core.datasets.drawn import put_cifar10_c, put_classes

WNIDS = wnids_of("imagenet")[:4]


@pytest.fixture(scope="session")
def thousand(tmp_path_factory, make_dual, make_info):
    """A network with ImageNet's classes."""
    ids, names = zip(*imagenet_classes(), strict=True)
    path = tmp_path_factory.mktemp("thousand") / "thousand.safetensors"
    info = make_info(class_ids=ids, class_names=names)
    checkpoints.save(path, make_dual(classes=1000), info)
    return path


@pytest.fixture(scope="session")
def few(tmp_path_factory, make_dual, make_info):
    """A network with three of ImageNet's classes, another size and two more of its own."""
    ids = (*WNIDS[:3], "a", "b")
    path = tmp_path_factory.mktemp("few") / "few.safetensors"
    info = make_info(class_ids=ids, class_names=ids, input_size=48)
    checkpoints.save(path, make_dual(classes=5), info)
    return path


@pytest.fixture
def photos(tmp_path):
    """Photos of four classes; and the same ones, cut as ImageNet-C's are and not corrupted."""
    for place, wnid in enumerate(WNIDS):
        for folder in ("val", "cut"):
            (tmp_path / folder / wnid).mkdir(parents=True)
        draw_photo(tmp_path / "val" / wnid / "1.png", seed=place)
        with Image.open(tmp_path / "val" / wnid / "1.png") as photo:
            scale = 256 / min(photo.size)
            large = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        left, top = (large.width - 224) // 2, (large.height - 224) // 2
        cut = large.crop((left, top, left + 224, top + 224))
        cut.save(tmp_path / "cut" / wnid / "1.png")
    for kind in CORRUPTIONS:
        for severity in SEVERITIES:
            shutil.copytree(tmp_path / "cut", tmp_path / "c" / kind / str(severity))
    return tmp_path


def test_imagenet_c_with_clean_photos(advprop, thousand, photos) -> None:
    report = photos / "report"
    words = ("evaluate", "--model", thousand, "--data", photos / "c", "--clean", photos / "val")
    answer = advprop(*words, "--branch", "main", "--report", report)
    assert "is laid out as ImageNet-C: read as imagenet-c:" in answer.out
    assert "images of 4 of the model's 1000 classes" in answer.out
    assert "mean corruption error, published files, n = 4 images" in answer.out
    assert re.search(r"mCE \(AlexNet is 100 %\) +\d", answer.out)
    assert re.search(r"relative mCE +\d", answer.out)
    content = json.loads((report / "results.json").read_text())
    assert [row["condition"]["kind"] for row in content["results"]] == ["clean"] + 75 * [
        "corruption"
    ]
    assert {row["condition"].get("source") for row in content["results"][1:]} == {"files"}
    # The files are cut out of the clean photos, and nothing else is done to them.
    (found,) = content["imagenet_c"]["results"]
    clean, fog = content["results"][:2]
    assert fog["loss"] == pytest.approx(clean["loss"], rel=1e-3)
    error = 1 - fog["top1"]
    assert found["by_corruption"]["fog"] == pytest.approx(error / 0.819324)
    assert "relative_mce" in found
    assert "not the mCE" in content["mean_corruption_error"]["meaning"]
    assert "on the published files" in content["mean_corruption_error"]["meaning"]
    page = (report / "report.html").read_text()
    assert "published files, n = 4 images" in page
    assert "The mCE of articles, where AlexNet has 100 %:" in page
    assert "made by this project" not in page
    assert "images of 4 of the model&#x27;s 1000 classes" in page
    with (report / "results.csv").open() as file:
        assert [row["source"] for row in csv.DictReader(file)] == ["", *["files"] * 75]
    again = advprop(*words, "--branch", "main,aux", "--attack", "fgsm", "--report", report)
    assert "76 finished figures were taken from" in again.out


def test_answers_among_the_datas_classes(advprop, thousand, photos) -> None:
    data = ("--data", photos / "val", "--branch", "main", "--json", "-")
    words = ("evaluate", "--model", thousand, *data, "--data-classes-only")
    content = json.loads(advprop(*words).out)
    assert any("among the 4 classes of the data" in note for note in content["notes"])
    checkpoint = checkpoints.load(thousand)
    images = load_images(
        str(photos / "val"), checkpoint.info.input_size, classes=checkpoint.info.classes
    )
    with torch.no_grad():
        logits = checkpoint.model.branch("main")(images.pixels.float() / 255)
    among = logits[:, sorted(set(images.labels.tolist()))]
    loss = torch.nn.functional.cross_entropy(among, torch.arange(4))
    (row,) = content["results"]
    assert row["loss"] == pytest.approx(loss.item(), rel=1e-3)
    assert row["top1"] == (among.argmax(1) == torch.arange(4)).float().mean().item()


def test_corruptions_in_files_cannot_be_restricted(advprop, thousand, photos) -> None:
    words = ("evaluate", "--model", thousand, "--data", photos / "c", "--data-classes-only")
    advprop(*words).refuses("--data-classes-only is for clean photos")


def test_imagenet_c_for_other_networks_has_no_mce(advprop, few, thousand, photos) -> None:
    words = ("evaluate", "--model", f"{few},{thousand}", "--data", f"imagenet-c:{photos / 'c'}")
    answer = advprop(*words, "--corruptions", "fog,snow", "--severity", "1,5", "--report", photos)
    assert "mCE is defined for networks with ImageNet's 1000 classes, over all 15" in answer.out
    assert "images of 3 of the model's 5 classes" in answer.out
    content = json.loads((photos / "results.json").read_text())
    unasked = f"{few} was not tested on classes that it does not know: {WNIDS[3]}"
    assert unasked in content["notes"]
    assert any("tested on different images" in one for one in content["notes"])
    assert "imagenet_c" not in content
    shown = [(r["condition"]["corruption"], r["condition"]["severity"], r["n"])
             for r in content["results"] if r["branch"] == "main"]  # fmt: skip
    assert shown == [
        *((k, s, 3) for k in ("fog", "snow") for s in (1, 5)),
        *((k, s, 4) for k in ("fog", "snow") for s in (1, 5)),
    ]
    page = (photos / "report.html").read_text()
    assert "How often is each branch right?" not in page  # there are no clean photos
    assert "What do corruptions do?" in page
    full = json.loads(advprop(*words, "--branch", "main", "--json", "-").out)
    assert [one["model"] for one in full["imagenet_c"]["results"]] == [str(thousand)]
    assert full["imagenet_c"]["results"][0]["relative_mce"] is None


def test_photos_of_another_size_than_imagenet_cs_have_no_mce(advprop, thousand, photos) -> None:
    Image.new("RGB", (64, 48)).save(photos / "c" / "fog" / "3" / WNIDS[0] / "1.png")
    words = ("evaluate", "--model", thousand, "--data", photos / "c", "--branch", "main")
    answer = advprop(*words, "--json", photos / "r.json")
    said = "photos of 64 × 48 pixels are among them, and ImageNet-C is published at 224 × 224"
    content = json.loads((photos / "r.json").read_text())
    assert any(one.startswith(said) for one in content["notes"])
    assert "imagenet_c" not in content
    assert "mCE (AlexNet" not in answer.out


def test_small_clean_photos_are_said_to_be_enlarged(advprop, few, photos) -> None:
    words = ("evaluate", "--model", few, "--data", photos / "c", "--clean", photos / "val")
    content = json.loads(advprop(*words, "--corruptions", "fog", "--json", "-").out)
    assert "3 of 3 photos are smaller than 256 pixels and were enlarged" in content["notes"]


def test_an_unreadable_file_leaves_its_photo_out(advprop, thousand, photos) -> None:
    broken = photos / "c" / "fog" / "1" / WNIDS[1] / "1.png"
    broken.write_bytes(b"\x89PNG no more")
    words = ("evaluate", "--model", thousand, "--data", photos / "c", "--severity", "1")
    words = (*words, "--corruptions", "fog,snow", "--report", photos)
    answer = advprop(*words)
    assert "left out 1 images that cannot be read in every folder" in answer.out
    assert f"left out {broken}" in answer.out
    content = json.loads((photos / "results.json").read_text())
    assert {row["n"] for row in content["results"]} == {3}
    kept = advprop(*words, "--strict")  # by then it is known from the report's folder
    assert (kept.code, "4 finished figures were taken from" in kept.out) == (2, True)
    assert "thousand.safetensors: 1 images cannot be read" in kept.err
    shutil.rmtree(photos / "cells")
    stopped = advprop(*words, "--strict")
    assert (stopped.code, f"{broken}: This file" in stopped.err) == (2, True)


def test_an_unreadable_clean_photo_leaves_its_corruptions_out(advprop, few, photos) -> None:
    (photos / "val" / WNIDS[0] / "1.png").write_bytes(b"\x89PNG no more")
    words = ("evaluate", "--model", few, "--data", photos / "c", "--clean", photos / "val")
    answer = advprop(*words, "--corruptions", "fog", "--severity", 1, "--json", photos / "r.json")
    assert "left out" in answer.out
    content = json.loads((photos / "r.json").read_text())
    assert {row["n"] for row in content["results"]} == {2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--attack", "pgd"), "attacks and probes need clean photos, and"),
        (("--probe", "grey"), "attacks and probes need clean photos, and"),
        (("--corruptions", "spatter"), "hold no spatter/1, .*; they hold gaussian_noise, shot"),
        (("--severity", "0"), "--severity must be one of 1, 2, 3, 4, 5"),
        (("--clean", "none"), "--clean must be a folder with ImageNet's class folders, got none"),
        (("--limit", "1"), "show one class, .* raise the limit"),
    ],
)
def test_bad_options(words, message, advprop, few, photos) -> None:
    answer = advprop("evaluate", "--model", few, "--data", photos / "c", *words)
    assert answer.code == 2
    assert re.search(message, answer.err)
    assert len(answer.err.splitlines()) == 1


def test_clean_is_for_imagenet_c(advprop, few, photos) -> None:
    words = ("evaluate", "--model", few, "--data", photos / "val", "--clean", photos / "val")
    advprop(*words).refuses("--clean gives ImageNet's photos to imagenet-c:DIR, and --data is")


def test_imagenet_r_asks_among_its_classes(advprop, thousand, tmp_path) -> None:
    put_classes(tmp_path / "r", wnids_of("imagenet-r"))
    words = ("evaluate", "--model", thousand, "--branch", "main", "--report", tmp_path / "report")
    answer = advprop(*words, "--data", tmp_path / "r", "--limit", 20, "--attack", "fgsm")
    assert "is laid out as ImageNet-R: read as imagenet-r:" in answer.out
    assert "answers are among its 200 classes, as in its article" in answer.out
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    assert [one["condition"]["kind"] for one in content["results"]] == ["clean", "attack"]
    assert len(content["notes"]) == 4
    assert "as in its article" in (tmp_path / "report" / "report.html").read_text()
    answer = advprop(*words, "--data", f"imagenet-a:{tmp_path / 'r'}")
    answer.refuses("imagenet-a has class folders named by its 200 wnids")


def test_cifar10_c(advprop, make_dual, make_info, tmp_path) -> None:
    put_cifar10_c(tmp_path / "CIFAR-10-C", ("fog", "spatter"))
    info = make_info(class_ids=CIFAR10_NAMES, class_names=CIFAR10_NAMES, input_size=48)
    checkpoints.save(tmp_path / "ten.safetensors", make_dual(classes=10), info)
    words = ("evaluate", "--model", tmp_path / "ten.safetensors", "--data", tmp_path / "CIFAR-10-C")
    content = json.loads(advprop(*words, "--branch", "aux", "--limit", 12, "--json", "-").out)
    shown = [(r["condition"]["corruption"], r["condition"]["severity"]) for r in content["results"]]
    assert shown == [("fog", severity) for severity in SEVERITIES]  # spatter only by name
    assert {row["n"] for row in content["results"]} == {12}
    assert "12 of 12 photos are smaller than 48 pixels and were enlarged" in content["notes"]
    assert "imagenet_c" not in content
    advprop(*words, "--clean", tmp_path).refuses("--clean gives ImageNet's photos to imagenet-c")


def test_classes_of_cifar10_c_that_a_network_does_not_know(
    advprop, make_dual, make_info, tmp_path
) -> None:
    put_cifar10_c(tmp_path / "c", ("fog",))
    pets = ("cat", "dog")
    info = make_info(class_ids=pets, class_names=pets)
    checkpoints.save(tmp_path / "pets.safetensors", make_dual(classes=2), info)
    words = ("evaluate", "--model", tmp_path / "pets.safetensors", "--data", tmp_path / "c")
    content = json.loads(advprop(*words, "--json", "-").out)
    assert any("does not know: airplane, automobile" in one for one in content["notes"])
    answer = advprop(*words, "--strict", "--json", "-")
    assert answer.code == 2
    assert "none of the classes: airplane, automobile" in answer.err
    assert "The network's classes: cat (cat), dog (dog)" in answer.err


def test_a_set_that_is_missing_is_not_fetched_unasked(advprop, few, tmp_path) -> None:
    words = ("evaluate", "--model", few, "--data")
    advprop(*words, f"imagenette:{tmp_path}").refuses(
        "`advprop evaluate --download` fetches it there"
    )
    advprop(*words, f"cifar10:{tmp_path}").refuses(
        "nor train/NAME/IMAGE and test/NAME/IMAGE: `advprop evaluate --download` fetches it"
    )
    advprop(*words, "imagenet-q:x").refuses("'imagenet-q' is no layout. Did you mean")


def test_what_is_left_out_of_folders_is_counted_or_refused(advprop, few, tmp_path) -> None:
    data = put_classes(tmp_path / "data" / "val", WNIDS[:2])
    (data / WNIDS[0] / "1.heic").write_bytes(b"a kind of photo that is not read")
    (data / WNIDS[1] / ".DS_Store").write_bytes(b"x")
    (data.parent / "__MACOSX").mkdir()
    words = ("evaluate", "--model", few, "--data", data.parent, "--json", tmp_path / "j.json")
    sentence = (
        f"files left out: 2 × hidden (__MACOSX, val/{WNIDS[1]}/.DS_Store); "
        f"1 × no picture, by the ending (val/{WNIDS[0]}/1.heic)"
    )
    answer = advprop(*words)
    assert answer.out.count(sentence) == 1
    assert sentence in json.loads((tmp_path / "j.json").read_text())["notes"]
    advprop(*words, "--strict").refuses(f"val/{WNIDS[0]}/1.heic")


def test_names_that_are_no_text_are_shown_and_written(
    advprop, make_dual, make_info, tmp_path
) -> None:
    names = (os.fsdecode(b"caf\xe9"), "\ud800 bar", "tea room")
    model = tmp_path / "odd.safetensors"
    checkpoints.save(model, make_dual(classes=3), make_info(class_ids=names, class_names=names))
    data = put_classes(tmp_path / "data", (names[0], names[2]))
    (data / names[0] / os.fsdecode(b"\xff.jpg")).write_text("no image")
    answer = advprop("evaluate", "--model", model, "--data", data, "--report", tmp_path / "report")
    assert r"caf\udce9/\udcff.jpg: This file is not an image" in answer.out
    content = json.loads((tmp_path / "report" / "results.json").read_text())
    assert {row["n"] for row in content["results"]} == {2}
    answer = advprop("predict", data / names[0] / "0.JPEG", "--model", model)
    assert r"true class: caf\udce9" in answer.out
