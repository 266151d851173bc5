"""Whether a graph gives what PyTorch gives, asked before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from advprop_core.browser.errors import NotExportable
from advprop_core.browser.graph import INPUTS, Step, StepInputs

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_CLOSE = 1e-3
"""Of the largest entry; rounding gives some 1e-5."""
_SAME_SIGNS = 0.999
"""Of the gradient's entries; those near zero may differ."""


def check_graph(graph: bytes, step: Step, inputs: Sequence[StepInputs]) -> None:
    """Run both on the same inputs and compare logits, the gradient with its signs, and the map.

    Raises:
        NotExportable: If the runtime cannot open the graph, or any of them differs.
    """
    session = open_session(graph)
    for given in inputs:
        feed = {name: value.numpy() for name, value in zip(INPUTS, given, strict=True)}
        logits, gradient, cam = map(torch.from_numpy, session.run(None, feed))
        expected = step(*given)
        for name, got, right in zip(
            ("logits", "gradient", "Grad-CAM"), (logits, gradient, cam), expected, strict=True
        ):
            require_close(name, got, right)
        same = float(np.mean(np.sign(gradient.numpy()) == np.sign(expected[1].numpy())))
        if same < _SAME_SIGNS:
            raise NotExportable(f"{1 - same:.1%} of the gradient's signs differ from PyTorch's")


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


def require_close(name: str, got: Tensor, right: Tensor) -> None:
    """Raise NotExportable where an output of a graph differs from PyTorch's."""
    largest = right.abs().max().item()
    difference = (got - right).abs().max().item()
    if not difference <= _CLOSE * largest + 1e-6:  # NaN too
        raise NotExportable(
            f"its {name} differs from PyTorch's by {difference:.2g} of {largest:.2g}"
        )
