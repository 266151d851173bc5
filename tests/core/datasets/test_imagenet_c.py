import errno
import os
from pathlib import Path

import pytest
import torch

from advprop_core.datasets.class_folders import ClassMismatch
from advprop_core.datasets.imagenet import class_images
from advprop_core.datasets.imagenet_c import CorruptedPhotos, open_folders
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.formats import ImageError
from tests.core.datasets.drawn import GOLDFISH, SHARK, TENCH, put, put_classes

CLASSES = ((SHARK, "shark"), (TENCH, "tench"))
FOG, SNOW = CorruptionConfig("fog", 1), CorruptionConfig("snow", 5)


@pytest.fixture
def root(tmp_path):
    """Fog and snow of three photos of each of three classes; the level tells which."""
    for place, (corruption, wnid) in enumerate(
        (c, w) for c in ("fog/1", "snow/5") for w in (TENCH, GOLDFISH, SHARK)
    ):
        for image in range(3):
            put(tmp_path / "c" / corruption / wnid / f"{image}.JPEG", 40 * place + 10 * image)
    return tmp_path / "c"


def opened(root, **options):
    return CorruptedPhotos.open(open_folders(root), CLASSES, **options)


def levels(photos, corruption):
    pixels, readable = photos.read(corruption, torch.arange(len(photos.names)))
    assert readable.all()
    return [round(float(one.float().mean()), -1) for one in pixels]


def test_the_same_photos_under_every_corruption(root):
    photos = opened(root)
    assert photos.names == tuple(f"{w}/{i}.JPEG" for w in (TENCH, SHARK) for i in range(3))
    assert photos.labels.tolist() == [1, 1, 1, 0, 0, 0]
    assert (photos.class_count, photos.incomplete) == (2, 0)
    assert levels(photos, FOG) == [0, 10, 20, 80, 90, 100]
    assert levels(photos, SNOW)[2:4] == [140, 200]
    pixels, _ = photos.read(FOG, torch.arange(2))
    assert pixels.shape == (2, 3, 224, 224)


def test_a_limit_is_even_over_classes(root):
    assert opened(root, limit=3).labels.tolist() == [1, 1, 0]


def test_photos_that_a_folder_lacks_are_left_out_everywhere(root):
    (root / "snow" / "5" / TENCH / "1.JPEG").unlink()
    photos = opened(root)
    assert photos.names[:2] == (f"{TENCH}/0.JPEG", f"{TENCH}/2.JPEG")
    assert photos.incomplete == 1
    with pytest.raises(ValueError, match=r"1 of 9 photos are not in all 2 folders.*--strict"):
        opened(root, strict=True)


def test_unreadable_photos_are_black_and_named(root):
    broken = root / "fog" / "1" / TENCH / "1.JPEG"
    broken.write_bytes(b"\xff\xd8\xff no more")
    photos = opened(root)
    pixels, readable = photos.read(FOG, torch.arange(3))
    assert readable.tolist() == [True, False, True]
    assert not pixels[1].any()
    assert list(photos.unreadable) == [broken]
    assert photos.read(SNOW, torch.arange(3))[1].all()
    strict = CorruptedPhotos.open(open_folders(root), (*CLASSES, (GOLDFISH, "fish")), strict=True)
    with pytest.raises(ImageError, match=r"fog/1/n01440764/1.JPEG"):
        strict.read(FOG, torch.arange(3))


def test_a_photo_that_may_be_read_now_is_read_again(root):
    broken = root / "fog" / "1" / TENCH / "1.JPEG"
    whole = opened(root).digests(FOG)
    broken.chmod(0o200)
    assert opened(root).digests(FOG) != whole
    broken.unlink()
    broken.write_text("no image")
    photos = opened(root)
    assert photos.read(FOG, torch.arange(3))[1].tolist() == [True, False, True]
    unread = photos.digests(FOG)
    broken.write_bytes((broken.parent / "0.JPEG").read_bytes())
    assert opened(root).digests(FOG) != unread


def test_trouble_that_may_pass_is_not_said_of_a_photo(root, monkeypatch):
    def fail(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OSError, match="Too many open files"):
        opened(root).read(FOG, torch.arange(3))


def test_clean_photos_are_the_same_ones_whatever_their_ending(root, tmp_path):
    put_classes(tmp_path / "val", (GOLDFISH, SHARK, TENCH), 2, ending="png")
    clean = class_images("imagenet", tmp_path / "val").images
    photos = opened(root, clean=clean)
    assert photos.names == tuple(f"{w}/{i}.JPEG" for w in (TENCH, SHARK) for i in range(2))
    assert photos.incomplete == 3
    val = tmp_path / "val"
    assert photos.clean == tuple(val / w / f"{i}.png" for w in (TENCH, SHARK) for i in range(2))
    fewer = photos.without([val / TENCH / "1.png"])
    assert fewer.names == (f"{TENCH}/0.JPEG", f"{SHARK}/0.JPEG", f"{SHARK}/1.JPEG")
    assert fewer.labels.tolist() == [1, 0, 0]
    assert fewer.clean == (photos.clean[0], *photos.clean[2:])


def test_the_digest_follows_labels_and_files(root):
    before = opened(root).digests(FOG)
    assert opened(root).digests(FOG) == before
    assert not {*opened(root).digests(SNOW)} & {*before}
    fewer = opened(root, limit=2).digests(FOG)
    assert len(fewer) == 2
    assert {*fewer} < {*before}
    relabelled = CorruptedPhotos.open(open_folders(root), CLASSES[::-1]).digests(FOG)
    assert not {*relabelled} & {*before}
    path = root / "fog" / "1" / TENCH / "0.JPEG"
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert len({*opened(root).digests(FOG)} - {*before}) == 1


def test_folders_that_are_no_imagenet_c(root, tmp_path):
    with pytest.raises(ClassMismatch, match=r"n01440764, n01443537, n01484850.*\(cat\)"):
        CorruptedPhotos.open(open_folders(root), (("cats", "cat"),))
    put(root / "fog" / "1" / "cats" / "0.JPEG")
    with pytest.raises(ValueError, match=r"imagenet-c has .* its 1000 wnids, .*fog/1 has cats"):
        opened(root)
    with pytest.raises(ValueError, match=r"KIND/SEVERITY/WNID/IMAGE, .* has 1: name the layout"):
        open_folders(root / "fog")
    with pytest.raises(ValueError, match="none has nothing"):
        open_folders(tmp_path / "none")


def test_no_photo_is_everywhere(root):
    for wnid in (TENCH, GOLDFISH, SHARK):
        for image in range(3):
            path = root / "fog" / "1" / wnid / f"{image}.JPEG"
            path.rename(path.with_name(f"other-{image}.JPEG"))
    with pytest.raises(ValueError, match="none of 18 photos is in all 2 folders"):
        opened(root)
