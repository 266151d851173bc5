import json

import pytest
import torch

from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.paired import Pair, pair
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.shape_bias import MEANING
from advprop_core.evaluation.suite import Evaluation, Suite
from advprop_core.evaluation.summary import summarise
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.pictures.probes import ProbeConfig
from advprop_core.types import AttackConfig

FOG = Condition(corruption=CorruptionConfig("fog", 2))
PGD = Condition(AttackConfig.pgd(2 / 255), "main")


def answers(*right):
    flags = torch.tensor(right).bool()
    sure = torch.full((len(right),), 0.9)
    return Answers(flags.int(), flags, flags, sure, 1 - sure)


@pytest.fixture
def content(model, images):
    suite = Suite([TestedModel("one", model, *images)], data="photos", seed=3)
    cells = {
        Cell("one", "main", Condition()): answers(1, 1, 1, 0),
        Cell("one", "main", PGD): answers(1, 0, 0, 0),
        Cell("one", "main", FOG): answers(0, 0, 1, 1),
    }
    return summarise(Evaluation(suite, cells), "again")


def test_the_agreed_form(content):
    assert list(content) == [
        "format", "data", "n", "seed", "command", "models", "results", "warnings",
        "mean_corruption_error",
    ]  # fmt: skip
    assert (content["n"], content["seed"], content["data"]) == (4, 3, "photos")
    rows = content["results"]
    keys = {
        *("model", "branch", "condition", "n", "top1", "top5", "loss", "interval"),
        *("top5_interval", "loss_interval", "calibration"),
    }
    assert [set(row) - keys for row in rows] == [{"images", "right"}, {"images", "right"}, set()]
    assert pair(rows[0], rows[1]) == Pair(n=4, only_first=2, only_second=0)
    assert rows[2]["condition"] == {"kind": "corruption", "corruption": "fog", "severity": 2}
    assert rows[0]["calibration"]["expected_calibration_error"] == pytest.approx(0.15)
    assert rows[1]["calibration"]["confidence_when_wrong"] == pytest.approx(0.9)
    (error,) = content["mean_corruption_error"]["results"]
    assert (error["model"], error["branch"], error["error"]) == ("one", "main", 0.5)
    assert "generated here" in content["mean_corruption_error"]["meaning"]
    json.dumps(content, allow_nan=False)  # plain values alone


def test_probes_and_shape_bias(model):
    """Shape bias is of clean scenes, and of those alone in which it can be told."""
    cells = {
        Cell(name, "main", condition): answers(1, 0, 1, 1)
        for name in ("scenes", "agreeing", "photos")
        for condition in (Condition(), Condition(probe=ProbeConfig("low-pass", 8.0)))
    }
    labels, images = torch.tensor([1, 1, 0, 1]), torch.zeros(4, 3, 4, 4, dtype=torch.uint8)
    textures = {"scenes": 1 - labels, "agreeing": labels, "photos": None}
    models = [
        TestedModel(name, model, images, labels, textures=own) for name, own in textures.items()
    ]
    content = summarise(Evaluation(Suite(models), cells), "again")
    probed = content["results"][1]["condition"]
    assert probed == {"kind": "probe", "probe": "low-pass", "strength": 8.0}
    (first,) = content["shape_bias"]["results"]
    assert (first["model"], first["branch"], first["shape_bias"]) == ("scenes", "main", 0.5)
    assert content["shape_bias"]["meaning"] == MEANING
    json.dumps(content, allow_nan=False)  # plain values alone


def test_mce_is_of_the_models_for_which_it_is_defined(model, images):
    stored = [
        Condition(corruption=CorruptionConfig(kind, severity), stored=True)
        for kind in CORRUPTIONS
        for severity in SEVERITIES
    ]
    cells = {Cell("one", "main", Condition()): answers(1, 1, 1, 0)}
    cells |= {Cell("one", "main", condition): answers(1, 1, 0, 0) for condition in stored}
    cells |= {Cell("two", "aux", condition): answers(1, 0, 0, 0) for condition in stored}
    cells |= {Cell("other", "main", FOG): answers(1, 0, 0, 0)}
    models = [TestedModel(name, model, *images) for name in ("one", "two", "other")]
    content = summarise(Evaluation(Suite(models, with_mce=("one", "two")), cells), "again")
    first, two = content["imagenet_c"]["results"]
    assert [(error["model"], error["branch"]) for error in (first, two)] == [
        ("one", "main"),
        ("two", "aux"),
    ]
    assert first["relative_mce"] is not None
    assert two["relative_mce"] is None
    assert two["mce"] == pytest.approx(1.5 * first["mce"])
    low, high = first["by_corruption_intervals"]["fog"]
    assert low < first["by_corruption"]["fog"] < high
