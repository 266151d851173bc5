"""Distances of norm layers, against figures worked out by hand."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from advprop_core.anatomy.distance import MEASURES, profile, top_channels
from advprop_core.models.dual_bn import DualBNModel, norm_layers

HALVES = (0.5, 0.5, 0.5)


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
    (distance,) = profile(literal)
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
    assert values(profile(literal)[0], "divergence") == pytest.approx((both / 2).tolist())


def test_affine_literal(literal):
    (distance,) = profile(literal)
    assert values(distance, "gamma_change") == [0.5, -3.0]
    assert values(distance, "beta_change") == [0.0, 3.5]
    assert distance.first.scale.tolist() == [3.0, 1.0]
    assert distance.first.shift.tolist() == [1.0, -0.5]  # 1 − 3·0, ½ − 1·1
    assert distance.second.scale.tolist() == pytest.approx([3.5 / 7**0.5, -0.5])
    assert distance.second.shift.tolist() == pytest.approx([1 - 7**0.5, 3.0])  # 4 − (−½)(−2)
    assert values(distance, "scale_change") == pytest.approx([3.5 / 7**0.5 - 3, -1.5])
    assert values(distance, "shift_change") == pytest.approx([-(7**0.5), 3.5])
    # √((1·(−1.5) + 3.5)² + 4·1.5²) = √13
    assert values(distance, "output_change")[1] == pytest.approx(13**0.5)


def test_what_cancels_out_changes_no_output(literal):
    """Twice the mean and the deviation of main, then γ and β that undo it."""
    fill(literal, "aux", running_mean=[0.0, 2.0], running_var=[4.0, 16.0])
    fill(literal, "aux", weight=[6.0, 4.0], bias=[1.0, 1.5])
    (distance,) = profile(literal)
    assert values(distance, "log_variance_ratio") == pytest.approx([1.386294] * 2)
    assert values(distance, "gamma_change") == [3.0, 2.0]
    for measure in ("scale_change", "shift_change", "output_change"):
        assert values(distance, measure) == [0.0, 0.0], measure


def test_output_change_is_that_of_the_layers(literal):
    """Measured on a large sample of what main was trained on."""
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(200_000, 2, 1, 1, generator=generator) * torch.tensor([1.0, 2.0]).view(
        1, 2, 1, 1
    ) + torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    main, aux = (next(iter(norm_layers(literal.branch(n)).values())) for n in ("main", "aux"))
    measured = (aux(sample) - main(sample)).square().mean((0, 2, 3)).sqrt()
    assert values(profile(literal)[0], "output_change") == pytest.approx(
        measured.tolist(), rel=0.01
    )


def test_exchanging_the_branches_changes_signs_only(literal):
    (there,), (back,) = profile(literal), profile(literal, "aux", "main")
    for measure in MEASURES:
        if measure == "output_change":  # on the inputs of the first branch
            continue
        same = measure == "divergence"
        expected = there.changes[measure] * (1 if same else -1)
        torch.testing.assert_close(back.changes[measure], expected)
    assert torch.equal(back.first.mean, there.second.mean)


def test_eps_counts_as_variance():
    """A dead channel has variance 0, and its distance is finite."""
    model = one_layer(eps=1.0)
    fill(model, "main", running_mean=[0.0, 0.0], running_var=[0.0, 0.0])
    fill(model, "aux", running_mean=[0.0, 1.0], running_var=[1.0, 0.0])
    (distance,) = profile(model)
    assert values(distance, "log_variance_ratio") == pytest.approx([0.693147, 0.0])
    assert values(distance, "divergence") == pytest.approx([0.125, 0.5])  # (½ + 2 − 2)/4, 2/4
    assert distance.first.variance.tolist() == [0.0, 0.0]
    assert distance.first.scale.tolist() == [1.0, 1.0]


def test_equal_branches_do_not_differ(make_tiny):
    for distance in profile(DualBNModel(make_tiny(), HALVES, HALVES)):
        assert set(distance.changes) == set(MEASURES)
        assert all(not change.any() for change in distance.changes.values())


def test_a_layer_without_scale_and_shift():
    model = one_layer(affine=False)
    fill(model, "aux", running_mean=[3.0, 0.0], running_var=[4.0, 1.0])
    (distance,) = profile(model)
    assert distance.first.gamma is distance.first.beta is None
    assert not {"gamma_change", "beta_change"} & set(distance.changes)
    assert values(distance, "scale_change") == [-0.5, 0.0]
    assert values(distance, "shift_change") == [-1.5, 0.0]
    assert distance.summary("gamma_change") is None


def test_a_layer_without_running_statistics():
    model = one_layer(track_running_stats=False, eps=1e-5)
    fill(model, "aux", weight=[2.0, 1.0], bias=[0.0, -1.0])
    (distance,) = profile(model)
    assert distance.second.mean is distance.second.scale is None
    assert set(distance.changes) == {"gamma_change", "beta_change"}
    with pytest.raises(ValueError, match="no divergence, it has gamma_change, beta_change"):
        top_channels([distance], "1", 1)


def test_a_layer_with_nothing_to_compare():
    model = one_layer(affine=False, track_running_stats=False, eps=1e-5)
    (distance,) = profile(model)
    assert distance.changes == {}
    with pytest.raises(ValueError, match="it has nothing to compare"):
        top_channels([distance], "1", 1)


def test_summary_is_of_sizes(literal):
    (distance,) = profile(literal)
    summary = distance.summary("mean_shift")  # 1 and −1.5
    assert (summary.mean, summary.median, summary.largest) == pytest.approx((1.25, 1.25, 1.5))


def test_top_channels(literal):
    distances = profile(literal)
    assert top_channels(distances, "1", 1) == ((0, pytest.approx(17 / 7)),)
    both = top_channels(distances, "1", 9, by="mean_shift")
    assert both == ((1, pytest.approx(-1.5)), (0, pytest.approx(1.0)))


def test_equal_channels_come_in_order(make_dual):
    model = DualBNModel(nn.Sequential(nn.Conv2d(3, 40, 1), nn.BatchNorm2d(40)), HALVES, HALVES)
    norm_layers(model.branch("aux"))["network.1"].running_mean.fill_(1.0)
    assert [channel for channel, _ in top_channels(profile(model), "1", 40)] == list(range(40))


def test_top_channels_refuses(literal):
    distances = profile(literal)
    with pytest.raises(ValueError, match="no norm layer '2'. Choose from 1"):
        top_channels(distances, "2", 1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        top_channels(distances, "1", 0)
    with pytest.raises(ValueError, match="by must be one of mean_shift, .*, got 'kl'"):
        top_channels(distances, "1", 1, by="kl")
    with pytest.raises(ValueError, match="by must be one of"):
        distances[0].summary("kl")


def test_broken_tensors_are_named(literal):
    fill(literal, "aux", running_var=[float("nan"), 1.0])
    with pytest.raises(ValueError, match="tensors of norm layer '1' must be finite"):
        profile(literal)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_efficientnet", "regnetx_002"])
def test_every_layer_of_a_network_has_every_measure(make_dual, architecture):
    model = make_dual(architecture, auxiliaries=2)
    distances = profile(model, "aux2", "aux")
    assert sorted(d.layer for d in distances) == sorted(model.norm_layer_names())
    for distance in distances:
        assert set(distance.changes) == set(MEASURES)
        for change in distance.changes.values():
            assert change.shape == (distance.channels,)
            assert change.dtype == torch.float32
            assert change.isfinite().all()


def test_results_share_nothing_with_the_model(literal):
    (distance,) = profile(literal)
    fill(literal, "main", running_mean=[9.0, 9.0])
    assert distance.first.mean.tolist() == [0.0, 1.0]
    assert not any(change.requires_grad for change in distance.changes.values())


def test_eight_threads_agree(make_dual):
    model = make_dual()
    expected = profile(model)
    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(lambda _: profile(model), range(16)))
    for distances in every:
        for one, other in zip(expected, distances, strict=True):
            assert one.layer == other.layer
            assert all(torch.equal(one.changes[key], other.changes[key]) for key in one.changes)
