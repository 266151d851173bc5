"""Whether a graph gives what PyTorch gives, asked before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from advprop_core.browser.errors import NotExportable
from advprop_core.browser.graph import Step, StepInputs

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
        outputs = run_beside(session, step, given._asdict(), ("logits", "gradient", "Grad-CAM"))
        _, (gradient, expected), _ = outputs
        same_signs = (gradient.sign() == expected.sign()).double().mean().item()
        if same_signs < _SAME_SIGNS:
            raise NotExportable(
                f"{1 - same_signs:.1%} of the gradient's signs differ from PyTorch's"
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
