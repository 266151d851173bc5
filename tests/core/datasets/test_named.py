import numpy as np
import pytest

from advprop_core.datasets.named import load_images, load_scenes
from advprop_core.datasets.texture_shapes.scenes import SHAPES

CLASSES = [(name, name) for name in SHAPES]


@pytest.mark.parametrize("name", ["shapes", "shapes-conflict"])
def test_scenes_are_those_that_are_evaluated(name):
    scenes = load_scenes(name, 3, 32, classes=CLASSES)
    images = load_images(name, 32, limit=3)
    columns = (images.pixels, images.labels, images.textures)
    for scene, pixels, label, texture in zip(scenes, *columns, strict=True):
        assert np.array_equal(scene.image.transpose(2, 0, 1), pixels.numpy())
        assert (scene.shape, scene.texture) == (label, texture)
        assert 0 < scene.mask.mean() < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shapes", 0), r"count must lie in \[1, 2000\], got 0"),
        (("shapes", 2001), "count must lie in"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_scenes(*arguments, 32)


def test_a_model_of_other_classes_is_refused():
    with pytest.raises(ValueError, match=r"classes \(tench\) are not those of shapes"):
        load_scenes("shapes", 3, 32, classes=[("n1", "tench")])
