import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from advprop_core import checkpoints, models
from advprop_core.attacks import attack
from advprop_core.dual_bn import attack_view
from advprop_core.training import loop
from advprop_core.training.data import batches, load_split
from advprop_core.training.loop import Diverged, train
from advprop_core.training.recipe import Recipe
from advprop_core.types import AttackConfig

RECIPE = Recipe(
    architecture="test_resnet",
    objective="advprop",
    attack=AttackConfig.pgd(4 / 255, steps=1),
    size=32,
    epochs=2,
    batch_size=4,
    warmup_epochs=0.5,
)


def changed(**fields):
    return Recipe(**{**{k: getattr(RECIPE, k) for k in RECIPE.__dataclass_fields__}, **fields})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Ten images of noise, of two classes, and four to validate with."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for name in ("cats", "dogs"):
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 256, (43, 43, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    return str(root)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A run of two epochs without a break."""
    out = tmp_path_factory.mktemp("run") / "whole"
    reports = []
    path = train(RECIPE, data, out, name="tiny", command="advprop train", report=reports.append)
    return path, reports


def state_of(out):
    return torch.load(out / "state.pt", weights_only=True)


class Stopped(Exception):
    pass


def stop_after(count):
    def report(epoch):
        if epoch.epoch == count:
            raise Stopped

    return report


# -- what a run leaves --------------------------------------------------------------------------


def test_the_checkpoint_describes_itself(finished, data):
    path, _ = finished
    checkpoint = checkpoints.load(path)
    info = checkpoint.info
    assert info.name == "tiny"
    assert info.classes == (("cats", "cats"), ("dogs", "dogs"))
    assert dict(info.branches) == {"main": "trained", "aux": "trained"}
    assert info.recipe["command"] == "advprop train"
    assert info.recipe["objective"] == "advprop"
    assert info.recipe["training_images"] == 10
    assert info.recipe["attack"]["epsilon"] == 4 / 255
    cells = [(m["branch"], m["condition"]["kind"]) for m in info.metrics]
    assert cells == [("main", "clean"), ("aux", "clean"), ("main", "attack"), ("aux", "attack")]
    assert all(m["n"] == 4 and 0 <= m["top1"] <= 1 for m in info.metrics)


def test_metrics_are_those_of_the_weights_in_the_file(finished, data):
    path, _ = finished
    checkpoint = checkpoints.load(path)
    split = load_split(data, "val", 32)
    with torch.no_grad():
        logits = checkpoint.model.branch("main")(split.images.float() / 255)
    expected = F.cross_entropy(logits, split.labels).item()
    assert checkpoint.info.metrics[0]["loss"] == pytest.approx(expected, rel=1e-4)


def test_epochs_are_reported_and_logged(finished):
    path, reports = finished
    assert [(r.epoch, r.epochs) for r in reports] == [(1, 2), (2, 2)]
    assert set(reports[0].loss) == set(reports[0].accuracy) == {"main", "aux"}
    log = path.with_name("metrics.jsonl").read_text().splitlines()
    logged = [json.loads(line) for line in log]
    assert [row["loss"] for row in logged] == [r.loss for r in reports]
    assert json.loads((path.parent / "recipe.json").read_text())["epochs"] == 2


# -- one step by hand ---------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["vanilla", "adversarial", "advprop"])
def test_one_step_is_what_one_computes_by_hand(data, tmp_path, objective):
    recipe = changed(objective=objective, epochs=1, batch_size=8, warmup_epochs=0)
    train(recipe, data, tmp_path / "run", name="x")
    result = state_of(tmp_path / "run")["model"]

    split = load_split(data, "train", 32, margin=True)
    torch.manual_seed(recipe.seed)
    model = models.create(loop._new_info(recipe, split, data, "x", "")).train()
    pixels, labels = next(batches(split, recipe, torch.Generator().manual_seed(0)))
    how = AttackConfig("linf", 4 / 255, recipe.attack.step_size, 1, True, seed=0)
    if objective == "vanilla":
        loss = F.cross_entropy(model.branch("main")(pixels), labels)
    elif objective == "adversarial":
        found = attack(attack_view(model.branch("main")), pixels, labels, how)
        loss = F.cross_entropy(model.branch("main")(found), labels)
    else:
        found = attack(attack_view(model.branch("aux")), pixels, labels, how)
        loss = F.cross_entropy(model.branch("main")(pixels), labels)
        loss = loss + F.cross_entropy(model.branch("aux")(found), labels)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
                gradient = parameter.grad + decay * parameter
                parameter -= recipe.learning_rate * 1.9 * gradient  # Nesterov's first step
    for key, value in model.state_dict().items():
        torch.testing.assert_close(result[key], value, rtol=1e-4, atol=2e-5, msg=key)


def test_every_step_draws_anew_and_the_schedule_counts_on(data, tmp_path, monkeypatch):
    seen, numbers = [], []
    real_objective, real_update = loop.make_objective, loop.CosineLRScheduler.step_update

    def make_objective(model, recipe):
        objective = real_objective(model, recipe)
        return lambda step: seen.append(step) or objective(step)

    def step_update(self, number):
        numbers.append(number)
        real_update(self, number)

    monkeypatch.setattr(loop, "make_objective", make_objective)
    monkeypatch.setattr(loop.CosineLRScheduler, "step_update", step_update)
    train(RECIPE, data, tmp_path / "run", name="x")
    assert numbers == [0, 1, 2, 3]
    assert len({step.seed for step in seen}) == 4
    assert not torch.equal(seen[0].pixels, seen[2].pixels)  # the first of each epoch
    assert not torch.equal(seen[0].pixels.sum((1, 2, 3)), seen[2].pixels.sum((1, 2, 3)))


# -- resuming -----------------------------------------------------------------------------------


def test_resumed_gives_the_same_weights_bit_for_bit(finished, data, tmp_path):
    path, _ = finished
    out = tmp_path / "broken"
    with pytest.raises(Stopped):
        train(RECIPE, data, out, name="tiny", report=stop_after(1))
    assert not (out / "model.safetensors").exists()
    assert state_of(out)["epoch"] == 1
    torch.rand(5)  # whatever the global generator went through in between
    train(RECIPE, data, out, name="tiny", resume=True)
    whole, resumed = state_of(path.parent), state_of(out)
    assert resumed["epoch"] == 2
    for key, value in whole["model"].items():
        assert torch.equal(resumed["model"][key], value), key
    final, again = (checkpoints.load(p).model.state_dict() for p in (path, out / path.name))
    assert all(torch.equal(again[key], value) for key, value in final.items())


def test_a_finished_run_resumes_to_the_same(finished, data, tmp_path):
    path, _ = finished
    before = state_of(path.parent)["model"]
    assert train(RECIPE, data, path.parent, name="tiny", resume=True) == path
    after = state_of(path.parent)["model"]
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_an_existing_run_is_not_overwritten(finished, data):
    path, _ = finished
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="--resume"):
        train(RECIPE, data, path.parent, name="other")
    assert path.read_bytes() == before


@pytest.mark.parametrize("fields", [{"seed": 1}, {"learning_rate": 0.2}, {"epochs": 3}])
def test_another_recipe_cannot_resume(finished, data, fields):
    path, _ = finished
    with pytest.raises(ValueError, match="another recipe"):
        train(changed(**fields), data, path.parent, name="x", resume=True)


# -- what goes wrong ----------------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(data, tmp_path, monkeypatch):
    out = tmp_path / "run"
    real = loop.branch_losses
    calls = []

    def spoilt(*args):
        calls.append(1)
        parts = real(*args)
        return parts if len(calls) <= 3 else {k: v * torch.nan for k, v in parts.items()}

    monkeypatch.setattr(loop, "branch_losses", spoilt)  # two steps an epoch: the second of epoch 2
    with pytest.raises(Diverged, match="nan in epoch 2, step 2: lower the learning rate"):
        train(RECIPE, data, out, name="x")
    state = state_of(out)
    assert state["epoch"] == 1
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    assert not (out / "model.safetensors").exists()


def test_weights_spoilt_by_an_epochs_last_step_are_not_saved(data, tmp_path, monkeypatch):
    """No loss has been measured on them yet."""
    out = tmp_path / "run"
    real = loop._epoch

    def spoilt(model, *args):
        result = real(model, *args)
        if args[-1] == 1:
            with torch.no_grad():
                model.branch("aux").network.get_classifier().weight[0, 0] = torch.inf
        return result

    monkeypatch.setattr(loop, "_epoch", spoilt)
    with pytest.raises(Diverged, match="not finite after epoch 2"):
        train(RECIPE, data, out, name="x")
    assert state_of(out)["epoch"] == 1


def test_a_batch_larger_than_the_data(data, tmp_path):
    with pytest.raises(ValueError, match="batch_size is 11, but there are only 10 images"):
        train(changed(batch_size=11), data, tmp_path / "run", name="x")


def test_missing_validation_images_are_noticed_before_training(data, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train").symlink_to(f"{data}/train")
    monkeypatch.setattr(loop, "_epoch", lambda *_: pytest.fail("trained for nothing"))
    with pytest.raises(ValueError, match=r"no folder .*val"):
        train(RECIPE, str(tmp_path / "data"), tmp_path / "run", name="x")


def test_validation_labels_count_the_classes_of_training(data, tmp_path, monkeypatch):
    (tmp_path / "data" / "val").mkdir(parents=True)
    (tmp_path / "data" / "train").symlink_to(f"{data}/train")
    (tmp_path / "data" / "val" / "dogs").symlink_to(f"{data}/val/dogs")
    seen = []
    monkeypatch.setattr(loop, "_finish", lambda path, model, info, held_out: seen.append(held_out))
    train(changed(epochs=1), str(tmp_path / "data"), tmp_path / "run", name="x")
    assert seen[0].labels.tolist() == [1, 1]


def test_unknown_architecture_and_unknown_data(data, tmp_path):
    with pytest.raises(models.UnknownArchitecture, match="resnet18"):
        train(changed(architecture="resnet19"), data, tmp_path / "a", name="x")
    with pytest.raises(ValueError, match="no folder"):
        train(RECIPE, str(tmp_path / "none"), tmp_path / "b", name="x")
