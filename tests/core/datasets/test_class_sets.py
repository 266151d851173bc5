from advprop_core.datasets.class_sets import class_sets
from advprop_core.models.class_names import with_wnids


def test_each_has_its_number_of_different_classes():
    sizes = {name: len({*names}) for name, names in class_sets().items()}
    assert sizes == {
        "ImageNet": 1000, "Imagenette": 10, "Imagewoof": 10, "CIFAR-10": 10, "CIFAR-100": 100,
        "TextureShapes": 10,
    }  # fmt: skip


def test_subsets_of_imagenet_are_what_they_are_called():
    sets = {
        name: [readable for _, readable in with_wnids(names)]
        for name, names in class_sets().items()
    }
    assert sets["Imagenette"][4:6] == ["church", "French horn"]
    assert sets["Imagewoof"][2] == "beagle"
