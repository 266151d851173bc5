import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.datasets.listed import Images
from advprop_core.datasets.named import load_images
from advprop_core.models import bundle
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.training import measure
from advprop_core.training.measure import quick_look, shape_biases


@pytest.fixture(scope="module")
def conflicts():
    """The scenes of the bundled networks' cards, drawn once for this file."""
    return load_images("shapes-conflict", 96, limit=measure.CONFLICT_SCENES)


def test_the_bundled_vanilla_network_reads_texture():
    vanilla = bundle.open_model("shapes-vanilla")
    (row,) = shape_biases(vanilla.model, load_images("shapes-conflict", 96, limit=400))
    assert row["interval"][1] < 0.5
    assert row["n"] == round(400 * (row["shape"] + row["texture"]))
    assert row["top1"] == pytest.approx(row["shape"] / (row["shape"] + row["texture"]))


def test_a_card_holds_what_measuring_this_file_gives(conflicts):
    info = bundle.open_model("shapes-advprop").info
    rows = [one for one in info.metrics if one["condition"]["kind"] == "shape-bias"]
    model = bundle.open_model("shapes-advprop").model
    for row, again in zip(rows, shape_biases(model, conflicts), strict=True):
        assert again["top1"] == pytest.approx(row["top1"], abs=0.01)
    assert [row["branch"] for row in rows] == ["main", "aux"]


def split_of(count, side=16):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    return Images(images, torch.arange(count) % 4, ())


def test_a_quick_look_is_share_and_mean_over_all_images(make_tiny, randomise):
    """More than one part of 256, the last of which is small."""
    model = DualBNModel(make_tiny(), (0.5,) * 3, (0.5,) * 3)
    randomise(model)
    split = split_of(300)
    found = quick_look(model, split, torch.device("cpu"))
    assert list(found) == ["main", "aux"]
    model.freeze()
    for name, (right, loss) in found.items():
        logits = model.branch(name)(split.pixels.float() / 255)
        assert right == pytest.approx((logits.argmax(1) == split.labels).float().mean().item())
        assert loss == pytest.approx(F.cross_entropy(logits, split.labels).item(), rel=1e-4)
    assert found["main"] != found["aux"]


def test_a_quick_look_literal(make_tiny):
    """A network that answers 3 with three times the odds of each other class, whatever it sees."""
    network = make_tiny()
    nn.init.zeros_(network[8].weight)
    network[8].bias.data = torch.tensor([0.0, 0.0, 0.0, math.log(3)])
    model = DualBNModel(network, (0.5,) * 3, (0.5,) * 3, auxiliaries=0)
    right, loss = quick_look(model, split_of(8), torch.device("cpu"))["main"]
    assert right == 0.25
    assert loss == pytest.approx((3 * math.log(6) + math.log(2)) / 4)


def test_a_quick_look_leaves_a_model_in_training_as_it_is(make_tiny):
    model = DualBNModel(make_tiny(), (0.5,) * 3, (0.5,) * 3).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    quick_look(model, split_of(4), torch.device("cpu"))
    assert all(part.training for part in model.modules())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_all_images_are_shown_clean_and_a_few_of_each_class_attacked(make_tiny):
    model = DualBNModel(make_tiny(), (0.5,) * 3, (0.5,) * 3).freeze()
    rows = measure.measure(model, split_of(24), "photos", "photos val", attacked=6)
    counts = [(row["branch"], row["condition"]["kind"], row["n"]) for row in rows]
    assert counts == [
        ("main", "clean", 24), ("aux", "clean", 24), ("main", "attack", 6), ("aux", "attack", 6)
    ]  # fmt: skip
    assert {row["data"] for row in rows} == {"photos val"}
