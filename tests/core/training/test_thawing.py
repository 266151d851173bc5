"""Progressive unfreezing: a plateau of the loss thaws one more stage."""

from dataclasses import replace

import torch

from advprop_core.training.meter import Report
from tests.core.training.tiny import start, tiny_recipe

CLOSED = Report(1, 9, 3, 27, {}, {}, 1.0, 1.0, finished_epoch=True)
THAWING = tiny_recipe(trainable="head", unfreeze_patience=2, epochs=9, warmup_epochs=0)


def trained_parts(run):
    network = run.model.branch("aux").network
    return {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad}


def close(run, *losses):
    for loss in losses:
        run._thaw(replace(CLOSED, loss={"main/clean": loss - 1, "aux/adversarial": 1.0}))


def test_a_plateau_thaws_one_more_stage_from_the_last(photos, tmp_path):
    run = start(THAWING, photos, tmp_path / "run")
    close(run, 3.0, 2.0, 2.0, 1.9, 2.0)
    assert trained_parts(run) == {"fc"}
    close(run, 1.9)  # the second epoch that is not below 1.9
    assert trained_parts(run) == {"layer4", "fc"}
    close(run, 8.0, 7.0, 7.0)  # a stage more starts its own count
    assert trained_parts(run) == {"layer4", "fc"}
    close(run, 7.0)
    assert trained_parts(run) == {"layer3", "layer4", "fc"}


def test_what_is_thawed_is_trained_from_the_next_epoch_on(photos, tmp_path):
    run = start(THAWING, photos, tmp_path / "run")
    close(run, 1.0, 1.0, 1.0)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    run.recipe = replace(THAWING, epochs=1)
    run.all_epochs(lambda _: None)
    after = run.model.state_dict()
    moved = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert moved == {"layer4", "fc"}
    assert not torch.equal(before["layer4.0.bn1.running_mean"], after["layer4.0.bn1.running_mean"])


def test_the_hold_out_decides_where_there_is_one(photos, tmp_path):
    run = start(THAWING, photos, tmp_path / "run")
    for training, held in ((3.0, 1.0), (2.0, 1.0), (1.0, 1.0)):
        loss = {"main/clean": training}
        run._thaw(replace(CLOSED, loss=loss, holdout={"main": (0.5, held), "aux": (0.5, 1.0)}))
    assert trained_parts(run) == {"layer4", "fc"}


def test_thawing_survives_a_break(photos, tmp_path):
    run = start(THAWING, photos, tmp_path / "run")
    close(run, 1.0, 1.0, 1.0, 5.0, 5.0)
    run._save()
    again = start(THAWING, photos, tmp_path / "run")
    assert trained_parts(again) == {"layer4", "fc"}
    close(again, 5.0)
    assert trained_parts(again) == {"layer3", "layer4", "fc"}


def test_nothing_is_left_to_thaw(photos, tmp_path):
    run = start(replace(THAWING, trainable="last:4"), photos, tmp_path / "run")
    close(run, *[1.0] * 9)
    assert trained_parts(run) == {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"}
    assert run.progress.unfrozen == 1
