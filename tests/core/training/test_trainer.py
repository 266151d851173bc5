"""What changes while a run goes, and what goes wrong in it."""

import json
import math
from dataclasses import replace
from itertools import count

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from advprop_core.datasets.listed import Images
from advprop_core.training import meter, run, trainer
from advprop_core.training.batch import Figures, Outcome
from advprop_core.training.data import load_data
from advprop_core.training.measure import quick_look
from advprop_core.training.memory import OutOfMemory
from advprop_core.training.meter import Diverged
from advprop_core.training.network import train_mode
from advprop_core.training.recipe import Attacker, Augmentation
from advprop_core.training.run import train
from tests.core.training.tiny import WHOLE, attacker, start, tiny_recipe

CPU = torch.device("cpu")


def state_of(out):
    return torch.load(out / "state.pt", weights_only=True)


def rows_of(out, kind):
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


@pytest.fixture
def spoil(monkeypatch):
    """(first step, change) sends every loss from that step on through the change."""

    def spoil_from(first, change):
        real, calls = trainer.make_plan, count()

        def make_plan(*args, **options):
            plan = real(*args, **options)

            def step(forward, batch):
                spoilt = next(calls) >= first
                for one in plan.step(forward, batch):
                    if not spoilt:
                        yield one
                        continue
                    parts = {k: Figures(change(p.loss), p.hits) for k, p in one.figures.items()}
                    yield Outcome(change(one.loss), parts)

            return replace(plan, step=step)

        monkeypatch.setattr(trainer, "make_plan", make_plan)

    return spoil_from


# -- steps --------------------------------------------------------------------------------------


def test_every_step_draws_anew_and_the_attack_warms_up(photos, tmp_path, monkeypatch):
    seen, real = [], trainer.make_plan

    def make_plan(*args, **options):
        plan = real(*args, **options)
        return replace(plan, step=lambda f, batch: seen.append(batch) or plan.step(f, batch))

    monkeypatch.setattr(trainer, "make_plan", make_plan)
    recipe = tiny_recipe(attack=Attacker(warmup_epochs=1))
    train(recipe, str(photos), tmp_path / "run", name="x")
    assert [batch.strength for batch in seen] == [1 / 3, 2 / 3, 1, 1, 1, 1]
    assert len({batch.seed for batch in seen}) == 6
    assert len({float(batch.pixels.sum()) for batch in seen}) == 6


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("cosine", [0.05, 0.025, 0.05 * (1 + math.cos(math.pi * 5 / 6))]),
        ("step", [0.05, 0.05, 0.05]),
        ("constant", [0.1, 0.1, 0.1]),
    ],
)
def test_the_learning_rate_of_every_step(photos, tmp_path, schedule, rates):
    recipe = tiny_recipe(
        objective="vanilla",
        schedule=schedule,
        warmup_epochs=1,
        decay_epochs=1,
        decay_rate=0.5,
    )
    train(recipe, str(photos), tmp_path / "run", name="x")
    rows = rows_of(tmp_path / "run", "step")
    warmup = [0.001, 0.034, 0.067]
    assert [row["learning_rate"] for row in rows] == pytest.approx([*warmup, *rates])


class NoReads(TorchDispatchMode):
    """Fails where a value is fetched from the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("objective", WHOLE)
def test_a_step_waits_for_nothing(photos, tmp_path, monkeypatch, objective):
    mixing = Augmentation(mixup=0.4, gaussian=0.1)
    goal = "random" if objective == "advprop" else "untargeted"
    recipe = tiny_recipe(
        objective=objective,
        ema_decay=0.9,
        augmentation=mixing,
        attack=attacker(objective, goal=goal),
        adversarial_share=0.5,
    )
    one = start(recipe, photos, tmp_path / "run")
    train_mode(one.model)
    batch = next(one.photos.source.epoch(0, 0, CPU))
    monkeypatch.setattr(torch.Tensor, "tolist", lambda _: pytest.fail("tolist waits"))
    with NoReads():
        parts = one.step(batch, 0)
    with pytest.raises(AssertionError), NoReads():
        next(iter(parts.values())).loss.item()


@pytest.mark.parametrize("objective", WHOLE)
def test_the_head_alone_is_trained(photos, tmp_path, objective):
    recipe = tiny_recipe(
        objective=objective,
        attack=attacker(objective),
        adversarial_share=0.5,
        trainable="head",
        warmup_epochs=0,
    )
    one = start(recipe, photos, tmp_path / "run")
    train_mode(one.model)
    before = {name: value.clone() for name, value in one.model.named_parameters()}
    one.schedule.step_update(0)
    one.step(next(one.photos.source.epoch(0, 0, CPU)), 0)
    moved = {n for n, value in one.model.named_parameters() if not torch.equal(value, before[n])}
    head = {n for n, value in one.model.named_parameters() if value.requires_grad}
    assert moved == head
    assert 0 < len(head) < len(before)


def test_the_figures_are_fetched_once_an_epoch_when_time_stands_still(
    photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(meter, "_EVERY", math.inf)
    fetches, real = [], meter.Meter._fetch
    monkeypatch.setattr(meter.Meter, "_fetch", lambda self: fetches.append(1) or real(self))
    reports = []
    recipe = tiny_recipe(objective="vanilla")
    train(recipe, str(photos), tmp_path / "run", name="x", report=reports.append)
    assert len(fetches) == 2
    assert [report.step for report in reports] == [3, 6]


@pytest.mark.parametrize(("precision", "half"), [("bfloat16", True), ("auto", False)])
def test_precision(photos, tmp_path, precision, half):
    """Half precision is the forward pass's: weights and their gradients stay as they are."""
    one = start(tiny_recipe(precision=precision), photos, tmp_path / "run")
    train_mode(one.model)
    seen, real = [], one.forward
    one.forward = lambda inputs: seen.append(real(inputs)) or seen[-1]
    one.step(next(one.photos.source.epoch(0, 0, CPU)), 0)
    wanted = torch.bfloat16 if half else torch.float32
    assert {logits.dtype for logits in seen[0].values()} == {wanted}
    assert {parameter.dtype for parameter in one.model.parameters()} == {torch.float32}


