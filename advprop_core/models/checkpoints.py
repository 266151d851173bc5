"""One safetensors file <-> DualBNModel; import and export of other dialects.

Loading never unpickles code. Keys follow timm's SplitBatchNorm layout: ``bn1.weight`` is the
main branch's, ``bn1.aux_bn.0.weight`` the first auxiliary's, so that dropping the ``aux_bn``
keys leaves a plain timm state dict.

An adapter is such a file with the auxiliary branches' own tensors alone. Its header describes the
whole network and names the **base** that has the others: a published network, a bundled one, one
of timm's, or a file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from torch import Tensor

from advprop_core.errors import InputError
from advprop_core.files import write_whole
from advprop_core.models import header, timm_networks
from advprop_core.models.digest import tensors_sha256
from advprop_core.models.dual_bn import MAIN, DualBNModel, auxiliary_name
from advprop_core.models.findings import Findings
from advprop_core.models.foreign import read_foreign
from advprop_core.models.header import CheckpointError
from advprop_core.models.pickles import read_pickle
from advprop_core.models.settings import ModelSettings
from advprop_core.models.weights import AUXILIARY, auxiliary_count, class_count, items_of
from advprop_core.text import join
from advprop_core.types import ModelInfo

RATE = "learning_rate_then"
"""In the recipe of a checkpoint after an epoch: the learning rate of the step before it."""


@dataclass(frozen=True)
class Checkpoint:
    """A frozen model and what is known of it.

    Attributes:
        model: Its branches are in eval mode and need no gradients.
        info: What describes it.
        notes: What was guessed or ignored when a foreign file was read, a sentence each.
        findings: The same for a summary; None of what is not foreign.
    """

    model: DualBNModel
    info: ModelInfo
    notes: tuple[str, ...] = ()
    findings: Findings | None = None

    @property
    def copies(self) -> tuple[str, ...]:
        """The branches that are mere copies of main: the network was trained without them."""
        return tuple(name for name, origin in self.info.branches.items() if origin == "copied")

    def without_copies(self) -> Checkpoint:
        """The same network with the branches that it was trained or calibrated with alone."""
        if not self.copies:
            return self
        origins = self.info.branches.items()
        trained = {name: origin for name, origin in origins if name not in self.copies}
        info = replace(self.info, branches=trained)
        model = timm_networks.create(info)
        state = self.model.state_dict()
        model.load_state_dict({key: state[key] for key in model.state_dict()})
        return Checkpoint(model.freeze(), info, self.notes, self.findings)


def save(path: Path, model: DualBNModel, info: ModelInfo, *, half: bool = False) -> None:
    """Write one file, whole or not at all: each tensor once, and the header.

    With ``half``, all but the norm layers are stored in float16; they load as float32 again. Of an
    adapter (``info.base``), the auxiliary branches' own tensors alone are written.
    """
    norms = set(model.norm_layer_names())
    tensors = {}
    for key, tensor in model.state_dict().items():
        if info.base is not None and not AUXILIARY.search(key):
            continue
        # `bn1.aux_bn.0.weight` is of the layer `bn1`, as `bn1.weight` is.
        layer = AUXILIARY.split(key)[0] if AUXILIARY.search(key) else key.rpartition(".")[0]
        shrink = half and layer not in norms and tensor.is_floating_point()
        tensors[key] = tensor.to("cpu", torch.float16 if shrink else tensor.dtype).contiguous()
    write_whole(path, as_safetensors(tensors, {header.KEY: header.write(info)}))


def load(
    path: Path,
    settings: ModelSettings | None = None,
    open_base: Callable[[str], Mapping[str, Tensor]] | None = None,
) -> Checkpoint:
    """Read this project's format, or import another program's file.

    Imported, as safetensors or as ``.pth`` with ``weights_only=True``: ``timm --split-bn`` files
    (``aux_bn.0.``), MixBatchNorm ones (``aux_bn.`` without an index, as the public AdvProp and
    Fast AdvProp ports write), and plain state dicts, wherever in the file they are.

    Args:
        path: The file.
        settings: What a person says of a foreign file that does not say it itself.
        open_base: For adapters: the name of a base to its main branch's tensors.

    Returns:
        The frozen model in float32, and its information. A branch the file does not hold is a
        copy of main, and says so.

    Raises:
        CheckpointError: If the file is missing, truncated, not a checkpoint, holds pickled
            code, fits another architecture or holds values that are not finite.
        InputError: For settings that the file does not need or that contradict it.
        UnknownArchitecture: If timm has no such network.
    """
    settings = settings or ModelSettings()
    content, text = read(path)
    if text is not None and settings.given:
        raise InputError(
            f"{path.name} says its {join([*settings.given])} itself: leave out what you gave"
        )
    try:
        if text is None:
            info, tensors, findings = read_foreign(content, settings, path)
        else:
            info, findings = header.parse(text, path.name), None
            tensors = {key: value for key, value in items_of(content) if isinstance(value, Tensor)}
            if info.base is not None:
                if open_base is None:
                    raise CheckpointError(f"{path.name} is an adapter: open it with open_model")
                base = open_base(info.base.name)
                if tensors_sha256(base) != info.base.sha256:
                    raise CheckpointError(
                        f"{path.name} is an adapter for other weights of {info.base.name}: its "
                        "branches fit only the network that they were trained on"
                    )
                tensors = {**base, **tensors}
            _check_extent(tensors, info, path)
        model = timm_networks.create(info)
    except (CheckpointError, timm_networks.UnknownArchitecture, timm_networks.Offline):
        raise
    except Exception as error:  # whatever a stranger's values make timm and torch raise
        raise CheckpointError(
            f"{path.name} describes a network that cannot be built ({error})"
        ) from None
    notes = findings.notes(info, path.name) if findings else ()
    return Checkpoint(_fill(model, tensors, info, path).freeze(), info, notes, findings)


def export(checkpoint: Checkpoint, branch: str, path: Path) -> None:
    """Write one branch as a plain timm state dict that loads with ``strict=True``.

    Size, mean, std and classes go along, so that the file opens here as the same network: in the
    header of a safetensors file, or beside a ``.pth`` file as ``FILE.pth.json``.

    Raises:
        InputError: If the model has no such branch, or the file's ending is neither.
    """
    network = checkpoint.model.branch(branch).network
    tensors = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    info = replace(
        checkpoint.info,
        branches={MAIN: checkpoint.info.branches[branch]},
        metrics=_metrics_alone(checkpoint.info, branch),
        base=None,
    )
    if path.suffix == ".safetensors":
        metadata = {"format": "pt", header.KEY: header.write(info)}
        write_whole(path, as_safetensors(tensors, metadata))
        return
    if path.suffix not in (".pth", ".pt"):
        raise InputError(f"{path.name} must end in .safetensors, .pth or .pt")
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    write_whole(path, buffer.getvalue())
    write_whole(header.side_file(path), header.write(info, header.file_sha256(path)))


def _metrics_alone(info: ModelInfo, branch: str) -> tuple[Mapping[str, Any], ...]:
    """The branch's metrics as those of a main branch without others."""
    metrics: list[Mapping[str, Any]] = []
    for metric in info.metrics:
        condition: Any = metric.get("condition")
        attack_branch = condition.get("attack_branch") if isinstance(condition, Mapping) else None
        # An attack through another branch cannot be repeated where there is no other.
        if metric.get("branch") == branch and attack_branch in (None, branch):
            renamed = {"condition": {**condition, "attack_branch": MAIN}} if attack_branch else {}
            metrics.append({**metric, **renamed, "branch": MAIN})
    return tuple(metrics)


