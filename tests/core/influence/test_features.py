"""Features are computed once for each network, and never taken for another's."""

import os

import pytest
import torch

from advprop_core.datasets.named import list_images
from advprop_core.errors import InputError
from advprop_core.influence import features as features_module


def test_features_are_what_the_last_layer_is_given(checkpoint, cache, folder):
    images = list_images(str(folder))
    features = cache.features(checkpoint, "aux", images)
    pixels = images.select(range(12)).load(32).pixels.float() / 255
    branch = checkpoint.model.branch("aux")
    logits = branch.network.get_classifier()(features.values)
    torch.testing.assert_close(logits, branch(pixels), rtol=1e-3, atol=1e-3)
    assert features.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_they_are_computed_once_for_each_branch(checkpoint, cache, folder):
    images, calls = list_images(str(folder)), []

    def progress(done, total):
        calls.append((done, total))

    first = cache.features(checkpoint, "main", images, progress)
    assert calls == [(12, 12)]
    again = cache.features(checkpoint, "main", list_images(str(folder)), progress)
    assert calls == [(12, 12)], "the network ran again"
    assert torch.equal(first.values, again.values)
    other = cache.features(checkpoint, "aux", images, progress)
    assert not torch.equal(first.values, other.values)
    os.utime(folder / "crane" / "1.png", (0, 0))  # a file that is written anew
    cache.features(checkpoint, "main", list_images(str(folder)), progress)
    assert len(calls) == 3


def test_those_of_another_network_are_refused(checkpoint, cache, folder):
    images = list_images(str(folder))
    cache.features(checkpoint, "main", images)
    (of_main,) = cache.folder.iterdir()
    cache.features(checkpoint, "aux", images)
    (of_aux,) = {*cache.folder.iterdir()} - {of_main}
    of_main.rename(of_aux)
    with pytest.raises(InputError, match="holds features of another network .* remove it"):
        cache.features(checkpoint, "aux", images)
    of_aux.write_bytes(b"nonsense")
    with pytest.raises(InputError, match="is damaged .* remove it"):
        cache.features(checkpoint, "aux", images)


def test_the_cache_is_bounded(checkpoint, cache, folder, monkeypatch):
    cache.features(checkpoint, "main", list_images(str(folder)))
    (first,) = cache.folder.iterdir()
    monkeypatch.setattr(features_module, "MOST_BYTES", first.stat().st_size + 1)
    cache.features(checkpoint, "aux", list_images(str(folder)))
    assert [path.name for path in cache.folder.iterdir()] != [first.name]
    assert len([*cache.folder.iterdir()]) == 1


def test_a_full_disk_keeps_nothing_and_stops_nothing(checkpoint, cache, folder, fill_disk):
    fill_disk()
    features = cache.features(checkpoint, "main", list_images(str(folder)))
    assert len(features.values) == 12
    assert "free at least 1 MB" in str(cache.failure)
    assert not any(path.suffix == ".safetensors" for path in cache.folder.iterdir())


def test_a_class_without_a_readable_image_is_refused(checkpoint, cache, folder):
    for photo in (folder / "crane").iterdir():
        photo.write_bytes(b"no photo")
    (folder / "tench" / "0.png").write_bytes(b"no photo")
    with pytest.raises(InputError, match="has no image of crane that can be read"):
        cache.features(checkpoint, "main", list_images(str(folder)))
