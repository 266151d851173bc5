"""An auxiliary branch for a network with one set of norm layers."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack
from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import norm_layers
from advprop_core.training.calibrate import calibrate
from advprop_core.types import AttackConfig, ModelInfo

CONFIG = AttackConfig.fgsm(8 / 255)
NAMES = tuple("abcd")


@pytest.fixture
def checkpoint(randomise):
    halves = (0.5, 0.5, 0.5)
    info = ModelInfo("test_resnet", NAMES, NAMES, 32, halves, halves, {"main": "trained"})
    torch.manual_seed(0)
    model = timm_networks.create(info)
    randomise(model)
    return Checkpoint(model.freeze(), info)


@pytest.fixture
def photos():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return images, torch.arange(12) % 4


def test_statistics_are_those_of_adversarial_images(checkpoint, photos):
    images, labels = photos
    done = calibrate(checkpoint, images, labels, CONFIG, batch_size=12)
    main = checkpoint.model.branch("main")
    moved = attack(main, images.float() / 255, labels, CONFIG)
    first = main.network.conv1[0](main.normalize(moved))
    norm = next(iter(norm_layers(done.model.branch("aux")).values()))
    torch.testing.assert_close(norm.running_mean, first.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var, first.var((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_batches_are_averaged_with_equal_weight(checkpoint, photos):
    images, labels = photos
    still = AttackConfig.fgsm(0.0)
    done = calibrate(checkpoint, images, labels, still, batch_size=6)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    main = checkpoint.model.branch("main")
    first = main.network.conv1[0](main.normalize(images[order].float() / 255))
    norm = next(iter(norm_layers(done.model.branch("aux")).values()))
    halves = [part.var((0, 2, 3)) for part in first.split(6)]
    torch.testing.assert_close(norm.running_var, (halves[0] + halves[1]) / 2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("affine_epochs", [0, 2])
def test_nothing_else_is_touched(checkpoint, photos, affine_epochs):
    before = {key: value.clone() for key, value in checkpoint.model.state_dict().items()}
    done = calibrate(checkpoint, *photos, CONFIG, affine_epochs=affine_epochs, batch_size=6)
    after = done.model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert all(torch.equal(v, checkpoint.model.state_dict()[k]) for k, v in before.items())
    moved = {key for key, value in after.items() if key not in before}
    assert moved == {key for key in after if ".aux_bn." in key}
    scale = {key for key in moved if key.endswith(".weight")}
    same = {k for k in scale if torch.equal(after[k], before[k.replace(".aux_bn.0", "")])}
    assert same == (scale if affine_epochs == 0 else set())


def test_training_scale_and_shift_lowers_the_loss_under_attack(checkpoint, photos):
    images, labels = photos
    losses = []
    for epochs in (0, 8):
        done = calibrate(checkpoint, images, labels, CONFIG, affine_epochs=epochs, batch_size=12)
        aux = done.model.branch("aux")
        moved = attack(aux, images.float() / 255, labels, CONFIG)
        losses.append(F.cross_entropy(aux(moved), labels).item())
    assert losses[1] < losses[0]


def test_the_result_says_what_it_is_and_is_frozen(checkpoint, photos):
    done = calibrate(checkpoint, *photos, CONFIG, batch_size=12)
    assert dict(done.info.branches) == {"main": "trained", "aux": "calibrated"}
    assert done.info.recipe["calibration"]["attack"]["epsilon"] == 8 / 255
    assert done.info.recipe["calibration"]["images"] == 12
    assert not any(part.training for part in done.model.modules())
    assert not any(p.requires_grad for p in done.model.parameters())
    momenta = {norm.momentum for norm in norm_layers(done.model.branch("aux")).values()}
    assert momenta == {norm.momentum for norm in norm_layers(checkpoint.model).values()}


def test_the_seed_decides_and_the_global_generator_does_not(checkpoint, photos):
    def calibrated(seed):
        config = AttackConfig.pgd(8 / 255, steps=1, seed=seed)
        return calibrate(checkpoint, *photos, config, batch_size=6).model.state_dict()

    torch.manual_seed(1)
    one = calibrated(0)
    torch.manual_seed(2)
    again, other = calibrated(0), calibrated(5)
    assert all(torch.equal(value, again[key]) for key, value in one.items())
    assert not all(torch.equal(value, other[key]) for key, value in one.items())


def test_progress_reaches_the_whole(checkpoint, photos):
    seen = []
    note = lambda done, total: seen.append((done, total))  # noqa: E731
    calibrate(checkpoint, *photos, CONFIG, affine_epochs=1, batch_size=8, progress=note)
    assert seen == [(8, 24), (12, 24), (20, 24), (24, 24)]


def test_a_trained_branch_is_not_lost(checkpoint, photos):
    calibrated = calibrate(checkpoint, *photos, CONFIG, batch_size=12)
    again = calibrate(calibrated, *photos, CONFIG, batch_size=12)
    assert list(again.info.branches) == ["main", "aux"]
    trained = replace(calibrated.info, branches={"main": "trained", "aux": "trained"})
    with pytest.raises(ValueError, match="trained auxiliary branch"):
        calibrate(Checkpoint(calibrated.model, trained), *photos, CONFIG)


def test_calibrating_again_starts_from_main_again(checkpoint, photos):
    moved = calibrate(checkpoint, *photos, CONFIG, affine_epochs=2, batch_size=12)
    again = calibrate(moved, *photos, CONFIG, batch_size=12)
    once = calibrate(checkpoint, *photos, CONFIG, batch_size=12)
    first, second = once.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_epochs_below_none(checkpoint, photos):
    with pytest.raises(ValueError, match="affine_epochs must be at least 0, got -1"):
        calibrate(checkpoint, *photos, CONFIG, affine_epochs=-1)


def test_one_image_is_too_few(checkpoint, photos):
    images, labels = photos
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        calibrate(checkpoint, images[:1], labels[:1], CONFIG)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, got nan"),
        ({"learning_rate": 1e30}, "of aux is not finite: lower the learning rate"),
        ({"batch_size": 1}, "batch_size must be at least 2, got 1"),
    ],
)
def test_what_cannot_come_to_anything(checkpoint, photos, options, message):
    with pytest.raises(ValueError, match=message):
        calibrate(checkpoint, *photos, CONFIG, affine_epochs=3, **options)