def read(path: Path) -> tuple[object, str | None]:
    """Whatever a file holds, and its header's text where it is one of ours.

    Raises:
        CheckpointError: If it is missing, truncated, no checkpoint, or holds pickled code.
    """
    if (inside := path / "model.safetensors").is_file():
        raise CheckpointError(f"{path} is a folder: give {inside}")
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}")
    try:
        if not _is_pickled(path):
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, (file.metadata() or {}).get(header.KEY)
        content = read_pickle(path)
        text = header.read_text(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path.name} is truncated or is not a checkpoint ({error}): "
            "check the download, or export the file again"
        ) from None
    if not isinstance(content, Mapping | list | tuple):
        raise CheckpointError(f"{path.name} holds no state dict but a {type(content).__name__}")
    if {"progress", "identity"} <= {key for key, _ in items_of(content)}:
        raise CheckpointError(
            f"{path.name} is what a run is resumed from: give the model.safetensors beside it"
        )
    return content, text


def _is_pickled(path: Path) -> bool:
    # By torch's zip, or its older bare pickle. The length of a safetensors header may be the same
    # bytes, but then the header follows.
    with path.open("rb") as file:
        return file.read(2).startswith((b"PK", b"\x80")) and not header.is_safetensors(path)


def _check_extent(tensors: Mapping[str, Tensor], info: ModelInfo, path: Path) -> None:
    """Before a network is built by the header: no larger one than the file holds."""
    classifier = timm_networks.pretrained_config(info.architecture).classifier
    misfit = f"{path.name} does not fit {info.architecture}"
    count = class_count(tensors, timm_networks.beginnings(classifier), misfit)
    branches = 1 + auxiliary_count(tensors)
    if (count, branches) != (info.num_classes, len(info.branches)):
        raise CheckpointError(
            f"{path.name} says {info.num_classes} classes and {len(info.branches)} branches, "
            f"but holds {count} and {branches}"
        )


def _fill(
    model: DualBNModel, tensors: Mapping[str, Tensor], info: ModelInfo, path: Path
) -> DualBNModel:
    values = dict(tensors)
    for key in model.state_dict():
        if key in values:
            continue
        main_key = AUXILIARY.sub(".", key)
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
    match = AUXILIARY.search(key)
    return match is not None and info.branches[auxiliary_name(int(match[1] or 0))] == "copied"


def epoch_file(run: Path, epoch: int) -> Path:
    """Where the run in a folder keeps the checkpoint after an epoch, counted from 1."""
    return run / "epochs" / f"epoch-{epoch:05}.safetensors"


def epoch_files(run: Path) -> list[Path]:
    """The checkpoints that are there, oldest first."""
    return sorted((run / "epochs").glob("epoch-*.safetensors"))
