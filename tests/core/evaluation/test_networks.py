import pytest
import torch
from torch import nn

from advprop_core.attacks.gradient import attack
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Restricted, Workshop, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.sweep import sweep
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.models.folding import fold
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(0.1, steps=2, seed=5)


class Colours(nn.Module):
    """Four logits: a constant, and the means of the channels, so that class 0 likes to win."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x):
        means = self.norm(x).mean((2, 3))
        return torch.cat([torch.full_like(means[:, :1], 9.0), means], 1)


@pytest.fixture
def colours():
    return DualBNModel(Colours(), (0.0,) * 3, (1.0,) * 3).freeze()


@pytest.fixture
def subject(colours):
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (10, 3, 4, 4), dtype=torch.uint8, generator=generator)
    labels = torch.tensor([1, 3] * 5)
    return TestedModel("one", colours, images, labels, ("main",), among=(1, 3))


def test_logits_of_some_classes(colours):
    pixels = torch.rand(3, 3, 4, 4)
    network = Restricted(colours.branch("main"), (1, 3))
    assert torch.equal(network(pixels), colours.branch("main")(pixels)[:, [1, 3]])
    assert not network.training
    shared_keys = {f"network.{key}" for key in colours.branch("main").state_dict()}
    assert network.state_dict().keys() == shared_keys, "the choice of classes is no weight"


def test_places_among_the_classes_that_are_kept():
    assert places(torch.tensor([3, 1]), None).tolist() == [3, 1]
    assert places(torch.tensor([3, 1, 7]), (1, 3, 7)).tolist() == [1, 0, 2]
    for wrong in (2, 9):
        with pytest.raises(ValueError, match="among must hold every label's class"):
            places(torch.tensor([wrong]), (1, 3, 7))


def test_the_network_chooses_among_the_classes_of_the_set(subject):
    clean = sweep([subject], [Condition()])[Cell("one", "main", Condition())]
    logits = subject.model.branch("main")(subject.images.float() / 255)
    assert (logits.argmax(1) == 0).all()  # of all four it would never be right
    best = logits[:, [1, 3]].argmax(1)
    assert clean.predicted.tolist() == [(1, 3)[index] for index in best]
    assert torch.equal(clean.right, best == (subject.labels == 3).long())
    assert clean.in_five.all()


def test_attacks_are_against_the_same_choice(subject):
    condition = Condition(PGD, "main")
    answered = sweep([subject], [condition])[Cell("one", "main", condition)]
    pixels = subject.images.float() / 255
    network = Restricted(fold(subject.model.branch("main"), pixels[:1]), (1, 3))
    labels = (subject.labels == 3).long()
    expected = Answers.from_logits(network(attack(network, pixels, labels, PGD)), labels)
    torch.testing.assert_close(answered.losses, expected.losses)


def test_a_store_tells_restricted_cells_apart(subject, tmp_path):
    whole = TestedModel("one", subject.model, subject.images, subject.labels, ("main",))
    for subject_now, reused in ((subject, 0), (whole, 0), (subject, 1), (whole, 1)):
        store = CellStore(tmp_path, {"one": "digest"})
        answered = sweep([subject_now], [Condition()], Workshop(store=store))
        assert store.reused == reused
        predicted = answered[Cell("one", "main", Condition())].predicted
        assert (predicted == 0).all() == (subject_now is whole)
