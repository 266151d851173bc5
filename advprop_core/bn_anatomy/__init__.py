"""What tells two branches apart: their norm layers, looked at one by one.

Branches share every other tensor, so all that makes ``aux`` predict otherwise than ``main`` is
the mean, variance, scale and shift of its BatchNorm layers. Here they are measured
(:func:`profile`), looked through (:func:`excitement`), mixed (:func:`blend`, :func:`path`,
:func:`swap`) and put in one after another to see which of them matter (:func:`gap`).

Xie and Yuille (arXiv 1906.03787) gave adversarial images statistics of their own, and Zhang et al.
(arXiv 2403.19150) ask whether it is the statistics that matter or γ and β: hence the two can be
moved apart here.
"""

from advprop_core.bn_anatomy.distance import (
    MEASURES,
    LayerDistance,
    Measure,
    NormTensors,
    Summary,
    profile,
    top_channels,
)
from advprop_core.bn_anatomy.excitement import Excitement, excitement
from advprop_core.bn_anatomy.gap import By, GapRow, Order, Score, gap
from advprop_core.bn_anatomy.layers import execution_order, stages_of_layers
from advprop_core.bn_anatomy.mixing import blend, path, swap

__all__ = [
    "MEASURES",
    "By",
    "Excitement",
    "GapRow",
    "LayerDistance",
    "Measure",
    "NormTensors",
    "Order",
    "Score",
    "Summary",
    "blend",
    "excitement",
    "execution_order",
    "gap",
    "path",
    "profile",
    "stages_of_layers",
    "swap",
    "top_channels",
]
