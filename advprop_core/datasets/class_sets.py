"""Class names of well-known data sets, in the order that networks learn them."""

from collections.abc import Mapping

from advprop_core.datasets.cifar import CIFAR10_NAMES
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.models.class_names import imagenet_classes

# Folders of fast.ai's subsets of ImageNet.
_IMAGENETTE = (
    "n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916", "n03417042",
    "n03425413", "n03445777", "n03888257",
)  # fmt: skip
_IMAGEWOOF = (
    "n02086240", "n02087394", "n02088364", "n02089973", "n02093754", "n02096294", "n02099601",
    "n02105641", "n02111889", "n02115641",
)  # fmt: skip
_CIFAR100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus "
    "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch "
    "crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo "
    "keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain "
    "mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain "
    "plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
    "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone "
    "television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)


def class_sets() -> Mapping[str, tuple[str, ...]]:
    """Name of the data set to its classes, those of ImageNet by their wnids."""
    return {
        "ImageNet": tuple(wnid for wnid, _ in imagenet_classes()),
        "Imagenette": _IMAGENETTE,
        "Imagewoof": _IMAGEWOOF,
        "CIFAR-10": CIFAR10_NAMES,
        "CIFAR-100": tuple(_CIFAR100.split()),
        "TextureShapes": SHAPES,
    }
