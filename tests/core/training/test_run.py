"""A whole run: the files it leaves, and one step of each objective by hand."""

import json
from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack, random_start
from advprop_core.evaluation.processes import Processes
from advprop_core.files import CannotWrite
from advprop_core.models import checkpoints, timm_networks
from advprop_core.models.dual_bn import attack_view, norm_layers
from advprop_core.training import data, run, state
from advprop_core.training.data import list_split, load_data
from advprop_core.training.meter import Diverged
from advprop_core.training.network import new_model
from advprop_core.training.recipe import Attacker, Augmentation
from advprop_core.training.recipe_files import make_recipe, read_recipe
from advprop_core.training.run import train
from advprop_core.types import AttackConfig
from tests.core.training.tiny import WHOLE, tiny_recipe

RECIPE = tiny_recipe()
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def finished(photos, tmp_path_factory):
    """A run of two epochs without a break."""
    out = tmp_path_factory.mktemp("run") / "whole"
    reports = []
    path = train(
        RECIPE, str(photos), out, name="tiny", command="advprop train", report=reports.append
    )
    return path, reports


# -- what a run leaves --------------------------------------------------------------------------


def test_the_checkpoint_describes_itself(finished, photos):
    path, _ = finished
    info = checkpoints.load(path).info
    assert info.name == "tiny"
    assert info.classes == (("cats", "cats"), ("dogs", "dogs"))
    assert dict(info.branches) == {"main": "trained", "aux": "trained"}
    assert info.recipe["command"] == "advprop train"
    assert info.recipe["objective"] == "advprop"
    assert info.recipe["architecture"] == "test_resnet"
    assert info.recipe["data"] == photos.name
    assert info.recipe["training_images"] == 12
    assert info.recipe["attack"]["epsilon"] == info.recipe["attack"]["step_size"] == 4 / 255
    cells = [(m["branch"], m["condition"]["kind"]) for m in info.metrics]
    assert cells == [("main", "clean"), ("aux", "clean"), ("main", "attack"), ("aux", "attack")]
    assert all(m["n"] == 4 and 0 <= m["top1"] <= 1 for m in info.metrics)
    assert "tiny" in path.with_suffix(".md").read_text()


def test_metrics_are_those_of_the_weights_in_the_file(finished, photos):
    path, _ = finished
    checkpoint = checkpoints.load(path)
    split = list_split(str(photos), "val").load(32)
    with torch.no_grad():
        logits = checkpoint.model.branch("main")(split.pixels.float() / 255)
    expected = F.cross_entropy(logits, split.labels).item()
    assert checkpoint.info.metrics[0]["loss"] == pytest.approx(expected, rel=1e-4)


def test_the_file_holds_the_last_weights_in_half_precision(finished):
    path, _ = finished
    trained = torch.load(path.with_name("state.pt"), weights_only=True)["model"]
    norms = {f"{name}." for name in checkpoints.load(path).model.norm_layer_names()}
    for key, value in checkpoints.load(path).model.state_dict().items():
        exact = any(key.startswith(name) for name in norms)
        expected = trained[key] if exact else trained[key].half().float()
        assert torch.equal(value, expected), key


