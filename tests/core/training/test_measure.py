import pytest
import torch
from torch import nn

from advprop_core import bundle
from advprop_core.training.measure import shape_bias


class Constant(nn.Module):
    def __init__(self, answer: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(nn.functional.one_hot(torch.tensor(answer), 10).float())

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.scores.expand(len(pixels), -1)


def test_shape_bias_counts_decisions_by_shape_and_by_texture():
    row = shape_bias(Constant(3).eval(), 32, 100)
    assert row["shape"] == 0.1, "classes take turns, so a tenth of the scenes has this outline"
    assert row["n"] == round(100 * (row["shape"] + row["texture"]))
    assert row["top1"] == pytest.approx(row["shape"] / (row["shape"] + row["texture"]))
    assert row["interval"][0] < row["top1"] < row["interval"][1]


def test_the_bundled_vanilla_network_reads_texture():
    vanilla = bundle.open_model("shapes-vanilla")
    row = shape_bias(vanilla.model.branch("main"), vanilla.info.input_size, 400)
    assert row["interval"][1] < 0.5


def test_a_card_holds_what_measuring_this_file_gives():
    info = bundle.open_model("shapes-advprop").info
    rows = [one for one in info.metrics if one["condition"]["kind"] == "shape-bias"]
    model = bundle.open_model("shapes-advprop").model
    for row in rows:
        again = shape_bias(model.branch(row["branch"]), info.input_size)
        assert again["top1"] == pytest.approx(row["top1"], abs=0.01)
    assert [row["branch"] for row in rows] == ["main", "aux"]
