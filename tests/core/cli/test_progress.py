"""What a person sees of a run: figures on a line, and a bar where there is a terminal."""

import math
from dataclasses import replace

import pytest

from advprop_core.cli.progress import TrainingBar, describe, in_parts
from advprop_core.training.meter import Report

REPORT = Report(
    epoch=2,
    epochs=3,
    step=15,
    steps=30,
    loss={"main/clean": 1.23456, "aux/adversarial": 2.5},
    accuracy={"main/clean": 0.4321, "aux/adversarial": 0.1},
    images_per_second=812.4,
    seconds_left=3725.4,
)
CLOSED = replace(REPORT, step=20, finished_epoch=True, holdout={"main": (0.5, 1.0)})
FIGURES = "main clean loss 1.235 accuracy 43.2 %, aux adversarial loss 2.500 accuracy 10.0 %"


def test_figures_on_one_line():
    assert describe(REPORT) == f"{FIGURES}, 812 images/s, 1:02:05 left"
    assert describe(CLOSED) == f"{FIGURES}, held out main 50.0 %, 812 images/s, 1:02:05 left"


def test_no_time_is_promised_before_the_speed_is_known():
    assert describe(replace(REPORT, seconds_left=math.inf)).endswith("images/s")


@pytest.fixture
def shown(capsys, monkeypatch):
    """(reports, in a terminal) to what the bar wrote, with `|` after each report."""

    def show(*reports, terminal):
        monkeypatch.setenv("COLUMNS", "200")
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        if terminal:
            monkeypatch.setenv("FORCE_COLOR", "1")
            monkeypatch.setenv("TERM", "xterm")
        with TrainingBar() as bar:
            for report in reports:
                bar.show(report)
                bar.refresh()
            steps = bar.tasks[0].completed, bar.tasks[0].total
        return capsys.readouterr().out, steps

    return show


def test_a_log_gets_one_line_for_each_epoch(shown):
    out, _ = shown(REPORT, CLOSED, replace(CLOSED, epoch=3), terminal=False)
    line = describe(CLOSED)
    assert out == f"epoch 2/3: {line}\nepoch 3/3: {line}\n"


def test_a_terminal_gets_a_bar_for_the_current_epoch(shown):
    out, steps = shown(REPORT, terminal=True)
    assert "epoch 2/3" in out
    assert FIGURES in out
    assert "━" in out
    assert "epoch 2/3:" not in out  # no line yet
    assert steps == (5, 10)


def test_an_epoch_that_closes_fills_its_bar_and_leaves_a_line(shown):
    out, steps = shown(REPORT, CLOSED, terminal=True)
    assert f"epoch 2/3: {describe(CLOSED)}\n" in out
    assert steps == (10, 10)


def test_parts_are_named_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    with in_parts(2) as begin:
        begin("Grad-CAM")(1, 2)
        second = begin("a [bracketed] name")
        second(3, 3)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a [bracketed] name" in captured.err
    assert "100%" in captured.err


def test_parts_say_nothing_in_a_log(capsys, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    with in_parts(1) as begin:
        begin("Grad-CAM")(1, 1)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
