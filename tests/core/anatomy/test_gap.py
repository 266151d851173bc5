"""What norm layers carry, swapped one by one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.gap import measure_gap
from advprop_core.anatomy.layers import execution_order
from advprop_core.anatomy.mixing import blend
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.predict import logits_of


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
    gap = measure_gap(steps, {"clean": GREYS}, BRIGHT, None, by="layer")
    assert (gap.naive, gap.by, gap.n) == (None, "layer", 6)
    rows = gap.rows["alone"]
    assert table(rows) == [  # thresholds 0.3, 0.7, 0.4, 0.8
        (None, (), 5),
        ("first", ("first",), 2),
        ("second", ("second",), 4),
        (None, ("first", "second"), 1),
    ]
    score = rows[1].scores["clean"]
    assert (score.n, score.accuracy) == (6, pytest.approx(1 / 3))
    assert score.interval == wilson_interval(2, 6)
    assert score.probability == pytest.approx((LEVELS - 0.7).sigmoid().mean().item())


def test_walks_literal(steps):
    rows = measure_gap(steps, {"clean": GREYS}, BRIGHT, None, by="layer").rows
    assert table(rows["from_stem"]) == [
        (None, (), 5),
        ("first", ("first",), 2),
        ("second", ("first", "second"), 1),
    ]
    assert table(rows["from_head"]) == [
        (None, (), 5),
        ("second", ("second",), 4),
        ("first", ("first", "second"), 1),
    ]


def test_several_sets_of_images(steps):
    darker = {"clean": GREYS, "adversarial": (GREYS - 0.1).clamp_min(0)}
    rows = measure_gap(steps, darker, BRIGHT, None, by="layer", batch_size=4).rows["from_stem"]
    assert [row.scores["clean"].correct for row in rows] == [5, 2, 1]
    assert [row.scores["adversarial"].correct for row in rows] == [4, 1, 1]


@pytest.mark.parametrize("architecture", ["test_resnet", "test_efficientnet", "regnetx_002"])
def test_rows_by_stage_begin_and_end_at_the_branches(make_dual, pixels, architecture):
    model, image, labels = make_dual(architecture), pixels(2, 48), torch.tensor([1, 4])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    gap = measure_gap(model, {"clean": image}, labels, None, by="stage")
    layers = execution_order(model, image)

    def probability(module):
        return float(logits_of(module, image).softmax(1)[torch.arange(2), labels].mean())

    for rows in gap.rows.values():
        assert rows[0].layers == ()
        assert rows[-1].layers == layers
        networks = (
            model.branch("main"), blend(model, 1, 1, layers=rows[2].layers), model.branch("aux")
        )  # fmt: skip
        for row, network in zip((rows[0], rows[2], rows[-1]), networks, strict=True):
            assert row.scores["clean"].probability == probability(network)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(part._forward_pre_hooks or part.training for part in model.modules())


def test_by_layer_is_one_row_per_layer_in_execution_order(dual, pixels):
    layers = execution_order(dual, pixels())
    rows = measure_gap(dual, {"clean": pixels()}, torch.tensor([0, 1]), None, by="layer").rows
    assert [row.unit for row in rows["alone"]] == [None, *layers, None]
    assert [row.layers for row in rows["alone"][1:-1]] == [(layer,) for layer in layers]
    assert [row.unit for row in rows["from_head"]] == [None, *layers[::-1]]
    assert [row.layers for row in rows["from_head"]] == [
        layers[len(layers) - count :] for count in range(len(layers) + 1)
    ]


def test_statistics_are_estimated_after_every_swap_and_naive_rows_stand_beside(dual, pixels):
    images, labels, reference = pixels(2), torch.tensor([0, 1]), pixels(8)
    before = {key: value.clone() for key, value in dual.state_dict().items()}
    gap = measure_gap(dual, {"clean": images}, labels, reference, by="stage")
    for rows, statistics in ((gap.rows, reference), (gap.naive, 1)):
        for row in rows["alone"]:
            logits = logits_of(blend(dual, 1, statistics, layers=row.layers), images)
            expected = logits.softmax(1)[torch.arange(2), labels].mean().item()
            assert row.scores["clean"].probability == pytest.approx(expected)
    assert gap.naive == measure_gap(dual, {"clean": images}, labels, None, by="stage").rows
    assert all(torch.equal(before[key], value) for key, value in dual.state_dict().items())


def test_progress_counts_images_and_may_stop(steps):
    done = []
    images = {"clean": GREYS, "adversarial": GREYS}
    options = {"by": "layer", "batch_size": 4}
    measure_gap(
        steps, images, BRIGHT, None, progress=lambda *counts: done.append(counts), **options
    )
    assert done[:3] == [(8, 120), (12, 120), (20, 120)]  # 4 rows, and 3 of each walk
    assert done[-1] == (120, 120)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_gap(steps, images, BRIGHT, None, progress=stop, **options)
    assert not any(part._forward_pre_hooks for part in steps.modules())


def test_the_size_of_batches_does_not_matter(steps):
    whole = measure_gap(steps, {"clean": GREYS}, BRIGHT, None, by="layer")
    parts = measure_gap(steps, {"clean": GREYS}, BRIGHT, None, by="layer", batch_size=1)
    for row_of_whole, row_of_parts in zip(whole.rows["alone"], parts.rows["alone"], strict=True):
        expected = row_of_whole.scores["clean"].probability
        assert row_of_parts.scores["clean"].probability == pytest.approx(expected)


def test_eight_threads_agree(dual, pixels):
    image, labels = {"clean": pixels()}, torch.tensor([0, 1])

    def work(_):
        rows = measure_gap(dual, image, labels, None, by="stage").rows
        return [row.scores["clean"].probability for each in rows.values() for row in each]

    expected = work(0)
    with ThreadPoolExecutor(8) as pool:
        for measured in pool.map(work, range(12)):
            assert measured == pytest.approx(expected, rel=1e-4)


def test_refusals(steps, make_dual):
    with pytest.raises(ValueError, match="logits must be finite"):
        measure_gap(steps, {"clean": GREYS * torch.nan}, BRIGHT, None, by="layer")
    with pytest.raises(ValueError, match="advprop calibrate"):
        measure_gap(make_dual(auxiliaries=0), {"clean": GREYS}, BRIGHT, None, by="layer")
