import dataclasses
import math

import numpy as np
import pytest
import torch

from advprop_core.errors import InputError
from advprop_core.types import (
    AttackConfig,
    Comparison,
    ModelInfo,
    Prediction,
    freeze,
)


def test_attack_config_is_hashable_and_frozen():
    config = AttackConfig.pgd(4 / 255)
    assert hash(config) == hash(AttackConfig.pgd(4 / 255))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epsilon = 0.1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"epsilon": -0.1}, "epsilon must be at least 0, got -0.1"),
        ({"epsilon": 4}, "epsilon must be at most 1 for linf, got 4: 4/255, not 4"),
        ({"epsilon": math.nan}, "epsilon must be a finite number, got nan"),
        ({"epsilon": math.inf, "norm": "l2"}, "epsilon must be a finite number, got inf"),
        ({"epsilon": 2000.0, "norm": "l2"}, "epsilon must be at most 1000, got 2000.0"),
        ({"epsilon": "4/255"}, "epsilon must be a number, got '4/255'"),
        ({"epsilon": True}, "epsilon must be a number, got True"),
        ({"step_size": -1e-9}, "step_size must be at least 0, got -1e-09"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"steps": 2.0}, "steps must be an integer, got 2.0"),
        ({"steps": True}, "steps must be an integer, got True"),
        ({"steps": torch.tensor(True)}, "steps must be an integer, got tensor(True)"),
        ({"steps": torch.tensor([3])}, "steps must be an integer, got tensor([3])"),
        ({"steps": np.float64(3)}, "steps must be an integer, got np.float64(3.0)"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 2**64}, f"seed must be at most {2**62}, got {2**64}"),
        ({"target_class": -1}, "target_class must be at least 0, got -1"),
        ({"target_class": 1.0}, "target_class must be an integer, got 1.0"),
        ({"norm": "l1"}, "norm must be 'linf' or 'l2', got 'l1'"),
        ({"norm": ["l2"]}, "norm must be 'linf' or 'l2', got ['l2']"),
    ],
)
def test_attack_config_names_field_rule_and_value(fields, sentence):
    with pytest.raises(InputError) as refusal:
        AttackConfig(**fields)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("integer", [np.int64(3), np.uint8(3), torch.tensor(3)])
def test_integers_of_other_libraries_become_plain(integer):
    config = AttackConfig(steps=integer, target_class=integer)
    assert (type(config.steps), type(config.target_class)) == (int, int)
    assert config == AttackConfig(steps=3, target_class=3)


def test_l2_allows_a_radius_above_one():
    assert AttackConfig(norm="l2", epsilon=3.0).epsilon == 3.0


def test_fgsm_is_one_step_of_size_epsilon():
    assert AttackConfig.fgsm(0.1) == AttackConfig("linf", 0.1, 0.1, 1, random_start=False)


def test_pgd_steps_follow_from_epsilon_unless_given():
    assert AttackConfig.pgd(4 / 255, steps=10).step_size == pytest.approx(1 / 255)
    assert AttackConfig.pgd(4 / 255, step_size=0.25).step_size == 0.25
    assert AttackConfig.pgd(1.0, steps=1).step_size == 1.0


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (AttackConfig.fgsm(0.1), "FGSM"),
        (AttackConfig.pgd(0.1, steps=1, step_size=0.02, random_start=False), "I-FGSM-1"),
        (AttackConfig.pgd(0.1, steps=7), "PGD-7"),
        (AttackConfig.pgd(0.1, steps=7, random_start=False), "I-FGSM-7"),
    ],
)
def test_attack_name(config, name):
    assert config.name == name


def test_freeze_is_a_detached_copy():
    source = torch.ones(2, dtype=torch.float64, requires_grad=True)
    frozen = freeze(source)
    with torch.no_grad():
        source.zero_()
    assert frozen.dtype == torch.float32
    assert not frozen.requires_grad
    assert frozen.tolist() == [1, 1]


def test_prediction_literal():
    prediction = Prediction.from_logits(torch.tensor([0.0, math.log(3.0), 0.0]))
    assert prediction.class_index == 1
    assert prediction.confidence == pytest.approx(0.6)
    assert prediction.top(2)[0] == (1, pytest.approx(0.6))
    assert len(prediction.top(5)) == 3


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_prediction_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        Prediction.from_logits(torch.tensor([0.0, bad]))


def test_comparison_lists_branches_in_the_order_of_its_predictions():
    one = Prediction.from_logits(torch.zeros(2))
    kinds = ("clean", "adversarial")
    grid = {(kind, name): one for kind in kinds for name in ("main", "aux")}
    empty = torch.zeros(3, 1, 1)
    assert Comparison(empty, empty, grid, {}, None, None, 0, None).branches == ("main", "aux")


def test_model_info_counts_and_pairs_classes(make_info):
    info = make_info(class_ids=("a", "b"), class_names=("A", "B"))
    assert info.num_classes == 2
    assert info.classes == (("a", "A"), ("b", "B"))


def test_model_info_puts_main_first(make_info):
    info = make_info(branches={"aux": "copied", "aux2": "trained", "main": "trained"})
    assert list(info.branches.items()) == [
        ("main", "trained"),
        ("aux", "copied"),
        ("aux2", "trained"),
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"class_ids": ("a",), "class_names": ("A", "B")}, "equally long"),
        ({"class_ids": (), "class_names": ()}, "class_ids"),
        ({"class_names": tuple(range(6))}, "class_names"),
        ({"architecture": 5}, "architecture"),
        ({"name": None}, "name"),
        ({"input_size": 0}, "input_size"),
        ({"input_size": "32"}, "input_size"),
        ({"input_size": 1_000_000}, "input_size must be at most 4096"),
        ({"mean": (0.5,)}, r"mean\[1\] is missing"),
        ({"mean": ("a", "b", "c")}, "mean"),
        ({"std": (0.5, math.nan, 0.5)}, "std"),
        ({"branches": ["main"]}, "branches"),
        ({"branches": {}}, "branches"),
        ({"branches": {"main": "trained", "adv": "trained"}}, "branches"),
        ({"branches": {"main": "trained", "aux2": "trained"}}, "branches"),
        ({"branches": {"main": "guessed"}}, "'trained', 'adapted', 'calibrated' or 'copied'"),
        ({"recipe": 3}, "recipe"),
        ({"metrics": (3,)}, "metrics"),
    ],
)
def test_model_info_refuses(make_info, fields, words):
    with pytest.raises(InputError, match=words):
        make_info(**fields)


def test_model_info_is_frozen(make_info):
    info: ModelInfo = make_info()
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.name = "x"


def test_predictions_are_equal_where_their_logits_are():
    one, same, other = (
        Prediction.from_logits(torch.tensor(values))
        for values in ([1.0, 2.0], [1.0, 2.0], [2.0, 1.0])
    )
    assert one == same
    assert one != other
    assert one != "main"
    assert len({one, same, other}) == 2


def test_what_describes_a_model_can_be_hashed():
    def describe():
        return ModelInfo(
            "resnet18", ("a",), ("a",), 32, (0.5,) * 3, (0.5,) * 3, {"main": "trained"}
        )

    assert hash(describe()) == hash(describe())
    assert len({describe(), describe()}) == 1


def test_a_step_that_is_given_is_refused_rather_than_shortened():
    with pytest.raises(InputError, match="step_size must be at most 1 for linf, got 1.5"):
        AttackConfig.pgd(4 / 255, step_size=1.5)


def test_pgd_refuses_an_unknown_norm():
    with pytest.raises(InputError, match="norm"):
        AttackConfig.pgd(0.5, norm="l1")
