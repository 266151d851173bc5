"""What norm layers carry, swapped one by one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.gap import gap
from advprop_core.anatomy.layers import execution_order
from advprop_core.anatomy.mixing import blend
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.predict import logits_of, predict


class Steps(nn.Module):
    """Logits (0, m − a − b) of the mean pixel m, with a and b the means of two norm layers."""

    def __init__(self):
        super().__init__()
        self.second = nn.BatchNorm2d(3, eps=0.0)
        self.first = nn.BatchNorm2d(3, eps=0.0)

    def forward(self, x):
        score = self.second(self.first(x)).mean((1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], 1)


@pytest.fixture
def steps():
    """Main's thresholds add up to 0.3, aux's to 0.8: 0.1 or 0.5 and 0.2 or 0.3."""
    model = DualBNModel(Steps(), (0.0,) * 3, (1.0,) * 3).freeze()
    for branch, first, second in (("main", 0.1, 0.2), ("aux", 0.5, 0.3)):
        model.branch(branch).network.first.running_mean.fill_(first)
        model.branch(branch).network.second.running_mean.fill_(second)
    return model


LEVELS = torch.tensor([0.25, 0.35, 0.45, 0.65, 0.75, 0.95])
GREYS = LEVELS.view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
BRIGHT = torch.ones(6, dtype=torch.long)


def table(rows, name="clean"):
    return [(row.unit, row.layers, row.scores[name].correct) for row in rows]


def test_alone_literal(steps):
    rows = gap(steps, {"clean": GREYS}, BRIGHT, None)
    assert table(rows) == [  # thresholds 0.3, 0.7, 0.4, 0.8
        (None, (), 5),
        ("first", ("first",), 2),
        ("second", ("second",), 4),
        (None, ("first", "second"), 1),
    ]
    score = rows[1].scores["clean"]
    margins = LEVELS - 0.7
    torch.testing.assert_close(score.margins, margins)
    torch.testing.assert_close(score.probabilities, margins.sigmoid())
    assert (score.n, score.accuracy) == (6, pytest.approx(1 / 3))
    assert score.interval == wilson_interval(2, 6)
    assert score.margin == pytest.approx(margins.mean().item(), abs=1e-6)
    assert score.probability == pytest.approx(margins.sigmoid().mean().item())


def test_walks_literal(steps):
    up = gap(steps, {"clean": GREYS}, BRIGHT, None, order="from_stem")
    assert table(up) == [
        (None, (), 5),
        ("first", ("first",), 2),
        ("second", ("first", "second"), 1),
    ]
    down = gap(steps, {"clean": GREYS}, BRIGHT, None, order="from_head")
    assert table(down) == [
        (None, (), 5),
        ("second", ("second",), 4),
        ("first", ("first", "second"), 1),
    ]


def test_back_from_the_second_branch(steps):
    rows = gap(steps, {"clean": GREYS}, BRIGHT, None, first="aux", second="main")
    assert [row.scores["clean"].correct for row in rows] == [1, 4, 2, 5]


def test_several_sets_of_images(steps):
    darker = {"clean": GREYS, "adversarial": (GREYS - 0.1).clamp_min(0)}
    rows = gap(steps, darker, BRIGHT, None, order="from_stem", batch_size=4)
    assert [row.scores["clean"].correct for row in rows] == [5, 2, 1]
    assert [row.scores["adversarial"].correct for row in rows] == [4, 1, 1]


def test_margin_is_against_the_best_other_class(dual, pixels):
    image, labels = pixels(3), torch.tensor([0, 3, 5])
    (row, *_) = gap(dual, {"clean": image}, labels, None, by="stage")
    logits = logits_of(dual.branch("main"), image)
    for index, label in enumerate(labels.tolist()):
        others = [value for c, value in enumerate(logits[index].tolist()) if c != label]
        expected = logits[index, label].item() - max(others)
        assert row.scores["clean"].margins[index].item() == pytest.approx(expected, abs=1e-5)
        probability = predict(dual.branch("main"), image)[index].probabilities[label]
        assert row.scores["clean"].probabilities[index].item() == pytest.approx(probability.item())


@pytest.mark.parametrize("architecture", ["test_resnet", "test_efficientnet", "regnetx_002"])
@pytest.mark.parametrize("order", ["alone", "from_stem", "from_head"])
def test_rows_by_stage_begin_and_end_at_the_branches(make_dual, pixels, architecture, order):
    model, image, labels = make_dual(architecture), pixels(2, 48), torch.tensor([1, 4])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    rows = gap(model, {"clean": image}, labels, None, order=order, by="stage")
    layers = execution_order(model, image)
    assert rows[0].layers == ()
    assert rows[-1].layers == layers

    def margins(module):
        logits = logits_of(module, image)
        true = logits[torch.arange(2), labels]
        return true - logits.scatter(1, labels[:, None], -torch.inf).amax(1)

    assert torch.equal(rows[0].scores["clean"].margins, margins(model.branch("main")))
    assert torch.equal(rows[-1].scores["clean"].margins, margins(model.branch("aux")))
    middle = rows[2]
    assert torch.equal(
        middle.scores["clean"].margins, margins(blend(model, 1, 1, layers=middle.layers))
    )
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(part._forward_pre_hooks or part.training for part in model.modules())


def test_by_layer_is_one_row_per_layer_in_execution_order(dual, pixels):
    layers = execution_order(dual)
    labels = torch.tensor([0, 1])
    alone = gap(dual, {"clean": pixels()}, labels, None)
    assert [row.unit for row in alone] == [None, *layers, None]
    assert [row.layers for row in alone[1:-1]] == [(layer,) for layer in layers]
    down = gap(dual, {"clean": pixels()}, labels, None, order="from_head")
    assert [row.unit for row in down] == [None, *layers[::-1]]
    assert [row.layers for row in down] == [
        layers[len(layers) - count :] for count in range(len(layers) + 1)
    ]


def test_statistics_are_estimated_after_every_swap(dual, pixels):
    images, labels, reference = pixels(2), torch.tensor([0, 1]), pixels(8)
    before = {key: value.clone() for key, value in dual.state_dict().items()}
    rows = gap(dual, {"clean": images}, labels, reference, by="stage")
    for row in rows:
        logits = logits_of(blend(dual, 1, reference, layers=row.layers), images)
        expected = logits.softmax(1)[torch.arange(2), labels]
        torch.testing.assert_close(row.scores["clean"].probabilities, expected)
    assert all(torch.equal(before[key], value) for key, value in dual.state_dict().items())


def test_progress_counts_images_and_may_stop(steps):
    done = []
    images = {"clean": GREYS, "adversarial": GREYS}
    gap(steps, images, BRIGHT, None, batch_size=4, progress=lambda *counts: done.append(counts))
    assert done[:3] == [(8, 48), (12, 48), (20, 48)]
    assert done[-1] == (48, 48)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gap(steps, images, BRIGHT, None, progress=stop)
    assert not any(part._forward_pre_hooks for part in steps.modules())


def test_the_size_of_batches_does_not_matter(steps):
    whole = gap(steps, {"clean": GREYS}, BRIGHT, None)
    parts = gap(steps, {"clean": GREYS}, BRIGHT, None, batch_size=1)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one.scores["clean"].margins, other.scores["clean"].margins)


def test_eight_threads_agree(dual, pixels):
    image, labels = {"clean": pixels()}, torch.tensor([0, 1])
    orders = ["alone", "from_stem", "from_head"] * 4

    def work(order):
        rows = gap(dual, image, labels, None, order=order, by="stage")
        return torch.stack([row.scores["clean"].margins for row in rows])

    serial = [work(order) for order in orders]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, orders))
    for one, other in zip(serial, together, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)


def test_refusals(steps, make_dual):
    clean = {"clean": GREYS}
    with pytest.raises(ValueError, match="order must be one of alone, from_stem, from_head, got"):
        gap(steps, clean, BRIGHT, None, order="up")
    with pytest.raises(ValueError, match="by must be one of layer, stage, got 'block'"):
        gap(steps, clean, BRIGHT, None, by="block")
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        gap(steps, clean, BRIGHT, None, batch_size=0)
    for images, labels in (({}, BRIGHT), ({"clean": GREYS[:0]}, BRIGHT[:0])):
        with pytest.raises(ValueError, match="images must not be empty"):
            gap(steps, images, labels, None)
    for wrong in (GREYS[:5], GREYS[0], GREYS[..., :1]):
        with pytest.raises(ValueError, match=r"have the shape \(6, 3, H, W\).*clean .*moved "):
            gap(steps, {"clean": GREYS, "moved": wrong}, BRIGHT, None)
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 1\] .*got \[2\]"):
        gap(steps, clean, BRIGHT + 1, None)
    with pytest.raises(TypeError, match="images must be floats .*got torch.uint8 for clean"):
        gap(steps, {"clean": GREYS.byte()}, BRIGHT, None)
    with pytest.raises(TypeError, match="labels must be integers, got torch.float32"):
        gap(steps, clean, LEVELS, None)
    with pytest.raises(ValueError, match="logits must be finite"):
        gap(steps, {"clean": GREYS * torch.nan}, BRIGHT, None)
    with pytest.raises(ValueError, match="advprop calibrate"):
        gap(make_dual(auxiliaries=0), clean, BRIGHT, None)
