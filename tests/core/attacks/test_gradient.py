import pytest
import torch
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack, loss_gradient
from advprop_core.datasets.named import load_images
from advprop_core.models import bundle
from advprop_core.types import AttackConfig

BOTH_NORMS = pytest.mark.parametrize("norm", ["linf", "l2"])
RADIUS = {"linf": 8 / 255, "l2": 1.0}


def config(norm="linf", **fields):
    radius = fields.pop("epsilon", RADIUS[norm])
    return AttackConfig.pgd(radius, norm=norm, **fields)


def length(perturbation, norm):
    flat = perturbation.flatten(1)
    return flat.abs().amax(1) if norm == "linf" else flat.norm(dim=1)


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


@pytest.fixture
def labels():
    return torch.tensor([0, 1, 2, 3])


def losses(module, image, labels):
    with torch.no_grad():
        return F.cross_entropy(module(image), labels, reduction="none")


# -- what every attack promises ---------------------------------------------------------------


@BOTH_NORMS
@pytest.mark.parametrize("random_start", [False, True])
@pytest.mark.parametrize("target_class", [None, 5])
def test_stays_in_the_ball_and_the_range(branch, pixels, labels, norm, random_start, target_class):
    clean = pixels(4)
    clean[0].clamp_(0, 0.01)  # at the edges of the range too
    clean[1].clamp_(0.99, 1)
    points = []
    how = config(norm, steps=5, random_start=random_start, target_class=target_class)
    final = attack(branch, clean, labels, how, on_step=lambda _, point: points.append(point))
    assert len(points) == 6
    assert points[-1] is final
    for point in points:
        assert point.min() >= 0
        assert point.max() <= 1
        assert (length(point - clean, norm) <= RADIUS[norm] + 1e-5).all()
    assert (length(final - clean, norm) > 0.5 * RADIUS[norm]).all()


@BOTH_NORMS
def test_raises_the_loss(branch, pixels, labels, norm):
    clean = pixels(4)
    found = attack(branch, clean, labels, config(norm))
    assert (losses(branch, found, labels) > losses(branch, clean, labels)).all()


@BOTH_NORMS
def test_targeted_lowers_the_targets_loss(branch, pixels, labels, norm):
    clean, wanted = pixels(4), torch.full((4,), 5)
    found = attack(branch, clean, labels, config(norm, target_class=5))
    assert (losses(branch, found, wanted) < losses(branch, clean, wanted)).all()


@BOTH_NORMS
@pytest.mark.parametrize("random_start", [False, True])
def test_epsilon_zero_is_the_identity(branch, pixels, labels, norm, random_start):
    how = AttackConfig(norm, 0.0, 0.1, 3, random_start)
    assert torch.equal(attack(branch, pixels(4), labels, how), pixels(4))


@BOTH_NORMS
def test_fgsm_is_one_step_of_pgd(branch, pixels, labels, norm):
    radius = RADIUS[norm]
    one = AttackConfig.pgd(radius, norm=norm, steps=1, step_size=radius, random_start=False)
    fgsm = attack(branch, pixels(4), labels, AttackConfig.fgsm(radius, norm=norm))
    assert torch.equal(fgsm, attack(branch, pixels(4), labels, one))


@BOTH_NORMS
def test_same_seed_same_output_and_the_global_generator_is_left_alone(branch, pixels, labels, norm):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = attack(branch, pixels(4), labels, config(norm, seed=3))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, attack(branch, pixels(4), labels, config(norm, seed=3)))
    assert not torch.equal(first, attack(branch, pixels(4), labels, config(norm, seed=4)))


@BOTH_NORMS
@pytest.mark.parametrize("random_start", [False, True])
def test_samples_do_not_affect_each_other(branch, pixels, labels, norm, random_start):
    how = config(norm, steps=3, random_start=random_start)
    together = attack(branch, pixels(4), labels, how)
    changed = pixels(4)
    changed[1:] = pixels(4, seed=9)[1:]
    other = attack(branch, changed, torch.tensor([0, 5, 5, 5]), how)
    torch.testing.assert_close(other[0], together[0], atol=1e-5, rtol=0)
    if not random_start:
        alone = attack(branch, pixels(4)[2:3], labels[2:3], how)
        torch.testing.assert_close(alone[0], together[2], atol=1e-3, rtol=0)


@BOTH_NORMS
def test_changes_nothing_on_model_or_input(dual, pixels, labels, norm):
    dual.requires_grad_(True)
    state = {key: value.clone() for key, value in dual.state_dict().items()}
    clean = pixels(4)
    attack(dual.branch("aux"), clean, labels, config(norm))
    assert torch.equal(clean, pixels(4))
    assert not clean.requires_grad
    assert clean.grad is None
    assert all(p.grad is None and p.requires_grad for p in dual.parameters())
    assert not any(part.training for part in dual.modules())
    assert all(torch.equal(state[key], value) for key, value in dual.state_dict().items())


