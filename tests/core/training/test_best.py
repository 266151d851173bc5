"""A branch that an attack breaks is put back to where its loss was lowest."""

import pytest
import torch

from advprop_core.training.batch import Figures
from advprop_core.training.best import WINDOW, BestBranches


def figures(**losses):
    hits = torch.tensor(0.5)
    return {
        f"{name}/adversarial": Figures(torch.tensor(loss), hits) for name, loss in losses.items()
    }


def run(model, losses, first=0):
    """A window of steps for each loss; the norm's weight is then the window's number."""
    best, norm = BestBranches(model, first), model.branch("aux").network.bn1
    for number, loss in enumerate(losses):
        norm.weight.data.fill_(number)
        for step in range(number * WINDOW, (number + 1) * WINDOW):
            best.add(step, figures(aux=loss))
    return best, norm.weight


def test_the_lowest_window_is_put_back(make_dual):
    model = make_dual().requires_grad_(False)
    best, weight = run(model, [3.0, 1.0, 2.0])
    (sentence,) = best.put_back()
    assert sentence.startswith("aux is kept as it was after step 50: its loss was 1.00 there")
    assert weight.eq(1).all()


@pytest.mark.parametrize(
    ("losses", "first"),
    [([3.0, 1.0, 1.2], 0), ([1.0, 2.0], WINDOW), ([3.0, 2.0], 0)],
    ids=["as batches differ", "while the attack grew", "lower and lower"],
)
def test_what_is_not_worse_stays(make_dual, losses, first):
    best, weight = run(make_dual().requires_grad_(False), losses, first)
    assert best.put_back() == []
    assert weight.eq(len(losses) - 1).all()


@pytest.mark.parametrize("losses", [[1.0, float("nan")], [1.0, 1.0]])
def test_a_branch_that_is_no_number_is_put_back(make_dual, losses):
    best, weight = run(make_dual().requires_grad_(False), losses)
    weight.fill_(float("nan"))
    assert len(best.put_back()) == 1
    assert weight.eq(0).all()


def test_nothing_is_kept_of_what_was_never_a_number(make_dual):
    best, _ = run(make_dual().requires_grad_(False), [float("nan")] * 2)
    assert best.state == {}
    assert best.put_back() == []
