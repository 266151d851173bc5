"""Distances of norm layers, against figures worked out by hand."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.distance import MEASURES, profile
from advprop_core.models.dual_bn import DualBNModel, norm_layers

HALVES = (0.5, 0.5, 0.5)
EXAMPLE = torch.zeros(1, 3, 64, 64)


def compared(model, second="aux"):
    return profile(model, second, EXAMPLE)


def one_layer(**arguments):
    """A model with one norm layer of two channels."""
    network = nn.Sequential(
        nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2, **{"eps": 0.0, **arguments}), nn.Flatten()
    )
    return DualBNModel(network, HALVES, HALVES).freeze()


def fill(model, branch, **tensors):
    (layer,) = norm_layers(model.branch(branch)).values()
    for name, values in tensors.items():
        getattr(layer, name).copy_(torch.tensor(values))


@pytest.fixture
def literal():
    """Main N(0, 1) and N(1, 4), aux N(2, 7) and N(−2, 4), with their own γ and β."""
    model = one_layer()
    fill(model, "main", running_mean=[0.0, 1.0], running_var=[1.0, 4.0])
    fill(model, "main", weight=[3.0, 2.0], bias=[1.0, 0.5])
    fill(model, "aux", running_mean=[2.0, -2.0], running_var=[7.0, 4.0])
    fill(model, "aux", weight=[3.5, -1.0], bias=[1.0, 4.0])
    return model


def values(distance, measure):
    return distance.changes[measure].tolist()


def test_statistics_literal(literal):
    (distance,) = compared(literal)
    assert (distance.layer, distance.stage, distance.channels) == ("1", "1", 2)
    assert values(distance, "mean_shift") == pytest.approx([1.0, -1.5])  # 2/√4, −3/√4
    assert values(distance, "log_variance_ratio") == pytest.approx([1.945910, 0.0])  # ln 7
    # ½(KL + KL): (1/7 + 7 − 2 + 4(1 + 1/7))/4 = 17/7, and (1 + 1 − 2 + 9(1/4 + 1/4))/4 = 9/8
    assert values(distance, "divergence") == pytest.approx([17 / 7, 9 / 8])


def test_divergence_is_what_torch_says(literal):
    main, aux = (next(iter(norm_layers(literal.branch(n)).values())) for n in ("main", "aux"))
    one, two = (
        torch.distributions.Normal(layer.running_mean, layer.running_var.sqrt())
        for layer in (main, aux)
    )
    both = torch.distributions.kl_divergence(one, two) + torch.distributions.kl_divergence(two, one)
    assert values(compared(literal)[0], "divergence") == pytest.approx((both / 2).tolist())


def test_affine_literal(literal):
    (distance,) = compared(literal)
    assert values(distance, "gamma_change") == [0.5, -3.0]
    assert values(distance, "beta_change") == [0.0, 3.5]
    # The scale goes from 3 and 1 to 3.5/√7 and −½, the shift from 1 − 3·0 and ½ − 1·1 to 1 − √7 and
    # 4 − (−½)(−2): √((−√7)² + (3.5/√7 − 3)²), and √((1·(−1.5) + 3.5)² + 4·1.5²) = √13.
    first = (7 + (3.5 / 7**0.5 - 3) ** 2) ** 0.5
    assert values(distance, "output_change") == pytest.approx([first, 13**0.5])


def test_what_cancels_out_changes_no_output(literal):
    """Twice the mean and the deviation of main, then γ and β that undo it."""
    fill(literal, "aux", running_mean=[0.0, 2.0], running_var=[4.0, 16.0])
    fill(literal, "aux", weight=[6.0, 4.0], bias=[1.0, 1.5])
    (distance,) = compared(literal)
    assert values(distance, "log_variance_ratio") == pytest.approx([1.386294] * 2)
    assert values(distance, "gamma_change") == [3.0, 2.0]
    assert values(distance, "output_change") == [0.0, 0.0]


def test_output_change_is_that_of_the_layers(literal):
    """Measured on a large sample of what main was trained on."""
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(200_000, 2, 1, 1, generator=generator) * torch.tensor([1.0, 2.0]).view(
        1, 2, 1, 1
    ) + torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    main, aux = (next(iter(norm_layers(literal.branch(n)).values())) for n in ("main", "aux"))
    measured = (aux(sample) - main(sample)).square().mean((0, 2, 3)).sqrt()
    assert values(compared(literal)[0], "output_change") == pytest.approx(
        measured.tolist(), rel=0.01
    )


def test_exchanging_the_branches_changes_signs_only(literal):
    exchanged = one_layer()
    for ours, theirs in (("main", "aux"), ("aux", "main")):
        (layer,) = norm_layers(literal.branch(theirs)).values()
        (target,) = norm_layers(exchanged.branch(ours)).values()
        target.load_state_dict(layer.state_dict())
    (forward,), (back,) = compared(literal), compared(exchanged)
    for measure in MEASURES:
        if measure == "output_change":  # on the inputs of main
            continue
        same = measure == "divergence"
        expected = forward.changes[measure] * (1 if same else -1)
        torch.testing.assert_close(back.changes[measure], expected)


def test_eps_counts_as_variance():
    """A dead channel has variance 0, and its distance is finite."""
    model = one_layer(eps=1.0)
    fill(model, "main", running_mean=[0.0, 0.0], running_var=[0.0, 0.0])
    fill(model, "aux", running_mean=[0.0, 1.0], running_var=[1.0, 0.0])
    (distance,) = compared(model)
    assert values(distance, "log_variance_ratio") == pytest.approx([0.693147, 0.0])
    assert values(distance, "divergence") == pytest.approx([0.125, 0.5])  # (½ + 2 − 2)/4, 2/4
    # γ/√(variance + eps) goes from 1 and 1 to 1/√2 and 1, the shift from 0 and 0 to 0 and −1.
    assert values(distance, "output_change") == pytest.approx([1 - 0.5**0.5, 1.0])


def test_equal_branches_do_not_differ(make_tiny):
    for distance in compared(DualBNModel(make_tiny(), HALVES, HALVES)):
        assert set(distance.changes) == set(MEASURES)
        assert all(not change.any() for change in distance.changes.values())


def test_a_layer_without_scale_and_shift():
    model = one_layer(affine=False)
    fill(model, "aux", running_mean=[3.0, 0.0], running_var=[4.0, 1.0])
    (distance,) = compared(model)
    assert not {"gamma_change", "beta_change"} & set(distance.changes)
    # The scale falls by ½ and the shift by 1.5: √(1.5² + ½²).
    assert values(distance, "output_change") == pytest.approx([2.5**0.5, 0.0])
    assert distance.summary("gamma_change") is None


def test_a_layer_without_running_statistics():
    model = one_layer(track_running_stats=False, eps=1e-5)
    fill(model, "aux", weight=[2.0, 1.0], bias=[0.0, -1.0])
    (distance,) = compared(model)
    assert set(distance.changes) == {"gamma_change", "beta_change"}


def test_a_layer_with_nothing_to_compare():
    model = one_layer(affine=False, track_running_stats=False, eps=1e-5)
    (distance,) = compared(model)
    assert distance.changes == {}


def test_summary_is_of_sizes(literal):
    (distance,) = compared(literal)
    summary = distance.summary("mean_shift")  # 1 and −1.5
    assert (summary.mean, summary.median, summary.largest) == pytest.approx((1.25, 1.25, 1.5))


def test_top_channels(literal):
    (distance,) = compared(literal)
    assert distance.top_channels("divergence", 1) == (0,)  # 17/7 and 9/8
    assert distance.top_channels("mean_shift", 9) == (1, 0)  # 1 and −1.5


def test_equal_channels_come_in_order(make_dual):
    model = DualBNModel(nn.Sequential(nn.Conv2d(3, 40, 1), nn.BatchNorm2d(40)), HALVES, HALVES)
    norm_layers(model.branch("aux"))["network.1"].running_mean.fill_(1.0)
    assert compared(model)[0].top_channels("divergence", 40) == tuple(range(40))


def test_broken_tensors_are_named(literal):
    fill(literal, "aux", running_var=[float("nan"), 1.0])
    with pytest.raises(ValueError, match="tensors of norm layer '1' must be finite"):
        compared(literal)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_efficientnet", "regnetx_002"])
def test_every_layer_of_a_network_has_every_measure(make_dual, architecture):
    model = make_dual(architecture, auxiliaries=2)
    distances = compared(model, "aux2")
    assert sorted(d.layer for d in distances) == sorted(model.norm_layer_names())
    for distance in distances:
        assert set(distance.changes) == set(MEASURES)
        for change in distance.changes.values():
            assert change.shape == (distance.channels,)
            assert change.dtype == torch.float32
            assert change.isfinite().all()


def test_results_share_nothing_with_the_model(literal):
    (distance,) = compared(literal.double())
    before = {name: value.clone() for name, value in distance.changes.items()}
    fill(literal, "main", running_mean=[9.0, 9.0])
    assert all(torch.equal(before[name], value) for name, value in distance.changes.items())
    assert next(iter(norm_layers(literal.branch("main")).values())).running_var.tolist() == [1, 4]
    assert not any(change.requires_grad for change in distance.changes.values())


def test_eight_threads_agree(make_dual):
    model = make_dual()
    expected = compared(model)
    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(lambda _: compared(model), range(16)))
    for distances in every:
        for one, other in zip(expected, distances, strict=True):
            assert one.layer == other.layer
            assert all(torch.equal(one.changes[key], other.changes[key]) for key in one.changes)
