"""One step of every attack and map as an ordinary ONNX graph, with the gradient in it.

A browser's runtime computes no gradients. So the graph holds the backward pass as a network of its
own: from pixels to logits, to the gradient at the pixels, and to Grad-CAM.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from advprop_core.attribution.cams import weigh_by_mean
from advprop_core.attribution.layers import default_layer
from advprop_core.browser.backward import BACKWARD
from advprop_core.browser.errors import NotExportable
from advprop_core.browser.norms import norm_vector, with_vector
from advprop_core.errors import InputError
from advprop_core.models.dual_bn import MAIN, DualBNModel
from advprop_core.text import percent_in_tenths

if TYPE_CHECKING:
    import onnx
    from onnxruntime import InferenceSession

OUTPUTS = ("logits", "gradient", "cam")
_LEAD = 8.0  # of attacks/losses.py
_CLOSE = 1e-3  # of the largest entry; rounding gives some 1e-5
_SAME_SIGNS = 0.999  # of the gradient's entries; those near zero may differ
_SMALLEST = 64  # entries of a weight; of fewer, a cast costs more than half precision saves
EXTRA = "advprop-lens[page]"
"""Brings the packages that write and check a graph."""


def require_exporter() -> None:
    """Raise InputError where the packages that write and check a graph are not installed."""
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed: pip install '{EXTRA}' brings it")


class StepInputs(NamedTuple):
    """What the graph takes.

    Attributes:
        pixels: (1, 3, S, S) in [0, 1].
        class_one_hot: (1, K): the class that is attacked, or explained.
        attacks: (1,): 1 for the gradient of the attack's loss, 0 for that of the class's logit.
        norm: (2, C): see :func:`~advprop_core.browser.norms.norm_vector`.
    """

    pixels: Tensor
    class_one_hot: Tensor
    attacks: Tensor
    norm: Tensor


INPUTS = StepInputs._fields


class Step(nn.Module):
    """Pixels to logits, the gradient there, and Grad-CAM at the deepest stage that tells places.

    The gradient is that of :func:`~advprop_core.attacks.gradient.loss_gradient`, or of the class's
    logit, as saliency and Grad-CAM take it. Weights are rounded to half precision, as the graph
    holds them.

    Args:
        model: Frozen.
        size: Side of the pictures in pixels; a multiple of 32 suits every network.
    """

    def __init__(self, model: DualBNModel, size: int) -> None:
        super().__init__()
        self.size = size
        main = model.branch(MAIN)
        self.layer = default_layer(main, torch.full((1, 3, size, size), 0.5))
        self._norm = norm_vector(main)
        self.network = with_vector(main, lambda: self._norm)
        with torch.no_grad():  # so it is, number for number, what `_halve` makes of its graph
            for weight in self.network.parameters():
                if weight.numel() >= _SMALLEST:
                    weight.copy_(weight.half().float())
        self._features: list[Tensor] = []
        self.network.network.get_submodule(self.layer).register_forward_hook(self._catch)

    @property
    def cells(self) -> torch.Size:
        """Height and width of its map, once it has run."""
        return self._features[-1].shape[2:]

    def _catch(self, _module: nn.Module, _given: object, output: Tensor) -> Tensor:
        self._features.append(output)
        return output.clone()  # what follows may overwrite it

    def forward(
        self, pixels: Tensor, class_one_hot: Tensor, attacks: Tensor, norm: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(1, K) logits, the (1, 3, S, S) gradient, and the (1, h, w) map."""
        self._norm = norm
        self._features.clear()
        with torch.enable_grad():
            leaf = pixels.detach().requires_grad_()
            logits = self.network(leaf)
            direction = attacks * loss_at_logits(logits.detach(), class_one_hot)
            direction = direction + (1 - attacks) * class_one_hot
            features = self._features[-1]
            gradient, at_features = torch.autograd.grad(logits, (leaf, features), direction)
        return logits.detach(), gradient, weigh_by_mean(features.detach(), at_features)

    def through(self, norm: Tensor) -> Callable[[Tensor], Tensor]:
        """A branch, or a blend: (1, 3, S, S) pixels to (1, K) logits, for attacks in Python."""

        def logits(pixels: Tensor) -> Tensor:
            self._norm = norm
            output: Tensor = self.network(pixels)
            return output

        return logits


