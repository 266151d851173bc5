"""`advprop compare --bundle` and `advprop replay`: the same numbers again, or what differs."""

import csv
import io
import json
import shlex
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from advprop_core.cli.main import main
from advprop_core.models import checkpoints
from tests.core.cli.tiny import NAMES

WAYS = {
    "pgd": ("--attack", "pgd", "--seed", 3),
    "fgsm": ("--attack", "fgsm", "--epsilon", "8/255"),
    "i-fgsm": ("--attack", "i-fgsm", "--steps", 3, "--step-size", "0.3/255"),
    "l2": ("--norm", "l2", "--epsilon", "0.7", "--attack-branch", "aux"),
    "targeted": ("--target-class", "golf ball", "--true-class", "tench"),
    "noise": ("--noise", "gaussian", "--severity", "0.123", "--seed", 5),
    "erase": ("--erase", "100.200.300.50_0.0.90.90", "--fill", "blur"),
    "none": ("--attack", "none"),
    "one branch, through the other": ("--branch", "aux", "--attack-branch", "main"),
    "own classes": ("--class-index", "own", "--layer", "layer1.0"),
    "layer inside a pair": ("--layer", "conv1"),
    "random map": ("--method", "smoothgrad", "--map-seed", 4, "--steps", 1),
}


def contents(file) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(file, change) -> None:
    """Write a bundle anew after ``change`` had its files."""
    files = contents(file)
    change(files)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def edit(file, change) -> None:
    """Write a bundle anew after ``change`` had its manifest."""

    def edit_manifest(files) -> None:
        manifest = json.loads(files["manifest.json"])
        change(manifest)
        files["manifest.json"] = json.dumps(manifest).encode()

    rewrite(file, edit_manifest)


@pytest.fixture(scope="module")
def saved(model, photo, tmp_path_factory):
    file = tmp_path_factory.mktemp("bundle") / "b.zip"
    with pytest.raises(SystemExit, match="0"):
        main(["compare", str(photo), "--model", str(model), "--bundle", str(file)])
    return file


@pytest.fixture
def bundle(saved, tmp_path):
    """A bundle of the test's own, to do with as it likes."""
    return shutil.copy(saved, tmp_path / "b.zip")


@pytest.mark.parametrize("words", WAYS.values(), ids=WAYS)
def test_a_bundle_and_its_command_give_the_same_numbers(
    words, advprop, model, photo, tmp_path, monkeypatch
) -> None:
    file = tmp_path / "b.zip"
    answer = advprop("compare", photo, "--model", model, *words, "--bundle", file)
    assert answer.code == 0, answer.err
    again = advprop("replay", file, "--model", model)
    assert again.code == 0, again.out
    assert again.out == "the same numbers, bit for bit\n"
    # The command alone, where the bundle is unpacked.
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "church")  # no class that the folder's name gives
    monkeypatch.chdir(tmp_path / "church")
    _, *command = shlex.split(json.loads(contents(file)["manifest.json"])["command"])
    answer = advprop(*command)
    assert answer.code == 0, answer.err
    first, second = contents(file), contents("again.zip")
    for name in ("picture.png", "perturbed.png", "arrays.npz", "maps.npz", "answers.csv"):
        assert first[name] == second[name], name
    experiments = [json.loads(files["manifest.json"])["experiment"] for files in (first, second)]
    assert experiments[0] == experiments[1]


def test_a_bundle_holds_everything_and_is_the_same_each_time(
    advprop, model, photo, bundle, tmp_path
) -> None:
    files = contents(bundle)
    manifest = json.loads(files["manifest.json"])
    assert files["given.png"] == photo.read_bytes()
    assert {*files} == {"manifest.json", *manifest["files"]}
    arrays = np.load(io.BytesIO(files["arrays.npz"]))
    saved = np.asarray(Image.open(io.BytesIO(files["picture.png"])), dtype=np.float32) / 255
    assert np.array_equal(saved.transpose(2, 0, 1), arrays["clean"])
    assert arrays["adversarial"].dtype == np.float32
    rows = list(csv.DictReader(io.StringIO(files["answers.csv"].decode())))
    assert [row["name"] for row in rows] == [*NAMES]
    logits = arrays["logits_adversarial_aux"].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum()
    assert [float(row["aux adversarial"]) for row in rows] == pytest.approx(shares, abs=1e-6)
    maps = np.load(io.BytesIO(files["maps.npz"]))
    assert {drawn["array"] for drawn in manifest["maps"]} == {*maps}
    assert len(maps) == 4
    advprop("compare", photo, "--model", model, "--bundle", tmp_path / "c.zip")
    assert bundle.read_bytes() == (tmp_path / "c.zip").read_bytes()


