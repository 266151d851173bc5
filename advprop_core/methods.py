"""What maps there are and how to read each; loads nothing heavy, so that a page can list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Method:
    """A kind of map, and what a person must know to read it.

    Attributes:
        name: As the command line writes it.
        title: As a page writes it.
        sign: ``magnitude`` maps are never negative; ``signed`` ones say for and against.
        needs_layer: Whether the map belongs to a layer of the network.
        sentence: What it measures, its sign convention, and what it cannot tell.
    """

    name: str
    title: str
    sign: Literal["magnitude", "signed"]
    needs_layer: bool
    sentence: str


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "grad-cam",
            "Grad-CAM",
            "magnitude",
            True,
            "Where a layer's features speak for the class: brighter means more evidence, and "
            "evidence against it is cut off. It is as coarse as the layer's grid, and cannot "
            "tell what in the region matters.",
        ),
        Method(
            "saliency",
            "Saliency",
            "magnitude",
            False,
            "How strongly the class score reacts to a tiny change of each pixel: brighter means "
            "more sensitive. It cannot tell whether the pixel speaks for or against the class.",
        ),
        Method(
            "integrated-gradients",
            "Integrated gradients",
            "signed",
            False,
            "How much each pixel adds to the class score on the way from a black image: positive "
            "speaks for the class, negative against. Dark pixels get little, for they hardly "
            "differ from the black start.",
        ),
        Method(
            "smoothgrad",
            "SmoothGrad",
            "magnitude",
            False,
            "Saliency averaged over noisy copies of the image, so that speckle cancels out: "
            "brighter means more sensitive. It cannot tell for from against.",
        ),
    )
}
