"""One safetensors file <-> DualBNModel; import and export of other dialects.

Loading never unpickles code. Keys follow timm's SplitBatchNorm layout: ``bn1.weight`` is the
main branch's, ``bn1.aux_bn.0.weight`` the first auxiliary's, so that dropping the ``aux_bn``
keys leaves a plain timm state dict.
"""

from __future__ import annotations

import argparse
import pickle
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from torch import Tensor

from advprop_core.files import write_whole
from advprop_core.models import header, timm_networks
from advprop_core.models.dual_bn import DualBNModel, auxiliary_name
from advprop_core.models.header import CheckpointError
from advprop_core.types import BranchOrigin, ModelInfo

_AUXILIARY = re.compile(r"\.aux_bn\.(?:(\d{1,3})\.)?")
_CONTAINERS = ("state_dict_ema", "state_dict", "model_ema", "model", "net")
_WRAPPERS = re.compile(r"(?:(?:module|_orig_mod|model)\.)*")  # DDP, torch.compile, a trainer
_FORBIDDEN_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")  # as torch's error names it
_GLOBALS_LOCK = threading.Lock()  # torch keeps the classes it may unpickle in one global list


@dataclass(frozen=True)
class Checkpoint:
    """A frozen model and what is known of it."""

    model: DualBNModel
    info: ModelInfo

    @property
    def copies(self) -> tuple[str, ...]:
        """The branches that are mere copies of main: the network was trained without them."""
        return tuple(name for name, origin in self.info.branches.items() if origin == "copied")

    def without_copies(self) -> Checkpoint:
        """The same network with the branches that it was trained or calibrated with alone."""
        if not self.copies:
            return self
        own = {name: one for name, one in self.info.branches.items() if name not in self.copies}
        info = replace(self.info, branches=own)
        model = timm_networks.create(info)
        wanted = model.state_dict().keys()
        state = {key: value for key, value in self.model.state_dict().items() if key in wanted}
        model.load_state_dict(state)
        return Checkpoint(model.freeze(), info)


def save(path: Path, model: DualBNModel, info: ModelInfo, *, half: bool = False) -> None:
    """Write one file, whole or not at all.

    Args:
        path: Where; an existing file is replaced in one step.
        model: Its state dict is written, each tensor once.
        info: Goes into the header.
        half: Store all but the norm layers in float16; they load as float32 again.
    """
    norms = set(model.norm_layer_names())
    tensors = {}
    for key, tensor in model.state_dict().items():
        layer = _AUXILIARY.split(key)[0] if _AUXILIARY.search(key) else key.rpartition(".")[0]
        shrink = half and layer not in norms and tensor.is_floating_point()
        tensors[key] = tensor.to("cpu", torch.float16 if shrink else tensor.dtype).contiguous()
    write_whole(path, as_safetensors(tensors, {header.KEY: header.write(info)}))


def load(path: Path, *, architecture: str | None = None) -> Checkpoint:
    """Read this project's format, or import another dialect.

    Imported: ``timm --split-bn`` files (``aux_bn.0.``), MixBatchNorm ones (``aux_bn.`` without
    an index, as the public AdvProp and Fast AdvProp ports write), and plain timm or torch state
    dicts, as safetensors or as ``.pth`` with ``weights_only=True``.

    Args:
        path: The file.
        architecture: timm's name of the network, needed for a foreign layout only.

    Returns:
        The frozen model in float32, and its information. A branch the file does not hold is a
        copy of main, and says so.

    Raises:
        CheckpointError: If the file is missing, truncated, not a checkpoint, holds pickled
            code, fits another architecture or holds values that are not finite.
        UnknownArchitecture: If timm has no such network.
    """
    tensors, text = _read(path)
    if text is None:
        tensors = _normalise_keys(tensors)
    try:
        if text is None:
            info = _foreign_info(tensors, architecture, path)
        else:
            info = header.parse(text, path.name)
            _check_extent(tensors, info, path)
        model = timm_networks.create(info)
    except (CheckpointError, timm_networks.UnknownArchitecture):
        raise
    except Exception as error:  # whatever a stranger's values make timm and torch raise
        raise CheckpointError(
            f"{path.name} describes a network that cannot be built ({error})"
        ) from None
    return Checkpoint(_fill(model, tensors, info, path).freeze(), info)


def export(checkpoint: Checkpoint, branch: str, path: Path) -> None:
    """Write one branch as a plain timm state dict that loads with ``strict=True``.

    Raises:
        ValueError: If the model has no such branch.
    """
    network = checkpoint.model.branch(branch).network
    tensors = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    write_whole(path, as_safetensors(tensors, {"format": "pt"}))


def _read(path: Path) -> tuple[dict[str, Tensor], str | None]:
    if (inside := path / "model.safetensors").is_file():
        raise CheckpointError(f"{path} is a folder: give {inside}")
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}")
    try:
        if _looks_pickled(path):
            return _read_pickled(path), None
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
            return tensors, (file.metadata() or {}).get(header.KEY)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path.name} is truncated or is not a safetensors checkpoint ({error}): "
        "check the download, or export the file again"
    )


