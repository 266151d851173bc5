"""One network seen through several sets of norm layers: the only file that knows they share.

AdvProp (Xie et al., arXiv 1911.09665) trains one network with a **main** BatchNorm for clean
images and an **auxiliary** one for adversarial images. Here each branch is an ordinary module
tree, and every tensor outside the norm layers is the same object in all of them. There is no
switch to set, so there is none to forget, and threads cannot disturb one another.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import _IncompatibleKeys

from advprop_core.errors import InputError, require_count
from advprop_core.text import did_you_mean, listing

MAIN = "main"
Network = TypeVar("Network", bound=nn.Module)


class PixelNetwork(nn.Module):
    """A network together with its own mean and deviation: it takes pixels.

    Args:
        network: Takes a normalised (N, 3, H, W) batch, returns (N, C) logits.
        mean: Per-channel mean on [0, 1].
        std: Per-channel deviation, positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if min(std) <= 0:
            raise InputError(f"std must be positive in every channel, got {tuple(std)}")
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def normalize(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) pixels on [0, 1] to what the network was trained on."""
        return (pixels - self.mean) / self.std

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) pixels to (N, C) logits."""
        logits: Tensor = self.network(self.normalize(pixels))
        return logits

    def head_features(self, pixels: Tensor) -> Tensor:
        """(N, 3, H, W) pixels to the (N, D) float32 that a timm network's last layer is given.

        Raises:
            InputError: If the head takes no flat vector.
        """
        network: Any = self.network
        coarse_maps = network.forward_features(self.normalize(pixels))
        features = network.forward_head(coarse_maps, pre_logits=True)
        if not isinstance(features, Tensor) or features.ndim != 2:
            raise InputError(
                f"the last layer of {type(network).__name__} takes no flat vector, so it cannot be "
                "trained alone"
            )
        return features.float()