def test_epochs_are_reported_and_logged(finished):
    path, reports = finished
    closed = [report for report in reports if report.finished_epoch]
    assert [(r.epoch, r.epochs, r.step, r.steps) for r in closed] == [(1, 2, 3, 6), (2, 2, 6, 6)]
    log = path.with_name("metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in log]
    assert [(row["kind"], row["step"]) for row in rows] == [
        *(("step", step) for step in (1, 2, 3)),
        ("epoch", 3),
        *(("step", step) for step in (4, 5, 6)),
        ("epoch", 6),
    ]
    for report, first in zip(closed, (0, 4), strict=True):
        for name in ("main/clean", "aux/adversarial"):
            mean = sum(row["loss"][name] for row in rows[first : first + 3]) / 3
            assert report.loss[name] == rows[first + 3]["loss"][name] == pytest.approx(mean)


def test_the_recipe_beside_it_makes_the_same_run(finished):
    path, _ = finished
    assert make_recipe(read_recipe(str(path.with_name("recipe.toml")))) == RECIPE


def test_trackers_get_the_recipe_and_every_line(photos, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    logged, configs = [], []
    from accelerate import Accelerator

    real = Accelerator.init_trackers

    def init(self, name, config):
        configs.append((name, config))
        real(self, name, config=config)

    monkeypatch.setattr(Accelerator, "init_trackers", init)
    monkeypatch.setattr(Accelerator, "log", lambda self, values, step: logged.append(step))
    recipe = tiny_recipe(objective="vanilla", epochs=1)
    train(recipe, str(photos), tmp_path / "run", name="x", trackers=["tensorboard"])
    assert logged == [1, 2, 3, 3]
    ((name, config),) = configs
    assert name == "advprop"
    assert config["attack.epsilon"] == 4 / 255
    assert config["learning_rate"] == recipe.learning_rate
    assert list((tmp_path / "run" / "advprop").rglob("events.*"))


# -- one step by hand ---------------------------------------------------------------------------

ONE = AttackConfig("linf", 4 / 255, 4 / 255, 1, True)


def losses_by_hand(objective, model, batch):
    """The loss whose gradient the step takes, with attacks from the library."""
    main, pixels, labels = model.branch("main"), batch.pixels, batch.targets
    how = replace(ONE, seed=batch.seed)
    if objective == "vanilla":
        return F.cross_entropy(main(pixels), labels)
    if objective == "adversarial":
        return F.cross_entropy(main(attack(attack_view(main), pixels, labels, how)), labels)
    if objective == "mixed":
        found = attack(attack_view(main), pixels, labels, how)
        clean, moved = main(torch.cat([pixels, found])).split(len(pixels))
        return F.cross_entropy(clean, labels) + F.cross_entropy(moved, labels)
    if objective == "advprop":
        aux = model.branch("aux")
        found = attack(attack_view(aux), pixels, labels, how)
        return F.cross_entropy(main(pixels), labels) + F.cross_entropy(aux(found), labels)
    if objective == "adv-reg":
        sign = AttackConfig.fgsm(4 / 255)
        found = attack(attack_view(main), pixels, labels, sign)
        return F.cross_entropy(main(pixels), labels) + 0.2 * F.cross_entropy(main(found), labels)
    assert objective == "trades"
    view = attack_view(main)
    natural = view(pixels).softmax(1).detach()
    found = random_start(pixels, how).requires_grad_()
    (slope,) = torch.autograd.grad(F.cross_entropy(view(found), natural, reduction="sum"), found)
    moved = (found.detach() + 4 / 255 * slope.sign() - pixels).clamp(-4 / 255, 4 / 255)
    clean, near = main(pixels), main((pixels + moved).clamp(0, 1))
    apart = (clean.softmax(1) * (clean.log_softmax(1) - near.log_softmax(1))).sum(1).mean()
    return F.cross_entropy(clean, labels) + 6 * apart


def fast_gradients(model, batch, share=0.25):
    """Leave the gradients of Fast AdvProp on the parameters."""
    count = round(share * len(batch.pixels))
    main, aux = model.branch("main"), model.branch("aux")
    pixels, labels = batch.pixels[:count], batch.targets[:count]
    noisy = random_start(pixels, replace(ONE, seed=batch.seed)).requires_grad_()
    (F.cross_entropy(aux(noisy), labels) * share / 2).backward()
    moved = noisy.detach() + 4 / 255 * noisy.grad.sign() - pixels
    found = (pixels + moved.clamp(-4 / 255, 4 / 255)).clamp(0, 1)
    loss = (1 - share) * F.cross_entropy(main(batch.pixels[count:]), batch.targets[count:])
    (loss + share / 2 * F.cross_entropy(aux(found), labels)).backward()
    for branch, seen in ((main, 1 - share), (aux, share)):
        for norm in norm_layers(branch).values():
            norm.weight.grad /= seen
            norm.bias.grad /= seen


@pytest.fixture(scope="module")
def source(tmp_path_factory, make_dual, make_info):
    """Branches that differ already, and a classifier with a slope to climb."""
    path = tmp_path_factory.mktemp("source") / "source.safetensors"
    names = ("cats", "dogs")
    checkpoints.save(path, make_dual(classes=2), make_info(class_ids=names, class_names=names))
    return str(path)


@pytest.mark.parametrize("objective", WHOLE)
def test_one_step_is_what_one_computes_by_hand(photos, source, tmp_path, objective):
    recipe = tiny_recipe(
        objective=objective,
        start_from=source,
        epochs=1,
        batch_size=8,
        warmup_epochs=0,
        adversarial_share=0.25,
    )
    train(recipe, str(photos), tmp_path / "run", name="x")
    result = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["model"]

    read = load_data(str(photos), recipe, CPU)
    (batch,) = read.source.epoch(0, 0, CPU)
    model, _ = new_model(recipe, read.classes)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.train()
    if objective == "fast-advprop":
        fast_gradients(model, batch)
    else:
        losses_by_hand(objective, model, batch).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
            gradient = parameter.grad + decay * parameter
            parameter -= recipe.learning_rate * 1.9 * gradient  # Nesterov's first step
    for key, value in model.state_dict().items():
        torch.testing.assert_close(result[key], value, rtol=1e-4, atol=2e-5, msg=key)
    assert not any(torch.equal(before[key], result[key]) for key in before)


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_goes_on_with_photos_where_they_were(photos, tmp_path, monkeypatch, kept):
    out = tmp_path / "run"
    monkeypatch.setattr(data, "_fits", lambda *_: kept)
    train(RECIPE, str(photos), out, name="x")
    assert state.read(out / state.STATE, Processes()).progress.in_memory is kept
    monkeypatch.setattr(data, "_fits", lambda *_: pytest.fail("decided anew"))
    train(RECIPE, str(photos), out, name="x", resume=True)


def test_the_state_of_an_older_version_says_nothing_of_memory(photos, tmp_path):
    train(RECIPE, str(photos), tmp_path / "run", name="x")
    path = tmp_path / "run" / state.STATE
    content = torch.load(path, weights_only=True)
    del content["progress"]["in_memory"]
    torch.save(content, path)
    assert state.read(path, Processes()).progress.in_memory is None


def test_accelerates_own_settings_do_not_change_the_recipes_precision(
    finished, photos, tmp_path, monkeypatch
):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    AcceleratorState._reset_state(reset_partial_state=True)
    path = train(RECIPE, str(photos), tmp_path / "run", name="tiny", command="advprop train")
    assert path.read_bytes() == finished[0].read_bytes()


def test_resuming_what_is_not_there_begins_and_says_so(photos, tmp_path):
    notes = []
    train(RECIPE, str(photos), tmp_path / "run", name="x", resume=True, note=notes.append)
    assert notes == [f"{tmp_path / 'run'} holds no run yet: this one starts from the beginning"]


def test_a_network_that_ends_in_no_numbers_leaves_no_file(photos, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("logits must be finite")

    monkeypatch.setattr(run, "measure", refuse)
    with pytest.raises(Diverged, match=r"cannot be measured \(logits must be finite\): lower"):
        train(RECIPE, str(photos), tmp_path / "run", name="x")
    assert not list((tmp_path / "run").glob("model*"))
    assert (tmp_path / "run" / state.STATE).exists()


def test_a_disk_that_is_full_at_the_end(photos, tmp_path, fill_disk):
    fill_disk("model.safetensors")
    with pytest.raises(CannotWrite, match=r"model\.safetensors could .* \(No space left"):
        train(RECIPE, str(photos), tmp_path / "run", name="x")


def test_a_folder_called_shapes_is_no_built_in_set(photos, tmp_path):
    folder = tmp_path / "shapes"
    folder.symlink_to(photos)
    path = train(tiny_recipe(epochs=1), str(folder), tmp_path / "run", name="x")
    metrics = checkpoints.load(path).info.metrics
    assert {one["condition"]["kind"] for one in metrics} == {"clean", "attack"}
    assert {one["data"] for one in metrics} == {"shapes val"}


def test_what_a_run_starts_from_decides_the_network(photos, source, tmp_path):
    recipe = tiny_recipe(architecture="resnet18", start_from=source, epochs=1)
    path = train(recipe, str(photos), tmp_path / "run", name="x")
    assert checkpoints.load(path).info.architecture == "test_resnet"
    assert 'architecture = "test_resnet"' in (tmp_path / "run" / "recipe.toml").read_text()


# -- what is refused ----------------------------------------------------------------------------


def test_a_batch_larger_than_the_data(photos, tmp_path):
    with pytest.raises(ValueError, match="batch_size is 13, but there are only 12 images"):
        train(tiny_recipe(batch_size=13), str(photos), tmp_path / "run", name="x")


def test_missing_validation_images_are_noticed_before_training(photos, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train").symlink_to(photos / "train")
    monkeypatch.setattr(run.Trainer, "step", lambda *_: pytest.fail("trained for nothing"))
    with pytest.raises(ValueError, match="has train/, but no val/"):
        train(RECIPE, str(tmp_path / "data"), tmp_path / "run", name="x")


def test_unknown_architecture_and_unknown_data(photos, tmp_path):
    with pytest.raises(timm_networks.UnknownArchitecture, match="resnet18"):
        train(tiny_recipe(architecture="resnet19"), str(photos), tmp_path / "a", name="x")
    with pytest.raises(ValueError, match="no folder"):
        train(RECIPE, str(tmp_path / "none"), tmp_path / "b", name="x")
    assert not [*tmp_path.iterdir()], "what is refused leaves no folder"
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="must be a folder, and .*file is a file"):
        train(RECIPE, str(photos), tmp_path / "file", name="x")


def test_a_batch_that_cannot_be_shared(photos, tmp_path, monkeypatch):
    from accelerate import Accelerator

    monkeypatch.setattr(Accelerator, "num_processes", 3)
    with pytest.raises(ValueError, match="batch_size 4 cannot be shared equally by 3 processes"):
        train(RECIPE, str(photos), tmp_path / "run", name="x")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("share", "left"), [(0.2, 1), (0.8, 1), (0.05, 0)])
def test_too_few_images_for_a_norm_layer(photos, tmp_path, share, left):
    recipe = tiny_recipe(objective="fast-advprop", adversarial_share=share)
    with pytest.raises(ValueError, match=f"batch_size 4 leaves {left} images for a pass"):
        train(recipe, str(photos), tmp_path / "run", name="x")


def test_statistics_of_all_processes_need_gpus(photos, tmp_path):
    with pytest.raises(ValueError, match="sync_bn needs GPUs"):
        train(tiny_recipe(sync_bn=True), str(photos), tmp_path / "run", name="x")


def test_one_class_is_nothing_to_learn(tmp_path):
    for split in ("train", "val"):
        (tmp_path / split / "cats").mkdir(parents=True)
        for index in range(4):
            Image.new("RGB", (40, 40)).save(tmp_path / split / "cats" / f"{index}.png")
    with pytest.raises(ValueError, match="there is only one class, cats: training needs two"):
        train(RECIPE, str(tmp_path), tmp_path / "run", name="x")


def test_two_mixed_classes_leave_no_wrong_one(photos, tmp_path):
    recipe = tiny_recipe(augmentation=Augmentation(mixup=0.2), attack=Attacker(goal="random"))
    with pytest.raises(ValueError, match=r"random wrong class needs three classes .* are 2"):
        train(recipe, str(photos), tmp_path / "run", name="x")


def test_a_tracker_that_is_not_installed(photos, tmp_path):
    with pytest.raises(ValueError, match="no tracker 'tensorbord'. Did you mean tensorboard"):
        train(RECIPE, str(photos), tmp_path / "run", name="x", trackers=["tensorbord"])
    with pytest.raises(ValueError, match="'clearml' is not installed: pip install clearml"):
        train(RECIPE, str(photos), tmp_path / "run", name="x", trackers=["clearml"])


def test_images_that_cannot_be_read_are_told(photos, tmp_path):
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    (data / "val").symlink_to(photos / "val")
    for name in ("cats", "dogs"):
        (data / "train" / name).mkdir()
        for file in (photos / "train" / name).iterdir():
            (data / "train" / name / file.name).symlink_to(file)
    (data / "train" / "cats" / "torn.png").write_bytes(b"no image")
    (data / "train" / "dogs" / "a.heic").write_bytes(b"a photo that is not read")
    notes = []
    recipe = tiny_recipe(objective="vanilla", epochs=1)
    path = train(recipe, str(data), tmp_path / "run", name="x", note=notes.append)
    unreadable, passed_over = notes
    assert unreadable.startswith("1 image was left out, such as ")
    assert "torn.png" in unreadable
    assert passed_over == "files left out: 1 × no picture, by the ending (dogs/a.heic)"
    assert checkpoints.load(path).info.recipe["training_images"] == 12


def test_what_a_branch_cannot_be_shown_is_said_before_any_photo_is_read(tmp_path):
    recipe = tiny_recipe(objective="advprop", auxiliaries=("1/255", "gausian:0.1"))
    with pytest.raises(ValueError, match="'gausian'. Did you mean gaussian"):
        train(recipe, str(tmp_path / "absent"), tmp_path / "run", name="x")
    assert not (tmp_path / "run").exists()
