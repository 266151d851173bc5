"""torchvision's own code, with small archives in the place of the published ones."""

import hashlib
import pickle
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision.datasets import CIFAR10, SVHN, Imagenette

from advprop_core.datasets import torchvision_sets
from advprop_core.datasets.cifar import CIFAR10_NAMES
from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.named import load_images
from advprop_core.datasets.torchvision_sets import imagenette_folder
from advprop_core.models.timm_networks import Offline
from advprop_core.training.data import load_data
from advprop_core.training.recipe import Recipe
from tests.core.datasets.drawn import SPRINGER, TENCH, put_classes


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Tests have nothing to tell."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The address at which this machine hands out the files of the test's folder."""
    monkeypatch.setenv("no_proxy", "*")
    own = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    thread = Thread(target=own.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{own.server_port}"
    own.shutdown()
    own.server_close()
    thread.join()


@pytest.fixture
def archive(tmp_path, server, monkeypatch):
    """Imagenette's archive, three photos of two classes, where torchvision looks for it."""
    source = tmp_path / "source" / "imagenette2-320"
    put_classes(source / "train", (TENCH, SPRINGER), 2)
    put_classes(source / "val", (TENCH, SPRINGER))
    path = pack(source, tmp_path / "imagenette2-320.tgz")
    monkeypatch.setitem(Imagenette._ARCHIVES, "320px", (f"{server}/{path.name}", md5(path)))
    return path


@pytest.fixture
def batches(tmp_path, server, monkeypatch):
    """CIFAR-10's archive with ten images in each batch, whose level tells the batch."""
    folder = tmp_path / "source" / CIFAR10.base_folder
    folder.mkdir(parents=True)
    names = [name for name, _ in CIFAR10.train_list + CIFAR10.test_list]
    for place, name in enumerate(names):
        data = np.full((10, 3072), 20 * place, np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": [*range(10)]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR10_NAMES)}))
    sums = [[name, md5(folder / name)] for name in names]
    monkeypatch.setattr(CIFAR10, "train_list", sums[:-1])
    monkeypatch.setattr(CIFAR10, "test_list", sums[-1:])
    monkeypatch.setitem(CIFAR10.meta, "md5", md5(folder / "batches.meta"))
    path = pack(folder, tmp_path / "cifar-10-python.tar.gz")
    monkeypatch.setattr(CIFAR10, "url", f"{server}/{path.name}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(path))
    return folder


def pack(folder, path):
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, folder.name)
    return path


def md5(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_imagenette_is_fetched_when_asked(archive, tmp_path):
    place = tmp_path / "sets"
    with pytest.raises(ValueError, match="`advprop evaluate --download` fetches it"):
        load_images(f"imagenette:{place}", 8)
    assert not place.exists()
    found = load_images(f"imagenette:{place}", 8, download=True)
    assert found.labels.tolist() == [0, 1]
    assert found.classes == ((TENCH, "tench"), (SPRINGER, "English springer"))
    assert [path.name for path in place.iterdir()] == ["imagenette2-320"]
    archive.unlink()  # it is there now, by every way to name it
    assert len(load_images(f"imagenette:{place}", 8, split="train", download=True).labels) == 4
    assert len(load_images(str(place), 8).labels) == 2
    assert imagenette_folder(place / "imagenette2-320", "val").name == "val"


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_what_cannot_be_fetched_leaves_nothing(damage, archive, tmp_path):
    if damage == "gone":
        archive.unlink()
    else:
        archive.write_bytes(b"something else")
    with pytest.raises(Offline, match=r"Imagenette could not be downloaded .*imagenette2-320.tgz"):
        load_images(f"imagenette:{tmp_path / 'sets'}", 8, download=True)
    assert list((tmp_path / "sets").iterdir()) == []


def test_an_unpacking_that_is_interrupted_leaves_nothing(archive, tmp_path, monkeypatch):
    class Interrupted(Imagenette):
        def __init__(self, root, **options):
            super().__init__(root, **options)
            raise KeyboardInterrupt

    monkeypatch.setattr(torchvision_sets, "Imagenette", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        imagenette_folder(tmp_path / "sets", "val", download=True)
    assert list((tmp_path / "sets").iterdir()) == []


def test_cifar10_batches_are_read_after_their_checksums(batches, tmp_path):
    root = tmp_path / "source"
    found = load_images(f"cifar10:{root}", 16, limit=10)
    assert found.pixels.shape == (10, 3, 16, 16)
    assert found.labels.tolist() == [*range(10)]
    assert (found.pixels == 100).all()  # the sixth batch, of test images
    assert len(load_images(str(root), 16, split="train").labels) == 50
    found = load_images(str(root), 16, classes=(("ship", "ship"), ("cat", "cat")))
    assert found.labels.tolist() == [1, 0]
    assert set(found.ignored_classes) == {*CIFAR10_NAMES} - {"ship", "cat"}
    assert found.enlarged == 0
    assert load_images(str(root), 48, limit=5).enlarged == 5
    with pytest.raises(ClassMismatch, match="none of the classes: airplane"):
        load_images(str(root), 16, classes=(("ship", "ship"), ("cat", "cat")), strict=True)
    (batches / "data_batch_1").write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match="with the published checksums"):
        load_images(f"cifar10:{root}", 16)


def test_cifar10_lies_beside_other_sets(batches, tmp_path):
    (tmp_path / "source" / "MNIST" / "raw").mkdir(parents=True)
    assert len(load_images(f"cifar10:{tmp_path / 'source'}", 16).labels) == 10
    (tmp_path / "sets" / "MNIST").mkdir(parents=True)
    found = load_images(f"cifar10:{tmp_path / 'sets'}", 8, download=True)
    assert len(found.labels) == 10


def test_cifar10_is_fetched_when_asked(batches, tmp_path):
    found = load_images(f"cifar10:{tmp_path / 'sets'}", 8, download=True)
    assert len(found.labels) == 10
    (tmp_path / "cifar-10-python.tar.gz").unlink()
    with pytest.raises(Offline, match="CIFAR10 could not be downloaded"):
        load_images(f"cifar10:{tmp_path / 'again'}", 8, download=True)


def test_cifar10_batches_can_be_trained_on(batches, tmp_path):
    recipe = Recipe(size=32, batch_size=5, holdout=0.1)
    found = load_data(f"cifar10:{tmp_path / 'source'}", recipe, torch.device("cpu"))
    held = len(found.holdout.labels)
    assert (len(found.source) + held, len(found.val.labels)) == (50, 10)
    assert 0 < held < 15
    assert found.classes == tuple((name, name) for name in CIFAR10_NAMES)
    assert (found.val.pixels == 100).all()
    assert found.source.images.unique().tolist() == [0, 20, 40, 60, 80]


def put_idx(path, array):
    """A file as the MNISTs are published in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


@pytest.mark.parametrize(
    ("kind", "folder", "first"),
    [("mnist", "MNIST", "0"), ("fashion-mnist", "FashionMNIST", "T-shirt/top"),
     ("kmnist", "KMNIST", "o")],
)  # fmt: skip
def test_the_three_mnists_are_read_as_they_unpack(kind, folder, first, tmp_path):
    labels = np.arange(10, dtype=np.uint8)
    images = np.repeat(labels * 20, 28 * 28).reshape(10, 28, 28)
    for split, level in (("t10k", images), ("train", images + 5)):
        put_idx(tmp_path / folder / "raw" / f"{split}-images-idx3-ubyte", level)
        put_idx(tmp_path / folder / "raw" / f"{split}-labels-idx1-ubyte", labels)
    found = load_images(str(tmp_path), 32)  # the folder shows which it is
    assert found.classes[0] == (first, first)
    assert found.labels.tolist() == labels.tolist()
    assert found.pixels[:, :, 16, 16].tolist() == [[20 * label] * 3 for label in labels]
    assert found.enlarged == 10
    with pytest.raises(ValueError, match=f"{kind} needs {folder}/raw with the published"):
        load_images(f"{kind}:{tmp_path / 'elsewhere'}", 32)


def test_svhn_is_read_as_it_unpacks(tmp_path, monkeypatch):
    arrays = {"X": np.zeros((32, 32, 3, 3), np.uint8), "y": np.array([[1], [10], [9]], np.uint8)}
    arrays["X"][5, 7, 0, 1] = 200  # row 5, column 7, red, of the second image
    for split in ("train", "test"):
        savemat(tmp_path / f"{split}_32x32.mat", arrays)
        entry = SVHN.split_list[split]
        changed = [*entry[:2], md5(tmp_path / f"{split}_32x32.mat")]
        monkeypatch.setitem(SVHN.split_list, split, changed)
    found = load_images(f"svhn:{tmp_path}", 32)
    assert found.labels.tolist() == [1, 0, 9]
    assert found.classes[0] == ("0", "0")
    assert found.pixels[1, :, 5, 7].tolist() == [200, 0, 0]
