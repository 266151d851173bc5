import pytest

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.config import require_classes
from advprop_core.errors import InputError


def test_the_defaults_are_the_published_ones():
    config = AutoAttackConfig()
    assert (config.steps, config.targets, config.queries) == (100, 9, 5000)
    assert config.name == "AutoAttack"


def test_other_numbers_are_named():
    assert AutoAttackConfig(steps=20).name == "AutoAttack (20 steps)"
    assert AutoAttackConfig(queries=9, targets=3).name == "AutoAttack (3 targets, 9 queries)"
    assert AutoAttackConfig("l2", 0.5, seed=3).name == "AutoAttack"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"norm": "l1"}, "norm must be 'linf' or 'l2', got 'l1'"),
        ({"epsilon": 2.0}, "epsilon must be at most 1 for linf, got 2: 4/255, not 4"),
        ({"epsilon": "2/255"}, "epsilon must be a number, got '2/255'"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"targets": 0}, "targets must be at least 1, got 0"),
        ({"queries": 2.5}, "queries must be an integer, got 2.5"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_refusals(fields, sentence):
    with pytest.raises(InputError) as refusal:
        AutoAttackConfig(**fields)
    assert str(refusal.value) == sentence


def test_too_few_classes():
    require_classes(4)
    with pytest.raises(ValueError, match="at least 4 classes.*toy has 3: attack it with PGD"):
        require_classes(3, "toy")
