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
        for step in range(first + number * WINDOW, first + (number + 1) * WINDOW):
            best.add(step, figures(aux=loss))
    return best, norm.weight


@pytest.fixture
def model(make_dual):
    return make_dual().requires_grad_(False)


def test_the_lowest_window_is_put_back(model):
    best, weight = run(model, [3.0, 1.0, 2.0])
    assert best.put_back(model) == {"aux": 50}
    assert weight.eq(1).all()


@pytest.mark.parametrize(
    "losses", [[3.0, 1.0, 1.2], [3.0, 2.0]], ids=["as batches differ", "lower"]
)
def test_what_is_not_worse_stays(model, losses):
    best, weight = run(model, losses)
    assert best.put_back(model) == {}
    assert weight.eq(len(losses) - 1).all()


def test_losses_of_an_attack_that_still_grows_do_not_count(model):
    best = BestBranches(model, WINDOW)
    for step in range(3 * WINDOW):
        best.add(step, figures(aux=1.0 if step < WINDOW else 2.0))
    assert best.state["aux"]["loss"] == 2.0
    assert best.put_back(model) == {}


@pytest.mark.parametrize("losses", [[1.0, float("nan")], [1.0, 1.0]])
def test_a_branch_that_is_no_number_is_put_back(model, losses):
    best, weight = run(model, losses)
    weight.fill_(float("nan"))
    assert best.put_back(model) == {"aux": 25}
    assert weight.eq(0).all()


def test_nothing_is_kept_of_what_was_never_a_number(model):
    best, _ = run(model, [float("nan")] * 2)
    assert best.put_back(model) == {}


@pytest.mark.parametrize("stop", [1, 24, 25, 40])
def test_a_run_that_was_stopped_knows_the_same_best(model, stop):
    """Half a window is gone on with, and no other is made of it."""
    whole, parted = BestBranches(model, 0), BestBranches(model, 0)
    for step in range(60):
        if step == stop:
            saved, parted = parted.state, BestBranches(model, 0)
            parted.state = saved
        for best in (whole, parted):
            best.add(step, figures(aux=1.0 + step / 100))
    assert parted.state["aux"]["loss"] == whole.state["aux"]["loss"] == pytest.approx(1.12)
    assert parted.put_back(model) == {}


def test_it_is_the_average_of_the_weights_that_is_put_back_where_one_is_kept(model, make_dual):
    best, _ = run(model, [1.0, 2.0])
    average = make_dual().requires_grad_(False)
    average.branch("aux").network.bn1.weight.fill_(7.0)
    assert best.put_back(average) == {"aux": 25}
    assert average.branch("aux").network.bn1.weight.eq(0).all()