def test_compiled_branches_train_alike(photos, tmp_path, monkeypatch):
    backends, real = [], torch.compile

    def compile_eagerly(*args, **options):
        backends.append(1)
        return real(*args, **options, backend="eager")

    monkeypatch.setattr(torch, "compile", compile_eagerly)
    for compiled in (False, True):
        recipe = tiny_recipe(epochs=1, compile=compiled, ema_decay=0.5)
        train(recipe, str(photos), tmp_path / str(compiled), name="x")
        assert len(backends) == (3 if compiled else 0)  # both branches, and what attacks one
    plain, fast = (rows_of(tmp_path / name, "step") for name in ("False", "True"))
    assert len(plain) == 3
    for one, other in zip(plain, fast, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_an_optimizers_denominator(photos, tmp_path):
    recipe = tiny_recipe(optimizer="rmsproptf", optimizer_eps=1e-3)
    trained = start(recipe, photos, tmp_path / "run")
    assert {group["eps"] for group in trained.optimizer.param_groups} == {1e-3}


def test_an_optimizer_that_timm_does_not_have(photos, tmp_path):
    with pytest.raises(ValueError, match="optimizer 'magic' cannot be made"):
        start(tiny_recipe(optimizer="magic"), photos, tmp_path / "run")
    with pytest.raises(ValueError, match="'adahessian' cannot be made: it needs second deriv"):
        start(tiny_recipe(optimizer="adahessian"), photos, tmp_path / "run")


# -- averages and the hold-out ------------------------------------------------------------------


def test_what_is_saved_is_the_average_with_each_tensor_averaged_once(photos, tmp_path, monkeypatch):
    """The warm-up's decays are 0, 1 − 2^(−2/3) ≈ 0.37 and more, capped by the recipe's 0.25."""
    weights, real = [], trainer.Trainer.step

    def step(self, batch, number):
        parts = real(self, batch, number)
        values = self.model.state_dict().items()
        weights.append({k: v.clone() for k, v in values if v.is_floating_point()})
        return parts

    monkeypatch.setattr(trainer.Trainer, "step", step)
    recipe = tiny_recipe(epochs=1, ema_decay=0.25, warmup_epochs=0)
    train(recipe, str(photos), tmp_path / "run", name="x")
    saved = state_of(tmp_path / "run")
    first, second, third = weights
    assert "layer1.0.conv1.weight" in first  # shared by both branches
    for key, last in third.items():
        expected = 0.0625 * first[key] + 0.1875 * second[key] + 0.75 * last
        torch.testing.assert_close(saved["ema"][key], expected, rtol=1e-5, atol=1e-6, msg=key)
        assert torch.equal(saved["model"][key], last)
    from advprop_core.models import checkpoints

    file = checkpoints.load(tmp_path / "run" / "model.safetensors").model.state_dict()
    assert torch.equal(file["bn1.running_mean"], saved["ema"]["bn1.running_mean"])
    assert torch.equal(file["fc.weight"], saved["ema"]["fc.weight"].half().float())
    assert not torch.equal(file["fc.weight"], saved["model"]["fc.weight"].half().float())


@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_the_hold_out_is_measured_every_epoch(photos, tmp_path, ema_decay):
    reports = []
    recipe = tiny_recipe(holdout=0.25, ema_decay=ema_decay, batch_size=3)
    train(recipe, str(photos), tmp_path / "run", name="x", report=reports.append)
    data = load_data(str(photos), recipe, CPU)
    held = data.holdout
    assert len(held.labels) + len(data.source) == 12
    assert 1 <= len(held.labels) <= 6
    saved = state_of(tmp_path / "run")
    model = start(recipe, photos, tmp_path / "other").model
    model.load_state_dict(saved["ema" if ema_decay else "model"])
    closed = [report for report in reports if report.finished_epoch]
    rows = rows_of(tmp_path / "run", "epoch")
    assert len(closed) == len(rows) == 2
    assert set(rows[0]["holdout"]) == {"main", "aux"}
    for name in ("main", "aux"):
        with torch.no_grad():
            logits = model.branch(name).eval()(held.pixels.float() / 255)
        right = (logits.argmax(1) == held.labels).float().mean().item()
        loss = F.cross_entropy(logits, held.labels).item()
        assert closed[1].holdout[name] == pytest.approx((right, loss), rel=1e-5)
        assert rows[1]["holdout"][name] == list(closed[1].holdout[name])


def test_a_quick_look_moves_nothing(photos, tmp_path, pixels):
    """And counts every image once, also in a last, smaller batch."""
    model = start(tiny_recipe(trainable="last:1"), photos, tmp_path / "run").model
    train_mode(model)
    modes = [part.training for part in model.modules()]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    images = (pixels(260) * 255).byte()
    labels = torch.arange(260) % 2
    looked = quick_look(model, Images(images, labels, ()), CPU)
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    for name in ("main", "aux"):
        with torch.no_grad():
            logits = model.branch(name)(images.float() / 255)
        loss = F.cross_entropy(logits, labels).item()
        right = (logits.argmax(1) == labels).float().mean().item()
        assert looked[name] == pytest.approx((right, loss), rel=1e-4)


# -- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_state(photos, tmp_path, spoil, value):
    out = tmp_path / "run"
    spoil(4, lambda loss: loss * value)
    with pytest.raises(Diverged, match=rf"is {value} in step 5 \(epoch 2\).*lower it or warm up"):
        train(tiny_recipe(), str(photos), out, name="x")
    state = state_of(out)
    assert state["progress"]["step"] == 3
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    assert [row["step"] for row in rows_of(out, "step")] == [1, 2, 3, 4]
    assert not (out / "model.safetensors").exists()


def test_a_learning_rate_that_is_far_too_high(photos, tmp_path):
    recipe = tiny_recipe(learning_rate=1e25, warmup_epochs=0, schedule="constant")
    with pytest.raises(Diverged, match=r"step [23] \(epoch 1\) at learning rate 1e\+25"):
        train(recipe, str(photos), tmp_path / "run", name="x")
    assert not (tmp_path / "run" / "state.pt").exists()


def test_weights_spoilt_by_an_epochs_last_step_are_not_saved(photos, tmp_path, monkeypatch):
    """No loss has been measured on them yet."""
    real = trainer.Trainer.step

    def step(self, batch, number):
        parts = real(self, batch, number)
        if number == 5:
            with torch.no_grad():
                self.model.branch("aux").network.get_classifier().weight[0, 0] = torch.inf
        return parts

    monkeypatch.setattr(trainer.Trainer, "step", step)
    with pytest.raises(Diverged, match="fc.weight is not finite after step 6"):
        train(tiny_recipe(), str(photos), tmp_path / "run", name="x")
    assert state_of(tmp_path / "run")["progress"]["step"] == 3


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
        MemoryError(),
    ],
    ids=["gpu", "cpu", "driver", "cublas", "worker", "python"],
)
def test_a_step_that_does_not_fit(photos, tmp_path, spoil, error):
    def fail(_):
        raise error

    spoil(0, fail)
    message = "batch size 4 at 32 pixels does not fit into memory: lower --batch-size .* or --size"
    with pytest.raises(OutOfMemory, match=message) as caught:
        train(tiny_recipe(), str(photos), tmp_path / "run", name="x")
    assert caught.value.__cause__ is error


def test_memory_that_torch_really_cannot_give(photos, tmp_path, spoil):
    spoil(0, lambda _: torch.empty(2**50))
    with pytest.raises(OutOfMemory, match="batch size 4 at 32 pixels does not fit"):
        train(tiny_recipe(), str(photos), tmp_path / "run", name="x")


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("load_data", "the photos do not fit into memory at 32 pixels: lower --size"),
        ("measure", "batch size 4 at 32 pixels does not fit"),
    ],
)
def test_photos_or_a_measuring_that_does_not_fit(photos, tmp_path, monkeypatch, part, what):
    def fail(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(run, part, fail)
    with pytest.raises(OutOfMemory, match=what):
        train(tiny_recipe(), str(photos), tmp_path / "run", name="x")


def test_another_error_is_none_of_memory(photos, tmp_path, spoil):
    def fail(_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    spoil(0, fail)
    with pytest.raises(RuntimeError, match="^mat1 and mat2") as caught:
        train(tiny_recipe(), str(photos), tmp_path / "run", name="x")
    assert type(caught.value) is RuntimeError
