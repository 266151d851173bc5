"""Networks to transfer from: one branch of any network that can be opened."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from advprop_core.errors import InputError
from advprop_core.models import timm_networks
from advprop_core.models.bundle import open_model
from advprop_core.models.digest import model_digest
from advprop_core.models.dual_bn import MAIN, DualBNModel, PixelNetwork
from advprop_core.text import ball, parse_radius
from advprop_core.types import ModelInfo

_NAME = re.compile(r"(?P<network>.+):(?P<branch>main|aux\d*)")


@dataclass(frozen=True, eq=False)
class Source:
    """A branch as a network of its own.

    Attributes:
        name: As it was given: ``imagenet-lite0:aux``.
        branch: ``main``, ``aux`` …
        model: Frozen, with that branch as its main one.
        info: What describes it; its classes go by numbers, for a new task gets a new head even if
            the network knows its classes.
        training: How the branch was trained, in a few words.
    """

    name: str
    branch: str
    model: DualBNModel
    info: ModelInfo
    training: str

    @property
    def network(self) -> PixelNetwork:
        """Takes pixels."""
        return self.model.branch(MAIN)

    @cached_property
    def digest(self) -> str:
        """Of all that decides its features."""
        return model_digest(self.model, self.info)

    def to_json(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "branch": self.branch,
            "architecture": self.info.architecture,
            "size": self.info.input_size,
            "training": self.training,
            "digest": self.digest,
        }


def split_name(name: str) -> tuple[str, str]:
    """Network and branch that ``NAME`` or ``NAME:BRANCH`` means."""
    match = _NAME.fullmatch(name)
    return (match["network"], match["branch"]) if match else (name, MAIN)


def open_source(name: str) -> Source:
    """The branch of a bundled network, a file or a timm name.

    Raises:
        CheckpointError, UnknownArchitecture, Offline: If the network cannot be opened.
        InputError: If it has no such branch, or one that is a mere copy of main.
    """
    network_name, branch = split_name(name)
    checkpoint = open_model(network_name)
    origins = checkpoint.info.branches
    network = checkpoint.model.branch(branch).network
    if branch in checkpoint.copies:
        raise InputError(
            f"{name} is a copy of main, because {network_name} was trained with one set of norm "
            "layers: it would transfer as main does"
        )
    info = replace(
        checkpoint.info,
        class_ids=tuple(f"source {index}" for index in range(checkpoint.info.num_classes)),
        branches={MAIN: "trained"},
        recipe={},
        metrics=(),
        base=None,
    )
    alone = timm_networks.create(info)
    alone.load_state_dict(network.state_dict())
    training = describe_training(checkpoint.info.recipe, branch, origins[branch])
    return Source(name, branch, alone.freeze(), info, training)


def describe_training(recipe: Mapping[str, Any], branch: str, origin: str) -> str:
    """``natural``, ``adversarial, L2 ε = 0.5``, ``advprop, aux, L∞ ε = 1/255`` and their like."""
    objective, attack = recipe.get("objective"), recipe.get("attack")
    if objective in (None, "vanilla") or (objective == "auxiliary" and branch == MAIN):
        return "natural" if origin == "trained" else origin
    kind = str(objective) if objective in ("adversarial", "mixed") else f"{objective}, {branch}"
    if not attack:
        return kind
    epsilon: float = attack["epsilon"]
    auxiliaries = recipe.get("auxiliaries") or ()
    if branch != MAIN and auxiliaries:
        shown = str(auxiliaries[int(branch.removeprefix("aux") or 1) - 1])
        if ":" in shown:  # no attack, but a noise, say
            return f"{kind}, {shown}"
        epsilon = parse_radius(shown)
    return f"{kind}, {ball(attack['norm'], epsilon)}"
