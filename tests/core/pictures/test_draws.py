import pytest
import torch

from advprop_core.pictures.draws import normal, poisson, streams, uniform, whole


def test_a_stream_depends_on_seed_and_place_alone() -> None:
    assert torch.equal(normal(streams(3, 2), 50), normal(streams(3, 5), 50)[:2])
    numbers = torch.cat([normal(streams(seed, 4), 50) for seed in (0, 1, 2)])
    assert len(numbers.unique(dim=0)) == 12


def test_a_stream_goes_on() -> None:
    draws = streams(0, 1)
    assert not torch.equal(normal(draws, 8), normal(draws, 8))


def test_uniform_draws_are_even_over_minus_one_to_one() -> None:
    numbers = uniform(streams(0, 2), 100, 100)
    assert -1 <= numbers.min() < -0.999
    assert 0.999 < numbers.max() < 1
    assert numbers.histc(4, -1, 1).std() / numbers.numel() < 0.005


def test_whole_draws_leave_out_the_upper_end() -> None:
    assert whole(streams(0, 2), -2, 2, 200).unique().tolist() == [-2, -1, 0, 1]


def test_poisson_draws_have_their_rates() -> None:
    counts = poisson(streams(0, 2), torch.tensor([2.0, 30])[:, None].expand(-1, 4000))
    torch.testing.assert_close(counts.mean(1), torch.tensor([2.0, 30]), rtol=0.03, atol=0)


def test_there_is_one_seed_per_sample() -> None:
    with pytest.raises(ValueError, match="one per sample, got 1 for 2"):
        streams([3], 2)
