"""TracIn over the checkpoints of a run."""

import pytest
import torch
from torch.nn import functional as F

from advprop_core.datasets.named import list_images
from advprop_core.errors import InputError
from advprop_core.influence.tracer import tracin_tracer
from advprop_core.influence.tracing import CheckpointTrace
from advprop_core.models import checkpoints
from advprop_core.models.checkpoints import RATE, epoch_file, epoch_files
from advprop_core.training.run import train
from tests.core.training.tiny import draw_photos, tiny_recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of three epochs that kept them, and its photos."""
    patch = pytest.MonkeyPatch()
    patch.setenv("ACCELERATE_USE_CPU", "true")
    photos = draw_photos(tmp_path_factory.mktemp("photos"))
    out = tmp_path_factory.mktemp("run") / "kept"
    recipe = tiny_recipe(epochs=3, schedule="constant", warmup_epochs=0.0)
    path = train(recipe, str(photos), out, keep_epochs=True)
    patch.undo()
    return path, photos


def test_scores_are_sums_of_rate_times_product_of_gradients():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(6, 2, 3, generator=generator)
    tests, test_labels = torch.randn(2, 2, 3, generator=generator), torch.tensor([1, 0])
    labels = torch.arange(6) % 2
    layers = [(torch.randn(2, 4, generator=generator), rate) for rate in (0.5, 0.1)]
    trace = CheckpointTrace(features, labels, layers)

    def gradient(position, x, label):
        weight = layers[position][0].clone().requires_grad_()
        logits = x[position] @ weight[:, :3].T + weight[:, 3]
        (slope,) = torch.autograd.grad(F.cross_entropy(logits[None], label[None]), weight)
        return slope.flatten()

    def product(position, x, label, y, other):
        return gradient(position, x, label) @ gradient(position, y, other)

    expected = [
        [
            sum(layers[p][1] * product(p, x, a, y, b) for p in (0, 1))
            for y, b in zip(features, labels, strict=True)
        ]
        for x, a in zip(tests, test_labels, strict=True)
    ]
    torch.testing.assert_close(trace.influence(tests, test_labels), torch.tensor(expected))
    own = trace.influence(features, labels).diagonal()
    torch.testing.assert_close(trace.self_influence(), own)


def test_a_run_keeps_its_epochs_and_is_traced_through_them(finished, cache):
    path, photos = finished
    files = epoch_files(path.parent)
    names = [f"epoch-0000{number}.safetensors" for number in (1, 2, 3)]
    assert [file.name for file in files] == names
    kept = [checkpoints.load(file) for file in files]
    assert [each.info.recipe[RATE] for each in kept] == [0.1] * 3
    weights = [each.model.state_dict()["conv1.0.weight"] for each in kept]
    assert not torch.equal(weights[0], weights[2])
    last = checkpoints.load(path)
    assert torch.equal(weights[2], last.model.state_dict()["conv1.0.weight"])
    images = list_images(str(photos), classes=last.info.classes)
    tracer = tracin_tracer(path, "aux", images, cache)
    pixels = images.select([0]).load(32).pixels.float() / 255
    rest = tracer.trace(pixels, 0)
    assert rest.helpful(1)[0][0] == 0, "an image helps itself most"
    assert rest.answer == int(last.model.branch("aux")(pixels).argmax())
    assert all(score < 0 for _, score in rest.harmful(3))


def test_a_run_without_checkpoints_says_how_to_make_them(finished, cache, tmp_path):
    path, photos = finished
    alone = tmp_path / "alone" / "model.safetensors"
    alone.parent.mkdir()
    alone.write_bytes(path.read_bytes())
    images = list_images(str(photos))
    with pytest.raises(InputError, match="advprop train --keep-epochs --out DIR"):
        tracin_tracer(alone, "main", images, cache)
    stranger = checkpoints.load(path)
    epoch_file(alone.parent, 1).parent.mkdir()
    epoch_file(alone.parent, 1).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="does not say its learning rate"):
        tracin_tracer(alone, "main", images, cache)
    other_size = {**stranger.info.recipe, RATE: 0.1}
    info = type(stranger.info)(**{**vars(stranger.info), "recipe": other_size, "input_size": 64})
    checkpoints.save(epoch_file(alone.parent, 1), stranger.model, info)
    with pytest.raises(InputError, match="takes images of 64 pixels, .* of 32"):
        tracin_tracer(alone, "main", images, cache)
