"""Runs that are killed: what is lost is done again, and nothing else changes."""

import json
import random
import signal
from pathlib import Path

import pytest
import torch

from advprop_core.errors import InputError
from advprop_core.models import checkpoints, timm_networks
from advprop_core.training import meter, trainer
from advprop_core.training.recipe import Attacker, Augmentation
from advprop_core.training.run import train
from tests.core.training.children import exit_codes, train_and_die
from tests.core.training.tiny import tiny_recipe

KILLED = [-signal.SIGKILL]
STEPS = 12
# Everything that draws or remembers: crops, noise, colours, mixing, the attack, an average.
RECIPE = tiny_recipe(
    epochs=STEPS // 3,
    attack=Attacker(epsilon=4 / 255, warmup_epochs=2),
    augmentation=Augmentation(gaussian=0.2, color_jitter=0.2, mixup=0.4, cutmix=0.5),
    ema_decay=0.5,
)


@pytest.fixture(scope="module")
def source(tmp_path_factory, make_info) -> Path:
    """A network with dropout, which draws from the global generator."""
    path = tmp_path_factory.mktemp("source") / "source.safetensors"
    info = make_info(arguments={"drop_rate": 0.5})
    torch.manual_seed(0)
    checkpoints.save(path, timm_networks.create(info), info)
    return path


def recipes(source: Path) -> dict:
    return {
        "advprop": RECIPE,
        "fast-advprop": tiny_recipe(
            objective="fast-advprop",
            adversarial_share=0.5,
            epochs=RECIPE.epochs,
            augmentation=RECIPE.augmentation,
            start_from=str(source),
            optimizer="adamw",
            learning_rate=1e-3,
        ),
    }


@pytest.fixture(scope="module")
def whole(photos, source, tmp_path_factory):
    """Runs without a break."""
    root = tmp_path_factory.mktemp("whole")
    made = recipes(source)
    for name, recipe in made.items():
        assert exit_codes(train_and_die, (recipe, photos, root / name)) == [0]
    return root, made


def assert_same_run(one: Path, other: Path) -> None:
    """Bit for bit: weights, averages, momenta, the log, and the file that comes out."""
    assert (one / "metrics.jsonl").read_text() == (other / "metrics.jsonl").read_text()
    states = [torch.load(out / "state.pt", weights_only=True) for out in (one, other)]
    assert states[0].pop("identity") == states[1].pop("identity")
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["advprop", "fast-advprop"])
def test_ten_kills_change_nothing(whole, photos, tmp_path, name):
    root, made = whole
    recipe, out, draw = made[name], tmp_path / name, random.Random(name)
    for number, step in enumerate(sorted(draw.sample(range(STEPS), 10))):
        often = number % 2 == 1
        assert exit_codes(train_and_die, (recipe, photos, out, "step", step, often)) == KILLED
    assert not (out / "model.safetensors").exists()
    assert exit_codes(train_and_die, (recipe, photos, out)) == [0]
    assert_same_run(root / name, out)


def test_kills_before_the_rename_leave_the_state_before(whole, photos, tmp_path):
    root, made = whole
    out, recipe = tmp_path / "run", made["advprop"]
    for number, often, step in ((1, False, None), (2, False, 3), (3, True, 5)):
        job = (recipe, photos, out, "rename", number, often)
        assert exit_codes(train_and_die, job) == KILLED
        assert list(out.glob(".*.tmp"))
        assert step_of(out) == step
    assert exit_codes(train_and_die, (recipe, photos, out)) == [0]
    assert not list(out.glob(".*.tmp"))
    assert_same_run(root / "advprop", out)


def test_a_kill_between_the_steps_of_an_epoch_and_its_end(whole, photos, tmp_path):
    """The epoch's own line is still written, and holds that epoch's figures."""
    root, made = whole
    job = (made["advprop"], photos, tmp_path / "run", "epoch", 2, True)
    assert exit_codes(train_and_die, job) == KILLED
    assert exit_codes(train_and_die, job[:3]) == [0]
    assert_same_run(root / "advprop", tmp_path / "run")


