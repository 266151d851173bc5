import pytest

from advprop_core.datasets.imagenet import class_images, corruption_folders, subset_in, wnids_of
from advprop_core.models.class_names import imagenet_classes
from tests.core.datasets.drawn import GOLDFISH, SHARK, TENCH, put, put_classes


def test_the_subsets_are_those_of_the_articles():
    every = [wnid for wnid, _ in imagenet_classes()]
    assert list(wnids_of("imagenet")) == list(wnids_of("imagenet-sketch")) == every
    for kind in ("imagenet-a", "imagenet-r"):
        assert len(set(wnids_of(kind))) == 200
        assert set(wnids_of(kind)) < set(every)
    # From the articles' own lists: a goldfish is among the renditions, not among the hard photos.
    assert GOLDFISH in wnids_of("imagenet-r")
    assert GOLDFISH not in wnids_of("imagenet-a")
    assert TENCH not in wnids_of("imagenet-r")


@pytest.mark.parametrize("kind", ["imagenet-a", "imagenet-r"])
def test_a_subset_is_told_by_its_class_folders(kind, tmp_path):
    for wnid in wnids_of(kind):
        (tmp_path / wnid).mkdir()
    (tmp_path / "README.txt").touch()
    assert subset_in(tmp_path) == kind
    (tmp_path / wnids_of(kind)[0]).rmdir()
    assert subset_in(tmp_path) is None


def test_class_folders_lie_in_the_folder_or_in_its_split(tmp_path):
    put_classes(tmp_path / "flat", (TENCH, SHARK), 2)
    assert {k: len(v) for k, v in class_images("imagenet", tmp_path / "flat").images.items()} == {
        TENCH: 2,
        SHARK: 2,
    }
    put_classes(tmp_path / "whole" / "val", (TENCH,))
    put_classes(tmp_path / "whole" / "train", (TENCH, SHARK))
    assert list(class_images("imagenet-sketch", tmp_path / "whole").images) == [TENCH]
    assert list(class_images("imagenet", tmp_path / "whole", "train").images) == [TENCH, SHARK]


def test_another_layout_shows_both_sides(tmp_path):
    put_classes(tmp_path, (TENCH, SHARK))
    with pytest.raises(ValueError, match=r"imagenet-r has .* 200 wnids, such as n\d+.*n01440764:"):
        class_images("imagenet-r", tmp_path)
    put(tmp_path / "cats" / "1.png")
    with pytest.raises(ValueError, match=r"its 1000 wnids.* has cats: name the layout"):
        class_images("imagenet-stylized", tmp_path)


def test_corruptions_lie_in_the_folder_or_in_its_archives(tmp_path):
    for place in ("fog/2", "fog/1", "noise/shot_noise/3", "extra/spatter/5", "fog/6", "haze/1"):
        (tmp_path / place).mkdir(parents=True)
    assert list(corruption_folders(tmp_path).items()) == [
        (("shot_noise", 3), tmp_path / "noise" / "shot_noise" / "3"),
        (("fog", 1), tmp_path / "fog" / "1"),
        (("fog", 2), tmp_path / "fog" / "2"),
        (("spatter", 5), tmp_path / "extra" / "spatter" / "5"),
    ]