def _looks_pickled(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(9)
    # torch's zip, or its older bare pickle. A safetensors file may begin with these bytes too,
    # for they are its header's length; but then the header follows.
    return (start[:2] == b"PK" or start[:1] == b"\x80") and start[8:] != b"{"


def _read_pickled(path: Path) -> dict[str, Tensor]:
    try:
        # timm's training script stores its arguments beside the weights: that class, no other.
        with _GLOBALS_LOCK, torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = _FORBIDDEN_GLOBAL.search(str(error))
        raise CheckpointError(
            f"{path.name} is a damaged pickle, or holds pickled code"
            f"{f' ({found[1]})' if found else ''}, which is never run here: "
            "save its state_dict as safetensors"
        ) from None
    except Exception as error:  # a zip or pickle that breaks off raises nearly anything
        raise _unreadable(path, error) from None
    if isinstance(content, Mapping) and {"progress", "identity"} <= content.keys():
        raise CheckpointError(
            f"{path.name} is what a run is resumed from: give the model.safetensors beside it"
        )
    for name in _CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
            break
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path.name} holds no state dict but a {type(content).__name__}")
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path.name} holds no tensors")
    return tensors


def _normalise_keys(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop wrappers' prefixes, and give MixBatchNorm's auxiliary its index."""
    prefix = min((_wrapper(key) for key in tensors), key=len, default="")
    return {
        _AUXILIARY.sub(lambda match: f".aux_bn.{match[1] or 0}.", key.removeprefix(prefix)): value
        for key, value in tensors.items()
    }


def _wrapper(key: str) -> str:
    match = _WRAPPERS.match(key)
    return match[0] if match else ""


def _foreign_info(tensors: Mapping[str, Tensor], architecture: str | None, path: Path) -> ModelInfo:
    if architecture is None:
        raise CheckpointError(
            f"{path.name} does not say its architecture: give timm's name of the network "
            "(on the command line: --arch resnet18)"
        )
    config = timm_networks.pretrained_config(architecture)
    classes = timm_networks.default_classes(_class_count(tensors, architecture, path))
    origins: dict[str, BranchOrigin] = {"main": "trained", "aux": "copied"}
    origins |= {auxiliary_name(index): "trained" for index in range(_auxiliaries(tensors))}
    return ModelInfo(
        architecture=architecture,
        class_ids=tuple(identity for identity, _ in classes),
        class_names=tuple(name for _, name in classes),
        input_size=config.input_size[-1],
        mean=tuple(config.mean),
        std=tuple(config.std),
        branches=origins,
        name=path.stem,
        recipe={"source": f"imported from {path.name}"},
    )


def _auxiliaries(tensors: Mapping[str, Tensor]) -> int:
    return len({match[1] for key in tensors if (match := _AUXILIARY.search(key))})


def _class_count(tensors: Mapping[str, Tensor], architecture: str, path: Path) -> int:
    classifier = timm_networks.pretrained_config(architecture).classifier
    key = f"{classifier if isinstance(classifier, str) else classifier[0]}.weight"
    weight = tensors.get(key)
    # A pickle can blow a few bytes up to any shape, by a stride of 0.
    if weight is None or not 0 < weight.numel() <= weight.untyped_storage().nbytes():
        raise CheckpointError(f"{path.name} does not fit {architecture}: it has no {key}")
    return len(weight)


def _check_extent(tensors: Mapping[str, Tensor], info: ModelInfo, path: Path) -> None:
    """Before a network is built by the header: no larger one than the file holds."""
    count = _class_count(tensors, info.architecture, path)
    if count != info.num_classes or _auxiliaries(tensors) != len(info.branches) - 1:
        raise CheckpointError(
            f"{path.name} says {info.num_classes} classes and {len(info.branches)} branches, "
            f"but holds {count} and {1 + _auxiliaries(tensors)}"
        )


def _fill(
    model: DualBNModel, tensors: Mapping[str, Tensor], info: ModelInfo, path: Path
) -> DualBNModel:
    values = dict(tensors)
    for key in model.state_dict():
        if key in values:
            continue
        main_key = _AUXILIARY.sub(".", key)
        if main_key in values and _copied(key, info):
            values[key] = values[main_key]
        elif key.endswith("num_batches_tracked"):  # older files lack it; nothing reads it in eval
            values[key] = torch.tensor(0)
    try:
        model.load_state_dict(values)
    except RuntimeError as error:
        raise CheckpointError(f"{path.name} does not fit {info.architecture}: {error}") from None
    # Not before the shapes are known to fit: a stride of 0 makes a large tensor of a small file.
    broken = [key for key, value in values.items() if not value.float().isfinite().all()]
    if broken:
        raise CheckpointError(
            f"{path.name} holds values that are not finite, first in {broken[0]}: "
            "the training run diverged; use an earlier checkpoint"
        )
    return model


def _copied(key: str, info: ModelInfo) -> bool:
    match = _AUXILIARY.search(key)
    return match is not None and info.branches[auxiliary_name(int(match[1] or 0))] == "copied"
