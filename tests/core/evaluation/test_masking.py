import pytest
import torch

from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.masking import suspicions, without_gradient
from advprop_core.evaluation.results import Answers
from advprop_core.types import AttackConfig


def answers(right, n=100):
    flags = torch.arange(n) < right
    return Answers(flags.int(), flags, flags, flags.float(), flags.float())


def found(*pairs, branch="main"):
    return {
        Cell("one", branch, Condition(config, "main")): answers(right) for config, right in pairs
    }


FGSM = AttackConfig.fgsm(2 / 255)
PGD = AttackConfig.pgd(2 / 255)
WIDER = AttackConfig.pgd(4 / 255)
NOISE = AttackConfig.noise(2 / 255)
ANYTHING = AttackConfig.pgd(1.0, steps=20)


@pytest.mark.parametrize(
    ("pairs", "sign"),
    [
        (((FGSM, 30), (PGD, 60)), "one step beats many"),
        (((FGSM, 94), (PGD, 100)), "one step beats many"),
        (((NOISE, 30), (PGD, 60)), "noise beats gradient"),
        (((NOISE, 30), (FGSM, 60)), "noise beats gradient"),
        (((PGD, 30), (WIDER, 60)), "larger radius"),
        (((ANYTHING, 5),), "survives anything"),
    ],
)
def test_signs_of_a_masked_gradient(pairs, sign):
    (one,) = suspicions(found(*pairs))
    assert (one.model, one.branch, one.sign) == ("one", "main", sign)


def test_more_restarts_at_a_smaller_radius_are_not_the_weaker_attack():
    few, many = (Condition(WIDER, "main"), Condition(PGD, "main", restarts=20))
    cells = {few: 60, many: 30}
    assert not suspicions({Cell("one", "main", c): answers(right) for c, right in cells.items()})
    wider = Condition(WIDER, "main", restarts=20)
    cells = {wider: 60, many: 30}
    (one,) = suspicions({Cell("one", "main", c): answers(n) for c, n in cells.items()})
    assert "PGD-10, 20 restarts, L∞ ε = 2/255 leaves 30 % right" in one.text


def test_a_suspicion_gives_its_figures():
    (one,) = suspicions(found((FGSM, 30), (PGD, 60)))
    assert one.text == (
        "one, main: FGSM, L∞ ε = 2/255 leaves 30 % right and the stronger PGD-10, "
        "L∞ ε = 2/255 60 %: its gradient may be masked."
    )


@pytest.mark.parametrize(
    "pairs",
    [
        ((FGSM, 60), (PGD, 30), (NOISE, 90), (WIDER, 10), (ANYTHING, 0)),
        ((FGSM, 58), (PGD, 60)),  # two images are chance
        ((FGSM, 95), (PGD, 100)),  # five against none are too
        ((FGSM, 30), (AttackConfig.fgsm(4 / 255), 60)),  # a long step may overshoot
        ((AttackConfig.fgsm(0.5), 60),),  # this one too
        ((PGD, 30), (AttackConfig.pgd(2 / 255, norm="l2"), 60)),
        ((NOISE, 30), (AttackConfig.noise(4 / 255), 60)),
    ],
)
def test_what_is_as_it_should_be(pairs):
    assert suspicions(found(*pairs)) == ()


@pytest.mark.parametrize(
    "pairs",
    [
        ((ANYTHING, 60),),
        ((FGSM, 30), (PGD, 60)),
        ((NOISE, 30), (PGD, 60)),
        ((PGD, 30), (WIDER, 60)),
    ],
)
def test_transfer_may_well_spare_a_branch(pairs):
    assert suspicions(found(*pairs, branch="aux")) == ()


def test_noise_is_a_random_start_left_alone():
    assert NOISE.name == "noise"
    assert AttackConfig.pgd(0.0, steps=2).name == "PGD-2"


def test_images_without_a_gradient_are_counted(make_dual, pixels):
    class Rounded(torch.nn.Module):
        """Lets no gradient through from the first two images on."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, inputs):
            return self.network(inputs * (inputs.mean((1, 2, 3), keepdim=True) > -0.9))

    model = make_dual()
    images = (pixels(5) * 255).byte()
    images[:2] = 3  # so dark that nothing is let through
    branch = model.branch("main")
    branch.network = Rounded(branch.network).eval()
    tested = TestedModel("one", model, images, torch.zeros(5, dtype=torch.int64))
    (warning,) = without_gradient(tested, Workshop(batch_size=2))
    assert (warning.branch, warning.sign) == ("main", "no gradient")
    assert "2 of 5 images have no gradient at all" in warning.text
