import copy

import pytest
import torch

from advprop_core.faithfulness.agreement import spearman
from advprop_core.faithfulness.maps import Undefined
from advprop_core.faithfulness.randomisation import check_randomisation
from advprop_core.models.dual_bn import PixelNetwork


@pytest.fixture
def module(make_tiny):
    """Stages 0, 3 and 8."""
    return PixelNetwork(make_tiny(), (0.5,) * 3, (0.5,) * 3).eval().requires_grad_(False)


def first_weights(network, pixels):
    count, _, height, width = pixels.shape
    weights = network.network[0].weight.flatten()
    return weights[: height * width].view(1, height, width).expand(count, -1, -1)


def cascade(module, pixels, make_map, draws=1, seed=0):
    original = make_map(copy.deepcopy(module), pixels)
    return check_randomisation(
        module, pixels, make_map, original, stages=("0", "3", "8"), draws=draws, seed=seed
    )


def test_a_map_of_the_picture_alone_stays_what_it_is(module, pixels):
    for check in cascade(module, pixels(), lambda network, shown: shown.mean(1)):
        assert [step.stage for step in check.steps] == ["8", "3", "0"]
        assert all(step.correlation == pytest.approx(1.0) for step in check.steps)
        assert check.verdict == "mostly the picture"
        assert check.kept == pytest.approx(1.0)
        assert check.words == (
            "With every weight random the map has a rank correlation of 1.00 with the original: "
            "most of its order comes from the picture, whatever was learnt."
        )


def test_a_map_of_the_first_weights_changes_at_the_last_step(module, pixels):
    (check,) = cascade(module, pixels(1, 14), first_weights, draws=3)
    head, middle, whole = check.steps
    assert (head.correlation, middle.correlation) == pytest.approx((1.0, 1.0))
    assert abs(whole.correlation) < 0.2
    assert abs(whole.absolute_correlation) < 0.2
    assert whole.draws == 3
    assert check.verdict == "follows the weights"


def test_a_map_in_between_is_partly_the_picture(module, pixels):
    def half(network, shown):
        weights = first_weights(network, shown)
        return weights / weights.std() + 0.75 * shown.mean(1) / shown.mean(1).std()

    check, _ = cascade(module, pixels(2, 14), half)
    assert 0.2 <= check.steps[-1].correlation < 0.5
    assert check.verdict == "partly the picture"


def test_a_flipped_sign_is_seen_in_the_absolute_values(module, pixels):
    signs = iter([1, -1, -1, -1])
    check, _ = cascade(module, pixels(), lambda network, shown: next(signs) * (shown.mean(1) - 0.5))
    assert check.steps[0].correlation == pytest.approx(-1.0)
    assert check.steps[0].absolute_correlation == pytest.approx(1.0)
    assert check.verdict == "mostly the picture"


def test_the_cascade_goes_on_from_the_head_and_starts_anew_with_each_draw(module, pixels):
    before = [module.network[at].weight.clone() for at in (0, 3, 8)]
    changed = []

    def remember(network, shown):
        now = [network.network[at].weight for at in (0, 3, 8)]
        changed.append([not torch.equal(*pair) for pair in zip(before, now, strict=True)])
        return shown.mean(1)

    cascade(module, pixels(), remember, draws=2)
    steps = [[False, False, True], [False, True, True], [True, True, True]]
    assert changed == [[False, False, False], *steps, *steps]


def test_only_copies_that_share_nothing_are_handed_out(module, pixels):
    def inspect(network, shown):
        own = {tensor.data_ptr() for tensor in network.state_dict().values()}
        assert not own & {tensor.data_ptr() for tensor in module.state_dict().values()}
        return shown.mean(1)

    cascade(module, pixels(), inspect)


def test_the_norm_of_a_stage_goes_with_it(module, pixels, randomise):
    randomise(module)
    seen = []

    def remember(network, shown):
        seen.append([bool(network.network[at].running_mean.any()) for at in (1, 4)])
        return shown.mean(1)

    cascade(module, pixels(), remember)
    assert seen == [[True, True], [True, True], [True, False], [False, False]]


def test_what_a_maker_leaves_on_its_network_does_not_reach_the_given_one(module, pixels):
    def hooked(network, shown):
        network.network[0].register_forward_hook(lambda *_: None)
        network.train()
        return shown.mean(1)

    cascade(module, pixels(), hooked)
    assert not module.network[0]._forward_hooks
    assert not any(part.training for part in module.modules())


def test_draws_differ_and_their_mean_counts(module, pixels):
    drawn = []

    def remember(network, shown):
        drawn.append(first_weights(network, shown).clone())
        return drawn[-1]

    (check,) = cascade(module, pixels(1, 14), remember, draws=3)
    original, *others = drawn
    last = [spearman(original, maps)[0] for maps in others[2::3]]
    assert len({*last}) == 3
    assert check.steps[-1].correlation == pytest.approx(sum(last) / 3)


def test_seeds_decide(module, pixels):
    once, again, other = (
        cascade(module, pixels(1, 14), first_weights, seed=seed) for seed in (0, 0, 1)
    )
    assert once == again != other


def test_maps_that_turn_empty_are_undefined_not_changed(module, pixels):
    maps = iter([torch.rand(2, 32, 32), *[torch.zeros(2, 32, 32)] * 3])
    check, _ = cascade(module, pixels(), lambda network, shown: next(maps))
    assert check.steps[0].correlation == Undefined("the map is zero everywhere")
    assert check.kept == Undefined("the map is zero everywhere")
    assert check.verdict == "undefined"
    assert check.words == (
        "With every weight random nothing can be compared: undefined: the map is zero everywhere."
    )


def test_signed_maps_whose_size_alone_is_kept_are_told_so(module, pixels):
    generator = torch.Generator().manual_seed(0)

    def make_map(network, shown):
        signs = torch.randint(0, 2, shown.mean(1).shape, generator=generator) * 2 - 1
        return shown.mean(1) * signs

    check, _ = cascade(module, pixels(), make_map)
    assert abs(check.steps[-1].correlation) < 0.1
    assert check.steps[-1].absolute_correlation == pytest.approx(1.0)
    assert check.verdict == "mostly the picture"
    assert check.words.startswith("With every weight random the absolute map has")


def test_a_picture_of_several_is_what_it_is_alone(module, pixels):
    def mixed(network, shown):
        return first_weights(network, shown) + shown.mean(1)

    both = pixels(2, 14)
    together = cascade(module, both, mixed, draws=2)
    for index in range(2):
        assert cascade(module, both[index : index + 1], mixed, draws=2) == (together[index],)