def loss_at_logits(logits: Tensor, one_hot: Tensor) -> Tensor:
    """The gradient of :func:`~advprop_core.attacks.losses.lifted_log_odds` at the logits."""
    # Far below all others, so that the class itself is never the best of them.
    others = logits - one_hot * 1e9
    lead = (logits * one_hot).sum(1, keepdim=True) - others.amax(1, keepdim=True)
    temperature = (lead / _LEAD).clamp_min(1)
    return ((others / temperature).softmax(1) - one_hot) / temperature


def example_inputs(model: DualBNModel, size: int, classes: int) -> StepInputs:
    """A random picture, the first class, and main."""
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return StepInputs(
        pixels, torch.eye(classes)[:1], torch.ones(1), norm_vector(model.branch(MAIN))
    )


def write_graph(module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> bytes:
    """A module, and the gradients that it takes, as an ONNX file, constants in half precision.

    Args:
        module: From tensors to a tuple of tensors.
        inputs: Name to an example of each tensor, in the module's order.
        outputs: Names of what it gives.

    Raises:
        NotExportable: If an operator of the module has no counterpart.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names what it left out
    try:
        trace = make_fx(module, decomposition_table=BACKWARD, tracing_mode="real")
        program = torch.onnx.export(
            trace(*inputs.values()).eval(),
            tuple(inputs.values()),
            dynamo=True,
            input_names=list(inputs),
            output_names=outputs,
            verbose=False,
        )
    except torch.onnx.errors.OnnxExporterError as error:
        raise NotExportable(f"{_operator(error)} does not export to ONNX") from error
    assert program is not None
    graph = program.model_proto
    _halve(graph)
    _strip(graph)
    content: bytes = graph.SerializeToString()
    return content


def _halve(graph: onnx.ModelProto) -> None:
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


def _strip(graph: onnx.ModelProto) -> None:
    """Take out what only people read: where in PyTorch each node comes from."""
    graph.ClearField("metadata_props")
    graph.graph.ClearField("metadata_props")
    graph.graph.ClearField("value_info")
    for part in (*graph.graph.node, *graph.graph.initializer, *graph.graph.input):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _operator(error: BaseException) -> str:
    """The operator that an exporter's error is about, as PyTorch names it."""
    while error.__cause__ is not None:
        error = error.__cause__
    named = re.search(r"\b(?:aten|prims)[.:]+\w+", str(error))
    return named[0] if named else "one of its operators"


def check_graph(graph: bytes, step: Step, inputs: Sequence[StepInputs]) -> None:
    """Run both on the same inputs and compare logits, the gradient with its signs, and the map.

    Raises:
        NotExportable: If the runtime cannot open the graph, or any of them differs.
    """
    session = open_session(graph)
    for given in inputs:
        outputs = run_beside(session, step, given._asdict(), ("logits", "gradient", "Grad-CAM"))
        _, (gradient, expected), _ = outputs
        same_signs = (gradient.sign() == expected.sign()).double().mean().item()
        if same_signs < _SAME_SIGNS:
            raise NotExportable(
                f"{percent_in_tenths(1 - same_signs)} of the gradient's signs differ from PyTorch's"
            )


def open_session(graph: bytes) -> InferenceSession:
    """A graph in the runtime, on the CPU.

    Raises:
        NotExportable: If the runtime cannot open it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has no class of its own for what it cannot run
        raise NotExportable(f"the runtime refuses its graph ({error})") from error


def run_beside(
    session: InferenceSession,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    titles: Sequence[str],
) -> list[tuple[Tensor, Tensor]]:
    """Each output of a graph, and PyTorch's; NotExportable where they differ, by its title."""
    names = [given.name for given in session.get_inputs()]  # without those that are not used
    results = session.run(None, {name: inputs[name].numpy() for name in names})
    pairs = list(zip(map(torch.from_numpy, results), module(*inputs.values()), strict=True))
    for title, (got, right) in zip(titles, pairs, strict=True):
        largest = right.abs().max().item()
        difference = (got - right).abs().max().item()
        if not difference <= _CLOSE * largest + 1e-6:  # NaN too
            raise NotExportable(
                f"its {title} differs from PyTorch's by {difference:.2g} of {largest:.2g}"
            )
    return pairs
