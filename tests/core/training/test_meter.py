"""The figures of a run: what is summed, written, reported, and when the device is waited for."""

import json
import math
from pathlib import Path

import pytest
import torch

from advprop_core.files import CannotWrite
from advprop_core.training import meter
from advprop_core.training.batch import Figures
from advprop_core.training.meter import Diverged, Meter
from advprop_core.training.state import Progress
from tests.core.training.tiny import tiny_recipe

STEPS = 3
FIGURES = [  # of main/clean and aux/adversarial: loss and hits
    ((2.0, 0.25), (4.0, 0.0)),
    ((1.0, 0.5), (3.0, 0.25)),
    ((0.5, 1.0), (2.0, 0.5)),
]
NAMES = ("main/clean", "aux/adversarial")


def parts(step):
    values = (Figures(torch.tensor(loss), torch.tensor(hits)) for loss, hits in FIGURES[step])
    return dict(zip(NAMES, values, strict=True))


@pytest.fixture
def make(tmp_path):
    """(progress, tracker) to a meter that writes to tmp_path."""

    def build(progress=None, tracker=None, path=tmp_path / "metrics.jsonl"):
        return Meter(path, tiny_recipe(), STEPS, progress or Progress(0, {}), tracker)

    return build


@pytest.fixture
def reads(monkeypatch):
    """Counts the times that values are fetched from the device."""
    counted = []
    for name in ("tolist", "item", "__float__", "__bool__", "__int__"):
        real = getattr(torch.Tensor, name)

        def counting(self, _real=real, _name=name):
            counted.append(_name)
            return _real(self)

        monkeypatch.setattr(torch.Tensor, name, counting)
    return counted


def rows(tmp_path):
    return [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]


def test_a_line_for_each_step_and_one_for_the_epoch(make, tmp_path):
    one = make()
    for step in range(STEPS):
        one.add(0.1 * (step + 1), parts(step))
    report = one.close_epoch({"main": (0.75, 1.25)})
    one.close()
    *steps, epoch = rows(tmp_path)
    for step, row in enumerate(steps):
        assert row == {
            "kind": "step",
            "step": step + 1,
            "learning_rate": 0.1 * (step + 1),
            "loss": {name: FIGURES[step][i][0] for i, name in enumerate(NAMES)},
            "accuracy": {name: FIGURES[step][i][1] for i, name in enumerate(NAMES)},
        }
    loss = {"main/clean": 3.5 / 3, "aux/adversarial": 3.0}
    accuracy = {"main/clean": 1.75 / 3, "aux/adversarial": 0.25}
    assert epoch == {
        "kind": "epoch",
        "step": 3,
        "epoch": 1,
        "holdout": {"main": [0.75, 1.25]},
        "loss": loss,
        "accuracy": accuracy,
    }
    assert (report.loss, report.accuracy) == (loss, accuracy)
    assert (report.epoch, report.epochs, report.step, report.steps) == (1, 2, 3, 6)
    assert report.finished_epoch
    assert report.holdout == {"main": (0.75, 1.25)}


def test_an_epoch_starts_from_nothing(make):
    one = make()
    for step in range(STEPS):
        one.add(0.1, parts(step))
    one.close_epoch(None)
    for _ in range(STEPS):
        one.add(0.1, parts(2))
    report = one.close_epoch(None)
    assert report.loss == {"main/clean": 0.5, "aux/adversarial": 2.0}
    assert report.epoch == 2


def test_a_resumed_epoch_counts_all_its_steps(make):
    progress = Progress(1, {name: [*FIGURES[0][i], 1] for i, name in enumerate(NAMES)})
    one = make(progress)
    for step in (1, 2):
        one.add(0.1, parts(step))
    report = one.close_epoch(None)
    assert report.loss["main/clean"] == pytest.approx(3.5 / 3)
    assert report.step == 3
    assert progress.sums == {}


def test_the_tracker_gets_the_figures_of_each_line(make):
    seen = []
    one = make(tracker=lambda figures, step: seen.append((step, figures)))
    for step in range(STEPS):
        one.add(0.1, parts(step))
    one.close_epoch({"main": (0.75, 1.25)})
    assert [step for step, _ in seen] == [1, 2, 3, 3]
    assert seen[0][1]["step/learning_rate"] == 0.1
    assert seen[-1][1]["epoch/holdout/accuracy/main"] == 0.75
    assert seen[-1][1]["epoch/holdout/loss/main"] == 1.25
    assert (
        seen[0][1].items()
        >= {
            "step/loss/main/clean": 2.0,
            "step/loss/aux/adversarial": 4.0,
            "step/accuracy/main/clean": 0.25,
            "step/accuracy/aux/adversarial": 0.0,
        }.items()
    )
    assert seen[-1][1]["epoch/loss/aux/adversarial"] == 3.0
    assert seen[-1][1]["epoch/accuracy/aux/adversarial"] == 0.25


def test_the_device_is_waited_for_once_an_epoch_when_time_stands_still(make, reads, monkeypatch):
    monkeypatch.setattr(meter, "_EVERY", math.inf)
    one = make()
    for step in range(STEPS):
        assert one.add(0.1, parts(step)) is None
    assert reads == []
    one.close_epoch(None)
    assert len(reads) == 1


def test_reports_come_when_their_time_has_come(make, monkeypatch, tmp_path):
    now = [100.0]
    monkeypatch.setattr(meter.time, "perf_counter", lambda: now[0])
    one = make()
    now[0] += 0.25
    assert one.add(0.1, parts(0)) is None
    assert not rows(tmp_path)
    now[0] += 0.25
    report = one.add(0.1, parts(1))
    assert report.images_per_second == 2 * 4 / 0.5
    assert report.seconds_left == 4 * 4 / 16
    assert report.loss["main/clean"] == 1.5
    assert not report.finished_epoch
    assert len(rows(tmp_path)) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number(make, tmp_path, value):
    one = make(Progress(3, {}))
    one.add(0.1, parts(0))
    one.add(0.3, parts(1) | {"aux/adversarial": Figures(torch.tensor(value), torch.tensor(0.0))})
    message = rf"loss of aux/adversarial is {value} in step 5 \(epoch 2\) at learning rate 0.3"
    with pytest.raises(Diverged, match=message):
        one.close_epoch(None)
    one.close()
    assert [row["step"] for row in rows(tmp_path)] == [4]


def test_a_process_that_does_not_write_sees_the_same(make, tmp_path):
    one = make(path=None)
    for step in range(STEPS):
        one.add(0.1, parts(step))
    assert one.close_epoch(None).loss["aux/adversarial"] == 3.0
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs Linux's /dev/full")
def test_a_log_on_a_full_disk_says_so_once(make):
    one = make(path=Path("/dev/full"))
    one.add(0.1, parts(0))
    with pytest.raises(CannotWrite, match="/dev/full could not be written"):
        one.close_epoch(None)
    one.close()