def test_a_bundled_network_needs_no_name(advprop, bundled, photo, tmp_path) -> None:
    file = tmp_path / "b.zip"
    advprop("compare", photo, "--model", "toy-advprop", "--bundle", file)
    answer = advprop("replay", file, "--json", "-")
    content = json.loads(answer.out)
    assert answer.code == 0
    assert content["same"]
    assert content["bit_for_bit"]
    assert content["largest_differences"] == {"pixels": 0, "probabilities": 0, "maps": 0}


def test_a_foreign_file_takes_its_settings_from_the_bundle(
    advprop, model, photo, tmp_path, monkeypatch
) -> None:
    plain, names = tmp_path / "plain.pth", tmp_path / "names.txt"
    advprop("export", "--model", model, "--branch", "aux", "--out", plain)
    (tmp_path / "plain.pth.json").unlink()
    names.write_text("a, with a comma\nb\nc\nd\ne\nf\n")
    words = ("--arch", "test_resnet", "--size", 48, "--mean", "0.1,0.2,0.3", "--classes", names)
    file = tmp_path / "b.zip"
    answer = advprop("compare", photo, "--model", plain, *words, "--bundle", file)
    assert answer.code == 0, answer.err
    assert advprop("replay", file, "--model", plain).out == "the same numbers, bit for bit\n"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    _, *command = shlex.split(json.loads(contents(file)["manifest.json"])["command"])
    assert advprop(*command).code == 0
    assert contents(file)["arrays.npz"] == contents("again.zip")["arrays.npz"]


# --- what differs --------------------------------------------------------------------------


def differences(advprop, file, model) -> list[str]:
    answer = advprop("replay", file, "--model", model, "--json", "-")
    assert answer.code == 1, answer.err
    content = json.loads(answer.out)
    assert not content["same"]
    return content["differences"]


def test_another_network(advprop, bundle, make_dual, make_info, tmp_path) -> None:
    other = make_dual()
    other.branch("aux").network.bn1.bias.data += 0.3
    info = make_info(class_ids=tuple("abcdef"), class_names=NAMES, input_size=64)
    checkpoints.save(tmp_path / "other.safetensors", other, info)
    first, *rest = differences(advprop, bundle, tmp_path / "other.safetensors")
    assert first.startswith("the network is another one: sha256 of its weights ")
    assert any(line.startswith("answers of aux to the clean picture: 6 of 6") for line in rest)
    assert not any("main" in line for line in rest), "main's numbers are what they were"


def test_a_network_that_cannot_be_asked_the_same(
    advprop, bundle, make_dual, make_info, tmp_path
) -> None:
    alone = make_info(branches={"main": "trained"}, input_size=64)
    checkpoints.save(tmp_path / "alone.safetensors", make_dual(auxiliaries=0), alone)
    last = differences(advprop, bundle, tmp_path / "alone.safetensors")[-1]
    assert last.startswith("this network cannot be asked the same: ")
    assert "aux" in last


def test_the_same_weights_in_another_file_are_the_same_network(
    advprop, bundle, model, tmp_path
) -> None:
    opened = checkpoints.load(model)
    checkpoints.save(tmp_path / "b.safetensors", opened.model, replace(opened.info, name="other"))
    answer = advprop("replay", bundle, "--model", tmp_path / "b.safetensors")
    assert answer.code == 0
    assert "the network's file is another one, with the same weights" in answer.out


def test_other_pixels(advprop, bundle, model) -> None:
    def darken(files) -> None:
        picture = np.array(Image.open(io.BytesIO(files["picture.png"])))
        picture[10, 20] = 255 - picture[10, 20]
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        files["picture.png"] = buffer.getvalue()

    rewrite(bundle, darken)
    first, second, *_ = differences(advprop, bundle, model)
    assert first == "picture.png was changed since it was saved"
    assert second.startswith("pixels of the clean picture: 3 of 12,288 values differ")


def test_another_seed(advprop, bundle, model) -> None:
    edit(bundle, lambda m: m["experiment"]["perturbation"]["attack"].update(seed=1))
    first, *rest = differences(advprop, bundle, model)
    assert first.startswith("pixels of the perturbed picture: ")
    assert not any("clean picture" in line for line in rest)


def test_another_size_and_missing_maps(advprop, bundle, model) -> None:
    def shrink(manifest) -> None:
        manifest["experiment"]["maps"]["method"] = "saliency"
        manifest["experiment"]["branches"] = ["main"]

    edit(bundle, shrink)
    lines = differences(advprop, bundle, model)
    assert any(line.startswith("map main_clean_saliency_class") for line in lines)
    assert "answers of aux to the clean picture: 6 saved, none now" in lines


def test_other_versions_are_no_difference_by_themselves(advprop, bundle, model) -> None:
    edit(bundle, lambda manifest: manifest["versions"].update(torch="0.0.1"))
    answer = advprop("replay", bundle, "--model", model)
    assert answer.code == 0
    assert "torch: 0.0.1 saved" in answer.out


