"""What maps there are and how to read each; loads nothing heavy, so that a page can list them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Method:
    """A kind of map, and what a person must know to read it.

    Attributes:
        name: As the command line writes it.
        title: As a page writes it.
        sign: ``magnitude`` maps are never negative; ``signed`` ones say for and against.
        sentence: What it measures, its sign convention, and what it cannot tell.
        needs_layer: Whether the map belongs to a layer of the network that can be chosen.
        cost: ``slow`` where it takes more passes through the network than a person waits for.
        options: Further arguments of ``explain`` that it has a use for.
    """

    name: str
    title: str
    sign: Literal["magnitude", "signed"]
    sentence: str
    needs_layer: bool = False
    cost: Literal["fast", "slow"] = "fast"
    options: tuple[str, ...] = ()


STAGES: Final = "stages"
"""Stands for every stage of the network, where layers are named."""


@dataclass(frozen=True)
class MapChoice:
    """Which maps a person asks for.

    Attributes:
        methods: Keys of :data:`METHODS`.
        required: Those of them that must fit the network; the others may be left out.
        layers: Dotted names; or ``stages`` alone for all stages; or none for the default layer.
        options: Further arguments of ``explain``, None where the method's own applies.
        seed: Of everything a method draws.
    """

    methods: tuple[str, ...]
    required: frozenset[str]
    layers: tuple[str, ...]
    options: Mapping[str, int | None]
    seed: int


# fmt: off
_METHODS = (
    Method("grad-cam", "Grad-CAM", "magnitude",
        "Where a layer's features speak for the class: brighter means more evidence, and evidence "
        "against it is cut off. It is as coarse as the layer's grid, and cannot tell what in the "
        "region matters.", needs_layer=True),
    Method("grad-cam-plus-plus", "Grad-CAM++", "magnitude",
        "Grad-CAM with weights from the positive gradients alone, so that several objects of the "
        "class all show: brighter means more evidence. Evidence against the class is ignored.",
        needs_layer=True),
    Method("layer-cam", "LayerCAM", "magnitude",
        "Grad-CAM with a weight for each cell instead of each channel, which stays sharp in early "
        "layers: brighter means more evidence. Evidence against the class is cut off.",
        needs_layer=True),
    Method("hires-cam", "HiResCAM", "signed",
        "Each cell's features times their own gradient: positive speaks for the class, negative "
        "against. Only at the layer before an averaging classifier do the cells account for the "
        "score exactly.", needs_layer=True),
    Method("eigen-cam", "Eigen-CAM", "signed",
        "A layer's features along the direction in which they are largest: far from zero means "
        "strong features, and a sign tells two opposite patterns apart. It knows nothing of the "
        "class, so it cannot tell for from against.", needs_layer=True),
    Method("cam", "CAM", "signed",
        "The channels of the last layer, multiplied by the classifier's weights: positive speaks "
        "for the class, negative against, and the mean is the score without its bias. It is as "
        "coarse as the last grid, and exists only if the network ends with an average and one "
        "linear layer."),
    Method("score-cam", "Score-CAM", "magnitude",
        "A layer's channels, each weighted by the score of the image seen through it alone: "
        "brighter means more evidence, found without a gradient. It cannot show evidence against "
        "the class, and a darkened image is unlike any photo.", needs_layer=True, cost="slow"),
    Method("guided-grad-cam", "Guided Grad-CAM", "signed",
        "Guided backpropagation, dimmed where Grad-CAM is dark: positive where a brighter pixel "
        "would help, negative where a darker one would. Its fine lines come from the image more "
        "than from the class.", needs_layer=True),
    Method("saliency", "Saliency", "magnitude",
        "How strongly the class score reacts to a tiny change of each pixel: brighter means more "
        "sensitive. It cannot tell whether the pixel speaks for or against the class."),
    Method("saliency-positive", "Saliency, brighter helps", "magnitude",
        "How much the class score would rise if a pixel's most helpful channel became a little "
        "brighter. It says nothing of channels that would lower the score, nor of larger changes."),
    Method("saliency-negative", "Saliency, darker helps", "magnitude",
        "How much the class score would rise if a pixel's most harmful channel became a little "
        "darker. It says nothing of channels that should be brighter, nor of larger changes."),
    Method("loss-gradient", "Loss gradient", "signed",
        "How the loss of the class reacts to each pixel: positive where a brighter pixel raises "
        "the loss, negative where it lowers the loss. In robust networks it looks like the "
        "object, in others like noise. If the network is certain, it is nearly zero."),
    Method("input-x-gradient", "Input × gradient", "signed",
        "A linear estimate of what each pixel adds to the class score compared with black: "
        "positive speaks for the class, negative against. The network is not linear, so the "
        "estimate can be wrong, and black pixels get nothing."),
    Method("integrated-gradients", "Integrated gradients", "signed",
        "How much each pixel adds to the class score on the way from a black image: positive "
        "speaks for the class, negative against. Dark pixels get little because they hardly differ "
        "from the black start.", cost="slow"),
    Method("smoothgrad", "SmoothGrad", "magnitude",
        "Saliency averaged over noisy copies of the image, so that speckle cancels out: brighter "
        "means more sensitive. It cannot tell for from against.", options=("samples",)),
    Method("vargrad", "VarGrad", "magnitude",
        "How much the gradient changes from one noisy copy of the image to the next: brighter "
        "means that the network's reaction to the pixel is less steady. It cannot tell for from "
        "against, nor how strong the reaction is.", options=("samples",)),
    Method("gradient-shap", "GradientSHAP", "signed",
        "How much each pixel adds to the class score on the way from plain images of random "
        "colours: positive speaks for the class, negative against. Unlike the way from black it is "
        "fair to dark pixels, but it is a random estimate.",
        cost="slow", options=("samples",)),
    Method("guided-backprop", "Guided backpropagation", "signed",
        "The gradient, but each ReLU passes back only positive values: positive where a brighter "
        "pixel helps, negative where a darker one does. Its sharp picture shows edges that the "
        "network sees and hardly depends on the class."),
    Method("deconvolution", "Deconvolution", "signed",
        "Guided backpropagation that ignores which features the image switched on: positive where "
        "a brighter pixel helps, negative where a darker one does. It shows what the network "
        "looks for rather than what it found."),
    Method("deep-lift", "DeepLIFT", "signed",
        "How much each pixel adds to the class score compared with a black image, layer by layer: "
        "positive speaks for the class, negative against. Dark pixels get little, and the map is "
        "refused if its parts do not add up."),
    Method("lrp", "Layer-wise relevance (LRP)", "signed",
        "The class score, divided layer by layer among the inputs that contributed to it: "
        "positive speaks for the class, negative against. Chosen rules decide how it is divided, "
        "and the map is refused if parts of the score get lost."),
    Method("occlusion", "Occlusion", "signed",
        "How much the class score drops when a grey square covers the pixel: positive spoke for "
        "the class, negative against. It is as coarse as the square, and two parts that can "
        "replace each other both look unimportant.", cost="slow", options=("window", "stride")),
    Method("rise", "RISE", "magnitude",
        "The mean probability of the class when random parts are blacked out but the pixel is "
        "visible: brighter means a higher probability. It never reaches zero, so only differences "
        "count, and it is a random estimate.",
        cost="slow", options=("samples",)),
)
# fmt: on

METHODS: dict[str, Method] = {method.name: method for method in _METHODS}
