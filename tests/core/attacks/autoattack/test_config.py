import pytest

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.config import require_classes


def test_the_defaults_are_the_published_ones():
    config = AutoAttackConfig()
    assert (config.steps, config.targets, config.queries) == (100, 9, 5000)
    assert config.name == "AutoAttack"


def test_other_numbers_are_named():
    assert AutoAttackConfig(steps=20).name == "AutoAttack (20 steps)"
    assert AutoAttackConfig(queries=9, targets=3).name == "AutoAttack (3 targets, 9 queries)"
    assert AutoAttackConfig("l2", 0.5, seed=3).name == "AutoAttack"


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"norm": "l1"}, ValueError, "norm must be one of linf, l2, got 'l1'"),
        ({"epsilon": 2.0}, ValueError, "epsilon must lie in"),
        ({"epsilon": "2/255"}, TypeError, "epsilon must be a number"),
        ({"steps": 0}, ValueError, "steps must be at least 1"),
        ({"targets": 0}, ValueError, "targets must be at least 1"),
        ({"queries": 2.5}, TypeError, "queries must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
    ],
)
def test_refusals(fields, error, words):
    with pytest.raises(error, match=words):
        AutoAttackConfig(**fields)


def test_too_few_classes():
    require_classes(4)
    with pytest.raises(ValueError, match="at least 4 classes.*toy has 3: attack it with PGD"):
        require_classes(3, "toy")
