"""Maps of one image in rows."""

import pytest
import torch

from advprop_core.attribution.errors import UnknownLayer
from advprop_core.attribution.methods import METHODS, MapChoice
from advprop_core.attribution.rows import MapRow, differences, plan_rows
from advprop_core.types import AttributionMap


def make_row(method, values, layer=None):
    """(kind, branch) to the number that the map is everywhere."""
    maps = {
        (kind, branch): AttributionMap(torch.full((8, 8), value), method, branch, kind, 0, layer)
        for (kind, branch), value in values.items()
    }
    return MapRow(method, METHODS[method], layer, maps)


def choose(*methods, required=(), layers=()):
    return MapChoice(methods, frozenset(required), layers, {}, 0)


def test_a_row_per_layer_for_methods_that_have_one(branch, pixels):
    choice = choose("saliency", "grad-cam", layers=("layer1", "layer2"))
    planned = [(method.name, layer) for method, layer in plan_rows(branch, pixels(1), choice)]
    assert planned == [("saliency", None), ("grad-cam", "layer1"), ("grad-cam", "layer2")]


def test_a_network_without_maps_of_layers_has_rows_of_other_methods(linear_net, weights):
    network = linear_net(weights)
    image = torch.zeros(1, 3, 4, 4)
    (row,) = plan_rows(network, image, choose("grad-cam", "saliency"))
    assert row == (METHODS["saliency"], None)
    for choice in (
        choose("grad-cam", required=("grad-cam",)),
        choose("cam", "grad-cam", layers=("stages",)),
    ):
        with pytest.raises(UnknownLayer):
            plan_rows(network, image, choice)


def test_names_of_a_row():
    row = make_row("hires-cam", {("clean", "main"): 1.0}, "s3")
    assert row.title == "HiResCAM at s3"
    assert row.stem("clean", "main") == "hires-cam_main"
    assert row.stem("adversarial", "main") == "hires-cam_main_adversarial"


def test_differences_literal():
    row = make_row(
        "saliency",
        {
            ("clean", "main"): 5.0,
            ("clean", "aux"): 3.0,
            ("clean", "aux2"): 1.0,
            ("adversarial", "main"): 1.0,
            ("adversarial", "aux"): 4.0,
            ("adversarial", "aux2"): 0.0,
        },
    )
    found = {one.name: (one.words, float(one.values[0, 0])) for one in differences(row)}
    assert found == {
        "saliency_main-minus-aux": ("main − aux, clean", 2.0),
        "saliency_main-minus-aux2": ("main − aux2, clean", 4.0),
        "saliency_main-minus-aux_adversarial": ("main − aux, adversarial", -3.0),
        "saliency_main-minus-aux2_adversarial": ("main − aux2, adversarial", 1.0),
        "saliency_main_clean-minus-adversarial": ("clean − adversarial, main", 4.0),
        "saliency_aux_clean-minus-adversarial": ("clean − adversarial, aux", -1.0),
        "saliency_aux2_clean-minus-adversarial": ("clean − adversarial, aux2", 1.0),
    }


def test_one_map_differs_from_nothing():
    assert differences(make_row("saliency", {("clean", "main"): 1.0})) == []