def test_result_carries_no_graph_even_where_the_input_does(branch, pixels, labels):
    clean = pixels(4).requires_grad_()
    found = attack(branch, clean, labels, config())
    assert not found.requires_grad
    assert clean.requires_grad
    assert clean.grad is None
    with torch.no_grad():  # a caller's no_grad does not stop it either
        assert torch.equal(found, attack(branch, clean, labels, config()))


@BOTH_NORMS
def test_random_start_fills_the_ball(norm, labels):
    clean = torch.full((64, 3, 4, 4), 0.5)
    starts = []
    how = AttackConfig(norm, 0.25, 0.0, 1, random_start=True)
    attack(
        lambda x: x.flatten(1)[:, :4],
        clean,
        labels.repeat(16),
        how,
        on_step=lambda _, point: starts.append(point - clean),
    )
    distances = length(starts[0], norm)
    assert (distances <= 0.25 + 1e-6).all()
    assert distances.min() > 0.2  # in 48 dimensions nearly all of a ball is its shell
    assert starts[0].mean().abs() < 0.02
    assert len(starts[0].flatten(1).unique(dim=0)) == 64
    if norm == "linf":
        assert starts[0].std() == pytest.approx(0.25 / 3**0.5, rel=0.05)


# -- literal values -----------------------------------------------------------------------------


@pytest.fixture
def linear():
    """Logits (x₀ − 2·x₁, 0) of the first two values: the gradient for class 0 points at (−1, 2)."""

    def forward(x):
        flat = x.flatten(1)
        score = flat[:, 0] - 2 * flat[:, 1]
        return torch.stack([score, torch.zeros_like(score)], 1)

    return forward


def test_linf_on_a_linear_model(linear):
    clean = torch.full((1, 3, 1, 1), 0.5)
    found = attack(linear, clean, torch.tensor([0]), AttackConfig.fgsm(0.125))
    assert found.flatten().tolist() == [0.375, 0.625, 0.5]
    toward = attack(linear, clean, torch.tensor([0]), AttackConfig.fgsm(0.125, target_class=0))
    assert toward.flatten().tolist() == [0.625, 0.375, 0.5]


def test_l2_on_a_linear_model(linear):
    clean = torch.full((1, 3, 1, 1), 0.5)
    found = attack(linear, clean, torch.tensor([0]), AttackConfig.fgsm(0.25, norm="l2"))
    move = 0.25 / 5**0.5
    torch.testing.assert_close(found.flatten(), torch.tensor([0.5 - move, 0.5 + 2 * move, 0.5]))


def test_the_range_cuts_a_step_short(linear):
    clean = torch.tensor([0.125, 0.875, 0.5]).view(1, 3, 1, 1)
    found = attack(linear, clean, torch.tensor([0]), AttackConfig.fgsm(0.25))
    assert found.flatten().tolist() == [0.0, 1.0, 0.5]


def test_steps_add_up_and_are_projected(linear):
    clean = torch.full((1, 3, 1, 1), 0.5)
    points = []
    how = AttackConfig("linf", 0.125, 0.0625, 3, random_start=False)
    attack(linear, clean, torch.tensor([0]), how, lambda i, point: points.append((i, point)))
    assert [i for i, _ in points] == [0, 1, 2, 3]
    assert [point.flatten()[0].item() for _, point in points] == [0.5, 0.4375, 0.375, 0.375]


def test_loss_gradient_literal(linear):
    """Of the log odds, which at even odds are twice as steep as the cross-entropy."""
    gradient = loss_gradient(linear, torch.full((2, 1, 1, 3), 0.0), torch.tensor([0, 1]))
    assert gradient.flatten(1).tolist() == [[-1.0, 2.0, 0.0], [1.0, -2.0, 0.0]]


# -- refusals -----------------------------------------------------------------------------------


def test_training_mode_is_refused_in_any_part(make_tiny, pixels):
    module, label = make_tiny().eval(), torch.tensor([0, 1])
    module[4].train()
    before = module[4].running_mean.clone()
    with pytest.raises(ValueError, match="eval mode"):
        attack(module, pixels(), label, config())
    assert torch.equal(before, module[4].running_mean)
    with pytest.raises(ValueError, match="eval mode"):
        attack(module.train(), pixels(), label, config())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: x * 2 - 0.5, ValueError, r"\[0, 1\].*before mean/std"),
        (lambda x: x * torch.nan, ValueError, r"\[0, 1\]"),
        (lambda x: (x * 255).byte(), TypeError, "floating point"),
        (lambda x: x[0], ValueError, r"\(N, 3, H, W\)"),
        (lambda x: x[:3], ValueError, "one per image"),
    ],
)
def test_pixels_are_validated(branch, pixels, labels, change, error, words):
    with pytest.raises(error, match=words):
        attack(branch, change(pixels(4)), labels, config())