class DualBNModel(nn.Module):
    """A main branch and any number of auxiliary branches that share all but their norm layers.

    The auxiliary branches start as exact copies of the main one.

    Args:
        network: A network with BatchNorm (fused BatchNorm+activation and SyncBatchNorm too).
        mean: Per-channel mean of its input on [0, 1].
        std: Per-channel deviation of its input.
        auxiliaries: Number of auxiliary branches; 0 gives a plain network.

    Raises:
        ValueError: If the network has no BatchNorm, or ``auxiliaries`` is negative.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        auxiliaries: int = 1,
    ) -> None:
        super().__init__()
        require_count("auxiliaries", auxiliaries, 0)
        if auxiliaries and not norm_layers(network):
            raise InputError(
                f"{type(network).__name__} has no BatchNorm layer, so it cannot have an "
                "auxiliary branch: choose a network with BatchNorm, such as resnet18"
            )
        main = PixelNetwork(network, mean, std)
        self.branches = nn.ModuleDict({MAIN: main})
        for index in range(auxiliaries):
            norms = norm_layers(main).values()
            norm_tensors = [tensor for norm in norms for _, tensor in _own_tensors(norm)]
            self.branches[auxiliary_name(index)] = private_view(main, apart=norm_tensors)

    @property
    def branch_names(self) -> tuple[str, ...]:
        """``("main", "aux", "aux2", …)``."""
        return tuple(self.branches)

    def branch(self, name: str) -> PixelNetwork:
        """The network through one set of norm layers: a plain module that takes pixels.

        Raises:
            ValueError: If there is no such branch; the message lists those there are.
        """
        if name not in self.branches:
            hint = did_you_mean(name, self.branch_names)
            raise InputError(f"The network has no branch {name!r}. {hint}")
        branch = self.branches[name]
        assert isinstance(branch, PixelNetwork)
        return branch

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All branches of one training step in one call, so that DDP's hooks see them.

        Args:
            inputs: Branch name to (N, 3, H, W) pixels, or to (P, N, 3, H, W) for P passes one
                after the other, each normalised by its own statistics.

        Returns:
            Branch name to (N, C) logits, or (P, N, C).
        """
        return {
            name: self.branch(name)(pixels)
            if pixels.ndim == 4
            else torch.stack([self.branch(name)(part) for part in pixels])
            for name, pixels in inputs.items()
        }

    def freeze(self) -> Self:
        """Eval mode and no gradients, once, before the model is shared between threads."""
        self.eval()
        return self.requires_grad_(False)

    def norm_layer_names(self) -> tuple[str, ...]:
        """Dotted names of the norm layers inside the network, in module order."""
        return tuple(norm_layers(self.branch(MAIN).network))

    # -- one storage per shared tensor, whatever happens to the module -------------------------

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Convert, then share again: a conversion makes new tensors branch by branch."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        main, *others = (branch.modules() for branch in self.branches.values())
        for main_module, *twins in zip(main, *others, strict=True):
            if not isinstance(main_module, _BatchNorm):
                for twin in twins:
                    twin._parameters.update(main_module._parameters)
                    twin._buffers.update(main_module._buffers)
        return self

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        main = self.branch(MAIN).network
        yield from main.state_dict(keep_vars=True).items()
        for index, name in enumerate(self.branch_names[1:]):
            for layer, norm in norm_layers(self.branch(name).network).items():
                for key, tensor in _own_tensors(norm):
                    yield f"{layer}.aux_bn.{index}.{key}", tensor

    def state_dict(  # type: ignore[override]
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Each tensor once, in timm's SplitBatchNorm layout.

        ``bn1.weight`` is main's, ``bn1.aux_bn.0.weight`` the first auxiliary's.
        """
        result: dict[str, Tensor] = {} if destination is None else destination
        for key, tensor in self._tensors():
            result[prefix + key] = tensor if keep_vars else tensor.detach()
        return result

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy values in, in the layout of :meth:`state_dict`.

        Raises:
            ValueError: For ``assign=True``, which would stop the branches from sharing.
            RuntimeError: For missing or unexpected keys when strict, and for wrong shapes.
        """
        if assign:
            raise InputError("assign=True would stop the branches from sharing: load by copying")
        tensors = dict(self._tensors())
        missing = [key for key in tensors if key not in state_dict]
        unexpected = [key for key in state_dict if key not in tensors]
        if strict and (missing or unexpected):
            raise RuntimeError(
                f"missing keys: {listing(missing) or 'none'}; "
                f"unexpected: {listing(unexpected) or 'none'}"
            )
        for key, tensor in tensors.items():
            if key in state_dict and state_dict[key].shape != tensor.shape:
                raise RuntimeError(
                    f"{key} has shape {tuple(state_dict[key].shape)}, "
                    f"the network needs {tuple(tensor.shape)}"
                )
        with torch.no_grad():
            for key, tensor in tensors.items():
                if key in state_dict:
                    tensor.copy_(state_dict[key])
        return _IncompatibleKeys(missing, unexpected)


def auxiliary_name(index: int) -> str:
    """``aux`` for 0, then ``aux2``, ``aux3`` and so on."""
    return "aux" if index == 0 else f"aux{index + 1}"


def norm_layers(network: nn.Module) -> dict[str, _BatchNorm]:
    """Dotted name to BatchNorm layer (any subclass), in module order."""
    return {name: m for name, m in network.named_modules() if isinstance(m, _BatchNorm)}


def private_view(module: Network, apart: Iterable[Tensor] = ()) -> Network:
    """A copy that shares every tensor and owns its modules, hence its hooks and its mode.

    Args:
        module: Is left as it is.
        apart: Tensors of it that the copy shall not share.
    """
    separate = set(map(id, apart))
    tensors = (*module.parameters(), *module.buffers())
    memo: dict[int, Any] = {id(tensor): tensor for tensor in tensors if id(tensor) not in separate}
    return copy.deepcopy(module, memo)


def attack_view(module: nn.Module) -> nn.Module:
    """An eval-mode view whose parameters are detached aliases.

    It follows the module's weights and statistics as they are trained, moves neither, and an
    attack through it computes no weight gradient.
    """
    memo: dict[int, Any] = {id(buffer): buffer for buffer in module.buffers()}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
    return copy.deepcopy(module, memo).eval()


def _own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The module's direct parameters and buffers, not those of its children."""
    yield from module.named_parameters(recurse=False)
    yield from module.named_buffers(recurse=False)
