"""Auxiliary branches for a network that is there: only their norm layers move."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from advprop_core import open_model
from advprop_core.errors import InputError
from advprop_core.models import checkpoints
from advprop_core.models.dual_bn import norm_layers
from advprop_core.models.header import read_info
from advprop_core.training import best, meter, run, trainer
from advprop_core.training.measure import AGREEMENT, for_network
from advprop_core.training.meter import Diverged
from advprop_core.training.recipe import Recipe
from advprop_core.training.run import train
from tests.core.training.tiny import numbered_photos, start, tiny_recipe


@pytest.fixture
def base(tmp_path, make_dual, make_info):
    """A network of six classes, none of which the photos have."""
    path = tmp_path / "base.safetensors"
    checkpoints.save(path, make_dual(auxiliaries=0), make_info(branches={"main": "trained"}))
    return path


def auxiliary_recipe(base, **changes):
    return tiny_recipe(objective="auxiliary", start_from=str(base), **changes)


def test_main_stays_bit_for_bit_and_the_file_is_an_adapter(base, photos, tmp_path, pixels):
    path = train(auxiliary_recipe(base, learning_rate=0.5), photos, tmp_path / "run")
    info = read_info(path)
    assert dict(info.branches) == {"main": "trained", "aux": "adapted"}
    assert info.base.name == str(base)
    assert info.num_classes == 6
    before, after = open_model(base).model, open_model(path).model
    with torch.no_grad():
        main = before.branch("main")(pixels(4))
        assert torch.equal(after.branch("main")(pixels(4)), main)
        assert not torch.allclose(after.branch("aux")(pixels(4)), main, atol=1e-3)
    was = norm_layers(before.branch("main").network)
    now = norm_layers(after.branch("aux").network)
    for layer, norm in now.items():
        for key in ("weight", "bias", "running_mean", "running_var"):
            assert not torch.equal(getattr(norm, key), getattr(was[layer], key)), (layer, key)


def test_a_step_lowers_the_loss_against_mains_own_answers(base, photos, tmp_path):
    """On adversarial images made through aux, whatever the photos' labels are."""
    trainer = start(auxiliary_recipe(base), photos, tmp_path / "run")
    batch = next(iter(trainer.photos.source.epoch(0, 0, torch.device("cpu"))))
    main = trainer.model.branch("main")
    with torch.no_grad():
        answers = main.eval()(batch.pixels).softmax(1)
    parts = trainer.step(batch, 0)
    assert list(parts) == ["aux/adversarial"]
    entropy = F.cross_entropy(answers.log(), answers)
    assert parts["aux/adversarial"].loss > entropy  # equal where aux still answered as main does
    in_norms = {
        id(p) for n in norm_layers(trainer.model.branch("aux")).values() for p in n.parameters()
    }
    trained = {id(p) for p in trainer.model.parameters() if p.requires_grad}
    assert trained == in_norms


def test_several_auxiliaries_of_different_strength(base, photos, tmp_path):
    path = train(auxiliary_recipe(base, auxiliaries=("1/255", "8/255")), photos, tmp_path / "run")
    model = open_model(path).model
    first, second = (norm_layers(model.branch(name)) for name in ("aux", "aux2"))
    assert not all(torch.equal(first[layer].weight, second[layer].weight) for layer in first)


def test_a_run_ends_after_its_steps_and_is_taken_up(base, photos, tmp_path):
    """Four steps are an epoch of three and one more; the schedule is theirs."""
    reports = []
    recipe = auxiliary_recipe(base, max_steps=4, epochs=9)
    train(recipe, photos, tmp_path / "whole", report=reports.append)
    assert (reports[-1].step, reports[-1].steps, reports[-1].epochs) == (4, 4, 2)
    notes = []
    path = train(recipe, photos, tmp_path / "whole", resume=True, note=notes.append)
    assert any("was finished after 4 of 4 steps" in note for note in notes)
    assert open_model(path).info.recipe["max_steps"] == 4


def test_true_labels_where_the_photos_classes_are_the_networks(base, make_info):
    recipe = auxiliary_recipe(base)
    model = open_model(base).model
    photos = numbered_photos(recipe, 6)
    relabelled = for_network(photos, model, make_info(class_ids=tuple("543210")))
    assert relabelled.val.labels.tolist() == [5, 4, 3, 2, 1, 0]
    with torch.no_grad():
        answers = model.branch("main")(photos.val.pixels.float() / 255).argmax(1)
    strangers = tuple((f"stranger {index}", "") for index in range(6))
    photos = replace(photos, val=replace(photos.val, classes=strangers))
    unknown = for_network(photos, model, make_info())
    assert unknown.val.labels.equal(answers)
    assert unknown.classes == make_info().classes


