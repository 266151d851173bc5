"""Attacks and radii as people name and write them."""

import pytest

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.named import attack_grid, gradient_attack, read_radii
from advprop_core.errors import InputError
from advprop_core.types import AttackConfig


def test_every_kind_at_every_radius_and_steps_for_those_that_take_them():
    attacks = attack_grid(["pgd", "fgsm", "autoattack"], "l2", [0.5, 1.0], steps=3, seed=2)
    assert attacks == [
        AttackConfig.pgd(0.5, norm="l2", steps=3, seed=2),
        AttackConfig.pgd(1.0, norm="l2", steps=3, seed=2),
        AttackConfig.fgsm(0.5, norm="l2"),
        AttackConfig.fgsm(1.0, norm="l2"),
        AutoAttackConfig("l2", 0.5, 100, 9, 5000, seed=2),
        AutoAttackConfig("l2", 1.0, 100, 9, 5000, seed=2),
    ]


def test_a_step_is_chosen_or_the_attacks_own():
    assert gradient_attack("i-fgsm", "linf", 0.1).name == "I-FGSM-10"
    with pytest.raises(InputError, match="must be one of pgd, fgsm, i-fgsm, got 'magic'"):
        gradient_attack("magic", "linf", 0.1)
    assert gradient_attack("pgd", "linf", 0.1, steps=2, step_size=0.05).step_size == 0.05
    for kind in ("fgsm", "autoattack"):
        with pytest.raises(InputError, match="--steps"):
            attack_grid([kind], "linf", [0.1], steps=3)


def test_radii_are_read_in_their_order():
    assert read_radii(["2/255, 0.5", "1/255"], "linf", "ε") == (2 / 255, 0.5, 1 / 255)
    assert read_radii(["3"], "l2", "ε") == (3.0,)
    assert read_radii([" , "], "linf", "ε") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("two", "ε must be a fraction such as 4/255"),
        ("0", "ε must be above 0, got 0"),
        ("-1/255", "ε must be above 0"),
        ("4", "beyond it; did you mean 4/255?"),
        ("1", "all of it; did you mean 1/255?"),
        ("2/255, 0.00784313725", "once, got 2/255 and 0.00784313725"),
    ],
)
def test_what_is_no_list_of_radii_is_refused(text, message):
    with pytest.raises(InputError) as refused:
        read_radii([text], "linf", "ε")
    assert message in str(refused.value)
