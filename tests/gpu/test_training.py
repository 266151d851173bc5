"""Training on a GPU: what the CPU cannot show."""

import pytest
import torch
from accelerate.state import AcceleratorState
from torch import nn

from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import norm_layers
from advprop_core.training.calibrate import calibrate
from advprop_core.training.network import train_mode
from advprop_core.training.recipe import Attacker, Augmentation
from advprop_core.types import AttackConfig
from tests.core.training.tiny import WHOLE, numbered_photos, start, tiny_recipe


@pytest.fixture(autouse=True)
def _on_the_gpu(monkeypatch):
    """Accelerate remembers the device of the first run in a process."""
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def prepare(tmp_path):
    """From changes of the recipe to a run in training mode, and its first batch."""

    def make(**changes):
        recipe = tiny_recipe(batch_size=8, adversarial_share=0.5, **changes)
        run = start(recipe, numbered_photos(recipe, device="cuda"), tmp_path / "run")
        train_mode(run.model)
        return run, next(run.photos.source.epoch(0, 0, run.accelerator.device))

    return make


@pytest.mark.parametrize("objective", WHOLE)
def test_a_step_does_not_wait_for_the_device(prepare, objective):
    run, batch = prepare(
        objective=objective, ema_decay=0.9, augmentation=Augmentation(mixup=0.4, gaussian=0.1)
    )
    run.step(batch, 0)  # libraries are loaded and tuned in the first one
    torch.cuda.set_sync_debug_mode("error")
    try:
        parts = run.step(batch, 1)
        with pytest.raises(RuntimeError, match="synchroniz"):
            next(iter(parts.values())).loss.item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_random_goal_does_not_wait_either(prepare):
    run, batch = prepare(attack=Attacker(goal="random"))
    run.step(batch, 0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        run.step(batch, 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_half_precision_is_the_forward_passes_alone(prepare):
    run, batch = prepare(precision="auto")
    assert run.half
    seen, real = [], run.forward
    run.forward = lambda inputs: seen.append(real(inputs)) or seen[-1]
    parts = run.step(batch, 0)
    assert {logits.dtype for logits in seen[0].values()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
    assert all(part.loss.isfinite() for part in parts.values())


def test_synchronised_norm_layers_in_every_branch(prepare):
    run, batch = prepare(sync_bn=True)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    for name in run.model.branch_names:
        norms = norm_layers(run.model.branch(name)).values()
        assert norms
        assert all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    parts = run.step(batch, 0)
    assert all(part.loss.isfinite() for part in parts.values())
    after = run.model.state_dict()
    for key in ("bn1.running_mean", "bn1.aux_bn.0.running_mean", "bn1.weight"):
        assert not torch.equal(before[key], after[key]), key
    shared = [run.model.branch(n).network.layer1[0].conv1.weight for n in run.model.branch_names]
    assert shared[0] is shared[1]


def test_compiled_branches_train_alike(prepare):
    losses = []
    for compiled in (False, None):
        run, batch = prepare(compile=compiled, precision="float32")
        losses.append({name: part.loss.item() for name, part in run.step(batch, 0).items()})
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_calibrating_gives_the_cpus_statistics(make_dual, make_info):
    checkpoint = Checkpoint(make_dual(auxiliaries=0), make_info(branches={"main": "trained"}))
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, 3, 64, 64), dtype=torch.uint8, generator=generator)
    attack = AttackConfig.pgd(8 / 255, steps=2, random_start=False)
    own, other = (
        calibrate(checkpoint, images, torch.arange(16) % 6, attack, device=torch.device(device))
        for device in ("cpu", "cuda")
    )
    for key, value in own.model.state_dict().items():
        found = other.model.state_dict()[key]
        assert found.device.type == "cpu"
        torch.testing.assert_close(found, value, rtol=0.05, atol=0.02, msg=key)