@pytest.mark.parametrize("layout", ["{}.png", "2019/{}.png", "{split}/{}.png"])
def test_photos_as_they_lie_in_a_folder_need_no_labels(base, tmp_path, layout):
    """One in ten is kept from training and measured: right is what main says of it clean."""
    rng, folder = np.random.default_rng(0), tmp_path / "holiday"
    for number in range(21):
        path = folder / layout.format(number, split="val" if number > 17 else "train")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
    path = train(auxiliary_recipe(base, max_steps=2), folder, tmp_path / "run")
    info = read_info(path)
    assert info.recipe["training_images"] == 19
    metrics = {(row["branch"], row["condition"]["kind"]): row for row in info.metrics}
    clean = metrics["main", "clean"]
    assert (clean["n"], clean["top1"]) == (2, 1.0)
    assert clean["data"] == (
        "holiday, 2 photos that are left out of training; "
        "right is what main answers to the clean photo"
    )


def test_a_branch_that_is_of_no_use_on_clean_photos_is_told(base, photos, tmp_path, monkeypatch):
    shares, real = {"main": 0.9, "aux": 0.46, "aux2": 0.44}, run.measure

    def measure(*arguments, **named):
        rows = real(*arguments, **named)
        return tuple({**row, "top1": shares[row["branch"]]} for row in rows)

    notes = []
    monkeypatch.setattr(run, "measure", measure)
    recipe = auxiliary_recipe(base, auxiliaries=("1/255", "2/255"))
    train(recipe, photos, tmp_path / "run", note=notes.append)
    (told,) = [note for note in notes if "too much" in note]
    assert told.startswith("aux2 is right on 44 % of the clean photos, main on 90 %")


def stop_at(step):
    def report(seen):
        if seen.finished_epoch and seen.step >= step:
            raise KeyboardInterrupt

    return report


def test_a_run_that_breaks_off_and_is_taken_up_ends_as_one_that_did_not(base, photos, tmp_path):
    recipe = auxiliary_recipe(base, max_steps=60)
    whole = start(recipe, photos, tmp_path / "whole")
    whole.all_epochs(lambda _: None)
    first = start(recipe, photos, tmp_path / "parted")
    with pytest.raises(KeyboardInterrupt):
        first.all_epochs(stop_at(40))
    second = start(recipe, photos, tmp_path / "parted")
    second.all_epochs(lambda _: None)
    assert second.best.state["aux"]["loss"] == whole.best.state["aux"]["loss"]
    assert second.best.state["aux"]["count"] == whole.best.state["aux"]["count"] == 10


def test_a_run_that_ends_in_no_numbers_before_it_had_a_best_is_refused(base, photos, tmp_path):
    recipe = auxiliary_recipe(base, learning_rate=1e30, max_steps=9, warmup_epochs=0.0)
    with pytest.raises(Diverged):
        train(recipe, photos, tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_branch_that_ends_in_no_numbers_is_put_back_and_told(base, photos, tmp_path, monkeypatch):
    real, notes = trainer.Trainer.step, []

    def break_after_a_window(self, batch, number):
        figures = real(self, batch, number)
        if number == 7:
            with torch.no_grad():
                for layer in norm_layers(self.model.branch("aux")).values():
                    layer.weight.fill_(torch.nan)
        return figures

    monkeypatch.setattr(trainer.Trainer, "step", break_after_a_window)
    monkeypatch.setattr(best, "WINDOW", 5)
    monkeypatch.setattr(meter, "_EVERY", 0)
    checkpoint = train(auxiliary_recipe(base, max_steps=20), photos, tmp_path, note=notes.append)
    kept_steps = read_info(checkpoint).recipe["kept_steps"]
    assert set(kept_steps) == {"aux"}
    assert any(f"aux is kept as it was after step {kept_steps['aux']}" in note for note in notes)


def test_numbered_albums_are_no_classes(base, make_info):
    """A network of 24 classes and albums 1, 2 and 3: right is what main says."""
    photos = numbered_photos(auxiliary_recipe(base), 6)
    albums = tuple((str(number), str(number)) for number in range(6))
    photos = replace(photos, val=replace(photos.val, classes=albums))
    ids = tuple(f"n{number}" for number in range(24))
    found = for_network(photos, open_model(base).model, make_info(class_ids=ids, class_names=ids))
    assert found.measured_on.endswith(AGREEMENT)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "there is no photo in"),
        (["a.png"], "batch_size is 4, but there are only 0 images to train with: give more photos"),
        (["a.png", "b.png", "c.png"], "only 2 images to train with: lower --batch-size"),
        (["train/a/b.png"], "only 0 images to train with"),
    ],
)
def test_too_few_photos(base, tmp_path, files, words):
    (folder := tmp_path / "few").mkdir()
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40)).save(folder / name)
    with pytest.raises(InputError, match=words):
        train(auxiliary_recipe(base), folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start_from": ""}, "auxiliary needs start_from"),
        ({"trainable": "norm"}, "leave trainable out"),
    ],
)
def test_refusals(changes, words):
    with pytest.raises(InputError, match=words):
        Recipe(**{"objective": "auxiliary", "start_from": "imagenet-lite0", **changes})