def step_of(out: Path) -> int | None:
    if not (out / "state.pt").exists():
        return None
    return torch.load(out / "state.pt", weights_only=True)["progress"]["step"]


def test_photos_from_worker_processes_resume_too(photos, tmp_path, monkeypatch):
    """In the middle of an epoch, with draws that depend on neither the worker nor the break."""

    def stop(report):
        if report.step == 5:
            raise KeyboardInterrupt

    recipe = tiny_recipe(
        objective="vanilla", augmentation=Augmentation(randaugment="rand-m9", mixup=0.4)
    )
    train(recipe, str(photos), tmp_path / "whole", name="tiny")
    monkeypatch.setattr(trainer, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(meter, "_EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, str(photos), tmp_path / "run", name="tiny", report=stop)
    assert step_of(tmp_path / "run") == 4
    train(recipe, str(photos), tmp_path / "run", name="tiny", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


# -- what cannot be resumed ----------------------------------------------------------------------


@pytest.fixture
def stopped(photos, tmp_path):
    """A run of two epochs that was stopped after the first, and its recipe."""
    recipe, out = tiny_recipe(objective="vanilla"), tmp_path / "run"

    def stop(report):
        if report.finished_epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, str(photos), out, name="tiny", report=stop)
    return recipe, out


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, r"another recipe: seed 1 \(it had 0\)"),
        ({"epochs": 3, "learning_rate": 0.2}, r"epochs 3 \(it had 2\), learning_rate 0.2"),
        ({"attack": Attacker(steps=3)}, "another recipe: attack "),
    ],
)
def test_another_recipe_is_refused(stopped, photos, changes, message):
    _, out = stopped
    before = content(out)
    with pytest.raises(ValueError, match=message):
        train(tiny_recipe(objective="vanilla", **changes), str(photos), out, name="x", resume=True)
    assert content(out) == before


def test_other_photos_are_refused(stopped, photos, tmp_path):
    recipe, out = stopped
    other = tmp_path / photos.name
    for split in ("train", "val"):
        for name in ("cats", "dogs"):
            (other / split / name).mkdir(parents=True)
            for index, file in enumerate(sorted((photos / split / name).iterdir())):
                (other / split / name / f"other-{index}.png").symlink_to(file)
    before = content(out)
    with pytest.raises(ValueError, match=f"other data: it was trained on {photos.name} with other"):
        train(recipe, str(other), out, name="x", resume=True)
    assert content(out) == before


def test_the_same_photos_at_another_place_are_welcome(stopped, photos, tmp_path):
    recipe, out = stopped
    (tmp_path / "moved").mkdir()
    moved = tmp_path / "moved" / photos.name
    moved.symlink_to(photos)
    assert train(recipe, str(moved), out, name="x", resume=True).exists()


def test_a_run_is_not_overwritten_without_resume(stopped, photos):
    recipe, out = stopped
    before = content(out)
    with pytest.raises(InputError, match="holds a run already: use --resume"):
        train(recipe, str(photos), out, name="x")
    assert content(out) == before


@pytest.mark.parametrize("resume", [True, False])
def test_a_model_without_its_state_is_not_written_over(photos, tmp_path, resume):
    (tmp_path / "model.safetensors").write_bytes(b"of great value")
    with pytest.raises(InputError, match=r"a trained model, but no state\.pt to go on from"):
        train(tiny_recipe(), str(photos), tmp_path, name="x", resume=resume)
    assert content(tmp_path) == {"model.safetensors": b"of great value"}


def test_a_finished_run_resumes_to_the_same(stopped, photos):
    recipe, out = stopped
    train(recipe, str(photos), out, name="x", resume=True)
    before = content(out)
    train(recipe, str(photos), out, name="x", resume=True)
    assert content(out) == before
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 3, 4, 5, 6, 6]
