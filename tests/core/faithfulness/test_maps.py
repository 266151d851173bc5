import math

import pytest
import torch

from advprop_core.faithfulness.maps import (
    Undefined,
    as_evidence,
    check_maps,
    defined,
    flaw,
    mean,
    reasons,
)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "the map is empty"),
        ([1.0, math.nan], "the map is not finite"),
        ([1.0, math.inf], "the map is not finite"),
        ([0.0, 0.0], "the map is zero everywhere"),
        ([-3.0, -3.0], "the map is constant"),
        ([1.0, 1.0000001], "the map is constant"),  # as interpolation leaves a constant
    ],
)
def test_maps_that_say_nothing_are_undefined_with_the_reason(values, reason):
    found = flaw(torch.tensor(values))
    assert found == Undefined(reason)
    assert str(found) == f"undefined: {reason}"


@pytest.mark.parametrize("values", [[0.0, 1e-30], [1.0, 1.00001], [-1.0, 1.0]])
def test_sound_maps_have_no_flaw_however_small_they_are(values):
    assert flaw(torch.tensor(values)) is None


def test_a_mean_is_over_what_exists():
    values = [1.0, Undefined("a"), 4.0]
    assert mean(values) == 2.5
    assert defined(values) == [1.0, 4.0]


def test_a_mean_of_nothing_is_undefined_for_the_main_reason():
    values = [Undefined("a"), Undefined("b"), Undefined("b")]
    assert mean(values) == Undefined("b")
    assert list(reasons(values).items()) == [("b", 2), ("a", 1)]
    assert mean([]) == Undefined("there is no value")


def test_maps_come_back_as_detached_float32_of_the_cpu():
    maps = check_maps(torch.ones(1, 2, 2, dtype=torch.float64, requires_grad=True), (1, 2, 2))
    assert (maps.dtype, maps.requires_grad, maps.device.type) == (torch.float32, False, "cpu")


def test_evidence_begins_at_nothing_and_speaks_for_the_class():
    values = torch.tensor([[[0.7, 0.9], [0.8, 0.7]]])
    assert torch.equal(as_evidence(values, "saliency"), values)
    assert torch.equal(as_evidence(values, "loss-gradient"), -values)
    expected = torch.tensor([[[0.0, 0.2], [0.1, 0.0]]])
    torch.testing.assert_close(as_evidence(values, "rise"), expected)
