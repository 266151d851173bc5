import pytest
import torch
from torch import nn

from advprop_core.predict import logits_of, predict, require_eval


def test_each_branch_answers_for_itself(dual, pixels):
    images = torch.cat([pixels(1), pixels(1, seed=1)])
    logits = []
    for name in dual.branch_names:
        for image, prediction in zip(images, predict(dual.branch(name), images), strict=True):
            with torch.no_grad():
                expected = dual.branch(name)(image[None])[0]
            torch.testing.assert_close(prediction.logits, expected, rtol=1e-4, atol=1e-5)
            logits.append(prediction.logits)
    assert not any(torch.allclose(logits[0], other, atol=1e-3) for other in logits[1:])


def test_one_prediction_per_image(dual, pixels):
    predictions = predict(dual.branch("main"), pixels(3))
    assert [p.class_index for p in predictions] == logits_of(dual.branch("main"), pixels(3)).argmax(
        1
    ).tolist()
    assert not predictions[0].logits.requires_grad


def test_no_gradient_and_no_change(dual, pixels):
    dual.requires_grad_(True)
    state = {key: value.clone() for key, value in dual.state_dict().items()}
    logits = logits_of(dual.branch("main"), pixels())
    assert not logits.requires_grad
    assert logits.dtype == torch.float32
    assert all(torch.equal(state[key], value) for key, value in dual.state_dict().items())


def test_training_mode_is_refused_in_any_part(make_tiny, pixels):
    module = make_tiny().eval()
    require_eval(module)
    module[1].train()
    for call in (require_eval, lambda m: predict(m, pixels()), lambda m: logits_of(m, pixels())):
        with pytest.raises(ValueError, match="eval mode"):
            call(module)


def test_pixels_of_any_precision_are_taken(dual, pixels):
    expected = predict(dual.branch("main"), pixels())
    assert predict(dual.branch("main"), pixels().double()) == expected


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda images: (255 * images).byte(), TypeError, "divide by 255"),
        (lambda images: images.numpy(), TypeError, "must be a torch tensor, got ndarray"),
        (lambda images: images[0], ValueError, r"must have shape \(N, 3, H, W\)"),
        (lambda images: 4 * images - 2, ValueError, "before mean/std normalisation"),
    ],
)
def test_pixels_that_no_network_was_made_for_are_refused(dual, pixels, change, error, words):
    with pytest.raises(error, match=words):
        predict(dual.branch("main"), change(pixels()))


def test_logits_that_are_not_finite_are_refused(pixels):
    class Overflow(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :3] * torch.inf

    with pytest.raises(ValueError, match="finite"):
        predict(Overflow().eval(), pixels())