# --- what is no bundle ---------------------------------------------------------------------


def test_a_network_is_not_opened_because_a_bundle_names_it(advprop, bundle) -> None:
    sha256 = json.loads(contents(bundle)["manifest.json"])["network"]["file_sha256"]
    answer = advprop("replay", bundle)
    answer.refuses(f"whose sha256 is {sha256}, does not come with this project")
    answer.refuses(f"advprop replay {bundle} --model FILE")
    edit(bundle, lambda manifest: manifest["network"].update(name="hf-hub:some/where"))
    advprop("replay", bundle).refuses("'hf-hub:some/where'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=2), "is of format 2, and this version reads 1"),
        (lambda m: m.pop("format"), "is incomplete or damaged"),
        (lambda m: m.pop("experiment"), "is incomplete"),
        (lambda m: m.update(network=[]), "is incomplete"),
        (lambda m: m["network"].update(name=1), "names no network"),
        (lambda m: m["network"].update(settings={"size": -1}), "size"),
        (lambda m: m["network"].update(settings={"shell": "rm"}), "is incomplete"),
        (lambda m: m["experiment"].pop("maps"), "is incomplete or damaged"),
        (lambda m: m["experiment"].update(perturbation=[]), "is incomplete"),
        (lambda m: m["experiment"].update(branches=["aux9"]), "no branch 'aux9'"),
        (lambda m: m["experiment"]["perturbation"]["attack"].update(steps="many"), "steps must be"),
        (lambda m: m["experiment"]["maps"].update(layer="../x"), "no layer '../x'"),
    ],
)
def test_a_manifest_that_cannot_be_used(change, message, advprop, bundle, model) -> None:
    edit(bundle, change)
    advprop("replay", bundle, "--model", model).refuses(message)


@pytest.mark.parametrize("missing", ["manifest.json", "picture.png", "arrays.npz", "maps.npz"])
def test_a_bundle_without_a_file(missing, advprop, bundle, model) -> None:
    rewrite(bundle, lambda files: files.pop(missing))
    advprop("replay", bundle, "--model", model).refuses(f"has no {missing}")


def test_files_that_are_no_bundles(advprop, bundle, model, photo, tmp_path) -> None:
    (tmp_path / "empty.zip").write_bytes(b"")
    (tmp_path / "cut.zip").write_bytes(bundle.read_bytes()[:-100])
    for file in (photo, tmp_path / "empty.zip", tmp_path / "cut.zip"):
        advprop("replay", file, "--model", model).refuses("is no zip file, or it is damaged")
    advprop("replay", tmp_path, "--model", model).refuses("is no file")
    advprop("replay", tmp_path / "gone.zip", "--model", model).refuses("does not exist")


def test_a_picture_that_is_none(advprop, bundle, model) -> None:
    rewrite(bundle, lambda files: files.update({"picture.png": b"GIF"}))
    advprop("replay", bundle, "--model", model).refuses("not an image")


# --- options of compare --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give --out DIR, --bundle FILE.zip or both"),
        (("--bundle", "{out}/b.tar"), "--bundle must be a .zip file"),
        (("--bundle", "{out}/b.zip", "--noise", "gaussian", "--steps", "3"), "cannot be combined"),
        (("--bundle", "{out}/b.zip", "--noise", "pink"), "There is no noise 'pink'"),
        (("--bundle", "{out}/b.zip", "--noise", "gaussian", "--severity", "2"), "severity must be"),
        (("--bundle", "{out}/b.zip", "--erase", "1.2.3"), "a region must be left.top.width"),
        (("--bundle", "{out}/b.zip", "--erase", "1.2.3.4", "--fill", "red"), "--fill must be one"),
        (("--bundle", "{out}/b.zip", "--attack", "none", "--epsilon", "0.1"), "none takes no"),
        (("--bundle", "{out}/b.zip", "--noise", "gaussian", "--target-class", "1"), "is for an"),
        (("--bundle", "{out}/b.zip", "--map-seed=-1"), "seed must be"),
    ],
)  # fmt: skip
def test_bad_options(words, message, advprop, model, photo, tmp_path) -> None:
    words = tuple(word.format(out=tmp_path) for word in words)
    advprop("compare", photo, "--model", model, *words).refuses(message)


def test_a_noise_is_told_and_written_to_the_folder(advprop, model, photo, tmp_path) -> None:
    words = ("--noise", "poisson", "--out", tmp_path / "o", "--json", "-")
    answer = advprop("compare", photo, "--model", model, *words)
    assert answer.code == 0, answer.err
    assert "perturbation: poisson noise, severity 0.1" in answer.err
    content = json.loads(answer.out)
    assert content["perturbation"]["noise"]["kind"] == "poisson"
    assert content["attack_branch"] is None
