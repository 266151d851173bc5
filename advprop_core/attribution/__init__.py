"""Every map; the only package that imports captum.

No hook is ever registered on a module that was handed in: methods without hooks run on it
directly, the others on a private view made for the call. Randomness comes from an own generator.
"""

from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.layers import (
    LayerNode,
    default_layer,
    find_layer,
    layer_tree,
    spatial_layers,
    spatial_stages,
    stages,
)
from advprop_core.attribution.maps import explain
from advprop_core.attribution.several import MapMaker, explain_grid, explain_layers

__all__ = [
    "LayerNode",
    "MapMaker",
    "NoGradient",
    "Unfit",
    "UnknownLayer",
    "default_layer",
    "explain",
    "explain_grid",
    "explain_layers",
    "find_layer",
    "layer_tree",
    "spatial_layers",
    "spatial_stages",
    "stages",
]
