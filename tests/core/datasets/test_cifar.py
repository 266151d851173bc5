import pickle

import numpy as np
import pytest
import torch

from advprop_core.datasets.cifar import CIFAR10_NAMES, CorruptedArrays, corruptions_in, is_cifar10_c
from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.pictures.corruptions import CorruptionConfig
from tests.core.datasets.drawn import put_cifar10_c

CLASSES = tuple((name, name) for name in CIFAR10_NAMES)


@pytest.fixture
def root(tmp_path):
    return put_cifar10_c(tmp_path / "CIFAR-10-C", ("fog", "spatter"))


def test_a_severity_is_a_fifth_of_the_file(root):
    found = CorruptedArrays.open(root, CLASSES)
    assert found.labels.tolist() == [*range(10)] * 2
    pixels, readable = found.read(CorruptionConfig("fog", 4), torch.arange(3, 6))
    assert pixels.shape == (3, 3, 32, 32)
    assert pixels.dtype == torch.uint8
    assert pixels[:, 0, 0, 0].tolist() == [163, 164, 165]
    assert readable.tolist() == [True] * 3
    assert corruptions_in(root) == tuple((k, s) for k in ("fog", "spatter") for s in range(1, 6))


def test_channels_come_first(root):
    coloured = np.load(root / "fog.npy")
    coloured[:, 5, 7] = (10, 20, 30)
    np.save(root / "fog.npy", coloured)
    found = CorruptedArrays.open(root, CLASSES)
    pixels, _ = found.read(CorruptionConfig("fog", 1), torch.arange(1))
    assert pixels[0, :, 5, 7].tolist() == [10, 20, 30]


def test_labels_are_the_models_and_a_limit_is_even(root):
    frogs_first = (("frog", "frog"), ("cat", "cat"))
    found = CorruptedArrays.open(root, frogs_first, limit=3)
    assert found.labels.tolist() == [1, 0, 1]  # cat 3, frog 6, cat 13
    pixels, _ = found.read(CorruptionConfig("fog", 1), torch.arange(3))
    assert pixels[:, 0, 0, 0].tolist() == [43, 46, 53]


def test_the_digest_follows_the_images_and_labels(root):
    one, other = CorruptionConfig("fog", 1), CorruptionConfig("fog", 2)
    before = CorruptedArrays.open(root, CLASSES).digests(one)
    assert CorruptedArrays.open(root, CLASSES).digests(one) == before
    assert not {*CorruptedArrays.open(root, CLASSES).digests(other)} & {*before}
    assert CorruptedArrays.open(root, CLASSES[::-1]).digests(one) != before
    changed = np.load(root / "fog.npy")
    changed[0, 0, 0, 0] += 1
    np.save(root / "fog.npy", changed)
    assert CorruptedArrays.open(root, CLASSES).digests(one) != before


def test_files_that_are_no_cifar10_c(root, tmp_path):
    with pytest.raises(ClassMismatch, match=r"airplane.*tench"):
        CorruptedArrays.open(root, (("n01440764", "tench"),))
    assert not is_cifar10_c(tmp_path)
    with pytest.raises(ValueError, match="has labels.npy and files such as fog.npy"):
        corruptions_in(tmp_path)
    np.save(root / "fog.npy", np.zeros((7, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match=r"fog.npy must be uint8 of shape \(100, 32, 32, 3\)"):
        CorruptedArrays.open(root, CLASSES).read(CorruptionConfig("fog", 1), torch.arange(1))


@pytest.mark.parametrize(
    "labels",
    [
        *(np.zeros((10, 2), int), np.zeros(11, int), np.zeros(0, int), np.zeros(10)),
        *(np.arange(10), np.full(10, 10), np.full(10, -1)),
    ],
)
def test_labels_that_are_none(labels, root):
    np.save(root / "labels.npy", labels)
    with pytest.raises(ValueError, match="must repeat whole numbers from 0 to 9"):
        corruptions_in(root)


def test_a_pickle_is_never_opened(root):
    class Loud:
        def __reduce__(self):
            return print, ("unpickled",)

    (root / "labels.npy").write_bytes(pickle.dumps(Loud()))
    with pytest.raises(ValueError, match="is no NumPy array"):
        corruptions_in(root)
    np.save(root / "labels.npy", np.array([Loud()] * 10, object), allow_pickle=True)
    with pytest.raises(ValueError, match="is no NumPy array"):
        corruptions_in(root)
