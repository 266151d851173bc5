"""Weights at half their size: stored in half precision, and brought back when the graph starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from onnx import ModelProto

_SMALLEST = 64  # entries; of fewer, a node more costs more than it saves


def round_weights(network: nn.Module) -> None:
    """Round every large weight to half precision, in place, and keep it in float32.

    So the network is, number for number, what :func:`halve` makes of its graph.
    """
    with torch.no_grad():
        for weight in network.parameters():
            if weight.numel() >= _SMALLEST:
                weight.copy_(weight.half().float())


def halve(graph: ModelProto) -> None:
    """Store each large float32 tensor of the graph in half precision, with a cast behind it.

    A runtime casts once, when it opens the graph. Tensors that half precision would change are
    left as they are: those of the network have been rounded, others are the graph's own.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in list(graph.graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALLEST:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = f"{tensor.name}_half"
        graph.graph.initializer.remove(tensor)
        graph.graph.initializer.append(numpy_helper.from_array(half, name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
