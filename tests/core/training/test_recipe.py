import dataclasses

import pytest

from advprop_core.training.recipe import OBJECTIVES, Recipe


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"objective": "madry"}, "vanilla, adversarial, advprop, got 'madry'"),
        ({"size": 31}, "size must be at least 32"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"seed": -1}, "seed"),
        ({"crop_scale": 0.0}, "crop_scale"),
        ({"crop_scale": 1.5}, "crop_scale"),
    ],
)
def test_refuses(fields, words):
    with pytest.raises(ValueError, match=words):
        Recipe(**fields)


def test_only_advprop_trains_an_auxiliary_branch():
    assert {name: Recipe(objective=name).auxiliaries for name in OBJECTIVES} == {
        "vanilla": 0,
        "adversarial": 0,
        "advprop": 1,
    }


def test_is_frozen_and_compares_by_value():
    assert Recipe() == Recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().seed = 1
