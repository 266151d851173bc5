"""Features are computed once for each image, and belong to one network at one size."""

import pytest
import torch
from safetensors.torch import load_file

from advprop_core.models.dual_bn import PixelNetwork
from advprop_core.pictures.digests import image_digests
from advprop_core.transfer.features import FEATURES, FeatureCache
from advprop_core.transfer.sources import open_source

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(network):
    return open_source(f"{network}:aux")


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 32, 32), generator=generator, dtype=torch.uint8)


def digests(images):
    return image_digests(images, torch.zeros(len(images), dtype=torch.int64))


def test_they_are_what_the_head_is_given_and_are_computed_once(
    source, images, tmp_path, monkeypatch
) -> None:
    cache = FeatureCache(tmp_path, source, 32)
    first = cache.rows(images[:4], digests(images[:4]), CPU)
    seen = []
    real = PixelNetwork.head_features
    monkeypatch.setattr(
        PixelNetwork,
        "head_features",
        lambda net, pixels: seen.append(len(pixels)) or real(net, pixels),
    )
    again = FeatureCache(tmp_path, source, 32)
    rows = again.rows(images, digests(images), CPU)
    assert rows[:4] == first
    assert sum(seen) == 2, "the two that are new"
    with torch.no_grad():
        pixels = images.float() / 255
        head = source.network.network.get_classifier()
        logits = head(load_file(again.path)[FEATURES][list(rows)])
        assert torch.allclose(logits, source.network(pixels), atol=1e-4)


def test_those_of_another_network_are_refused_by_digest(source, network, images, tmp_path) -> None:
    FeatureCache(tmp_path, source, 32).rows(images, digests(images), CPU)
    (file,) = tmp_path.iterdir()
    main = open_source(str(network))
    object.__setattr__(main, "name", source.name)  # another network under the same name
    with pytest.raises(ValueError, match=rf"of another network \({source.digest}, not"):
        FeatureCache(tmp_path, main, 32)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"is damaged .*remove it, and its features are computed"):
        FeatureCache(tmp_path, source, 32)


def test_a_full_disk_is_one_sentence(source, images, tmp_path, fill_disk) -> None:
    fill_disk()
    with pytest.raises(OSError, match=r"could not be written \(No space left on device\): free at"):
        FeatureCache(tmp_path, source, 32).rows(images, digests(images), CPU)
