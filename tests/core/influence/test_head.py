"""The last layer's influence function: against second derivatives, and against retraining."""

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.func import grad, hessian, vmap
from torch.nn import functional as F

from advprop_core.errors import InputError
from advprop_core.influence.head import PENALTY, fit_head
from benchmarks.influence_checks import leave_one_out, plant_wrong_labels

CLASSES = 10


def clusters(count, classes=3, width=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(7))
    labels = torch.arange(count) % classes
    return centres[labels] + torch.randn(count, width, generator=generator), labels


def test_influence_is_what_autograd_makes_of_its_definition():
    features, labels = clusters(40)
    head = fit_head(features, labels, 3)
    test_features, test_labels = clusters(4, seed=1)
    inputs, tests = head.inputs, head.projection(test_features)

    def loss(weight, x, label):
        return F.cross_entropy((x @ weight)[None], label[None])

    def objective(weight):
        return F.cross_entropy(inputs @ weight, labels) + PENALTY / 2 * weight.square().sum()

    assert grad(objective)(head.weight).abs().max() < 1e-12, "it is not at the optimum"
    matrix = hessian(objective)(head.weight).reshape(head.weight.numel(), -1)
    slopes = vmap(grad(loss), (None, 0, 0))
    own = slopes(head.weight, inputs, labels).flatten(1)
    theirs = slopes(head.weight, tests, test_labels).flatten(1)
    expected = theirs @ torch.linalg.solve(matrix, own.T) / len(labels)
    near = {"rtol": 1e-4, "atol": 1e-9}  # the Hessian is taken just before the optimum
    torch.testing.assert_close(head.influence(test_features, test_labels), expected, **near)
    expected_self = (own * torch.linalg.solve(matrix, own.T).T).sum(1) / len(labels)
    torch.testing.assert_close(head.self_influence(), expected_self, **near)


def test_it_ranks_training_scenes_as_leaving_each_out_does(scenes):
    train, test = slice(0, 120), slice(120, 160)
    left_out = leave_one_out(
        scenes.values[train],
        scenes.labels[train],
        CLASSES,
        scenes.values[test],
        scenes.labels[test],
        range(0, 120, 8),
    )
    assert left_out.retrained.shape == (40, 15)
    assert left_out.rank_correlation > 0.98
    assert 0.7 < left_out.predicted.norm() / left_out.retrained.norm() < 1.1


def test_planted_wrong_labels_have_the_most_influence_on_themselves(scenes):
    labels, wrong = plant_wrong_labels(scenes.labels, CLASSES, 0.1)
    assert int(wrong.sum()) == int((labels != scenes.labels).sum()) == 16
    head = fit_head(scenes.values, labels, CLASSES)
    assert roc_auc_score(wrong, head.self_influence()) > 0.98


@pytest.mark.parametrize(
    ("classes", "message"),
    [(1, "have only one class"), (200, "at most 181 classes, got 200")],
)
def test_classes_that_cannot_be_traced_are_refused(classes, message):
    features, labels = clusters(20, classes)
    with pytest.raises(InputError, match=message):
        fit_head(features, labels, classes)


def test_features_that_are_all_the_same_are_refused():
    with pytest.raises(InputError, match="all training images have the same features"):
        fit_head(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), 2)
