import pytest
import torch

from advprop_core.attacks.gradient import attack
from advprop_core.compare.matrix import attack_matrix
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(8 / 255, steps=3)


@pytest.fixture
def branches(make_dual):
    model = make_dual(auxiliaries=2)
    return {name: model.branch(name) for name in model.branch_names}


def test_every_attack_is_shown_to_every_branch(branches, pixels):
    told = []
    found = attack_matrix(branches, pixels(1), PGD, true_class=2, progress=told.append)
    assert found.branches == ("main", "aux", "aux2")
    assert list(found.attacked) == [(a, b) for a in branches for b in branches]
    assert found.expected == dict.fromkeys(branches, 2)
    assert told == sorted(told)
    assert told[-1] == 1
    for source in branches:
        perturbed = attack(branches[source], pixels(1), torch.tensor([2]), PGD)
        for name in branches:
            with torch.no_grad():
                expected = branches[name](perturbed)[0]
            shown = found.attacked[source, name].logits
            torch.testing.assert_close(shown, expected, rtol=1e-4, atol=1e-5)


def test_an_attack_hurts_its_own_branch_most(branches, pixels):
    found = attack_matrix(branches, pixels(1), PGD, true_class=1)
    for name in branches:
        left = {a: float(found.attacked[a, name].probabilities[1]) for a in branches}
        assert min(left, key=left.get) == name


def test_without_a_true_class_each_branch_is_held_to_its_own_answer(branches, pixels):
    found = attack_matrix(branches, pixels(1), PGD)
    own = {name: said.class_index for name, said in found.clean.items()}
    assert found.expected == own
    assert found.true_class is None
    label = torch.tensor([own["aux"]])
    perturbed = attack(branches["aux"], pixels(1), label, PGD)
    with torch.no_grad():
        expected = branches["main"](perturbed)[0]
    shown = found.attacked["aux", "main"].logits
    torch.testing.assert_close(shown, expected, rtol=1e-4, atol=1e-5)


def test_one_branch_and_one_image(branches, pixels):
    alone = {"main": branches["main"]}
    assert list(attack_matrix(alone, pixels(1), PGD).attacked) == [("main", "main")]
    with pytest.raises(ValueError, match="one image, got 2"):
        attack_matrix(alone, pixels(2), PGD)