@pytest.mark.parametrize("bad", [-1, 6])
def test_a_label_the_model_does_not_have(branch, pixels, bad):
    with pytest.raises(ValueError, match=r"\[0, 5\]"):
        attack(branch, pixels(1), torch.tensor([bad]), config())


def test_a_target_the_model_does_not_have(branch, pixels, labels):
    with pytest.raises(ValueError, match=r"\[0, 5\], the model has 6"):
        attack(branch, pixels(4), labels, config(target_class=6))


def test_an_empty_batch_stays_empty(branch):
    found = attack(branch, torch.rand(0, 3, 32, 32), torch.zeros(0, dtype=torch.long), config())
    assert found.shape == (0, 3, 32, 32)


# -- an independent implementation --------------------------------------------------------------


def foolbox_attack(module, clean, labels, how):
    foolbox = pytest.importorskip(
        "foolbox", reason="foolbox is no dependency: pip install foolbox to compare with it"
    )
    kind = {
        ("linf", 1): foolbox.attacks.LinfFastGradientAttack,
        ("linf", 10): foolbox.attacks.LinfPGD,
        ("l2", 1): foolbox.attacks.L2FastGradientAttack,
        ("l2", 10): foolbox.attacks.L2PGD,
    }[how.norm, how.steps]
    settings = {"random_start": how.random_start}
    if how.steps > 1:
        settings |= {"steps": how.steps, "abs_stepsize": how.step_size}
    model = foolbox.PyTorchModel(module, bounds=(0, 1), device="cpu")
    torch.manual_seed(0)
    return kind(**settings)(model, clean, labels, epsilons=how.epsilon)[1]


@pytest.mark.parametrize(
    "how",
    [
        AttackConfig.fgsm(4 / 255),
        AttackConfig.fgsm(1.0, norm="l2"),
        AttackConfig.pgd(4 / 255, random_start=False),
        AttackConfig.pgd(1.0, norm="l2", random_start=False),
    ],
    ids=["linf fgsm", "l2 fgsm", "linf pgd", "l2 pgd"],
)
def test_without_chance_foolbox_finds_the_same(branch, pixels, labels, how):
    """Up to the rare value whose gradient is so near 0 that its sign is rounding."""
    clean = pixels(4)
    ours = attack(branch, clean, labels, how)
    theirs = foolbox_attack(branch, clean, labels, how)
    assert ((ours - theirs).abs() < 1e-3).float().mean() > 0.99
    mine, yours = (losses(branch, found, labels) for found in (ours, theirs))
    torch.testing.assert_close(mine, yours, rtol=0.01, atol=0.01)


def bundled_scenes(name, count):
    checkpoint = bundle.open_model(name)
    info = checkpoint.info
    images = load_images("shapes", info.input_size, classes=info.classes, limit=count)
    return checkpoint.model, images.pixels.float() / 255, images.labels


@pytest.mark.parametrize(
    "how",
    [
        AttackConfig.fgsm(6 / 255),
        AttackConfig.pgd(5 / 255),
        AttackConfig.pgd(1.0, norm="l2"),
    ],
    ids=["linf fgsm", "linf pgd", "l2 pgd"],
)
def test_on_a_bundled_network_foolbox_is_as_strong(how):
    """Success rate, loss and mean perturbation agree within sampling error, unsaturated."""
    model, clean, labels = bundled_scenes("shapes-advprop", 128)
    module = model.branch("aux")
    before = losses(module, clean, labels)
    figures = []
    for found in (
        attack(module, clean, labels, how),
        foolbox_attack(module, clean, labels, how),
    ):
        with torch.no_grad():
            wrong = (module(found).argmax(1) != labels).float()
        loss = losses(module, found, labels)
        assert loss.mean() > before.mean()
        figures.append((wrong, loss, (found - clean).abs().flatten(1).mean(1)))
    assert 0.02 < figures[0][0].mean() < 0.98, "saturated: a broken attack would pass"
    # The scenes are the same, so the error is that of the difference, scene by scene.
    for mine, theirs, limit in zip(*figures, (0.03, 0.05, 2e-4), strict=True):
        difference = mine - theirs
        error = difference.std() / len(difference) ** 0.5
        assert difference.mean().abs() <= 3 * error + limit * max(1, theirs.mean())


def test_no_module_is_needed(pixels):
    weights = torch.randn(3 * 32 * 32, 4, generator=torch.Generator().manual_seed(0))
    found = attack(
        lambda x: x.flatten(1) @ weights, pixels(), torch.tensor([0, 1]), config(steps=2)
    )
    assert found.shape == pixels().shape
