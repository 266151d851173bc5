"""Files that ``torch.save`` wrote, read without running anything that is in them.

A pickle names classes and functions, and calls them. torch's ``weights_only=True`` calls those
that make tensors and refuses the others. Training scripts often store harmless values beside the
weights, such as numpy numbers or a configuration. These are read as empty stand-ins: not even
numpy's own functions are called, for a file could pass them anything.
"""

from __future__ import annotations

import argparse
import pickle
import re
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from advprop_core.files import ZIP_ERRORS
from advprop_core.models.header import CheckpointError

_FORBIDDEN_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")  # as torch's error names it
_LOCK = threading.Lock()  # torch keeps the classes it may unpickle in one global list


class _Value:
    """Stands for a number, an array, a path or a date: takes any arguments and holds nothing."""

    def __new__(cls, *_: object) -> _Value:
        return object.__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


class _Record:
    """Stands for a dictionary or a configuration: becomes the plain mapping that torch fills."""

    def __new__(cls, *_: object) -> Any:
        return OrderedDict()


_VALUES = ("numpy", "pathlib", "datetime")
_RECORDS = (
    *("lightning", "lightning_fabric", "pytorch_lightning", "omegaconf", "easydict", "yacs"),
    *("ml_collections", "addict", "mmengine", "mmcv", "transformers"),
)
_STAND_INS = {**dict.fromkeys(_VALUES, _Value), **dict.fromkeys(_RECORDS, _Record)}
"""By the package whose values they are."""

_ALLOWED: list[Any] = [
    argparse.Namespace,  # the options of a training script; a bag of values, without code
    (_Value, "torch.torch_version.TorchVersion"),
    (_Record, "collections.defaultdict"),
    *((_Value, f"builtins.{name}") for name in ("list", "dict", "int", "float", "str")),
]


def read_pickle(path: Path) -> object:
    """What ``torch.save`` was given, with stand-ins for what is neither tensor nor plain value.

    Raises:
        CheckpointError: If the file is damaged or packed, or names code that is neither torch's
            nor in the list above.
    """
    _require_unpacked(path)
    allowed = list(_ALLOWED)
    while True:
        try:
            with _LOCK, torch.serialization.safe_globals(allowed):
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            match = _FORBIDDEN_GLOBAL.search(str(error))
            name = match[1] if match else ""
            stand_in = _STAND_INS.get(name.partition(".")[0])
            if stand_in is None or (stand_in, name) in allowed:
                raise CheckpointError(
                    f"{path.name} is a damaged pickle, or holds pickled code"
                    f"{f' ({name})' if name else ''}, which is never run here: save its state_dict "
                    "as safetensors"
                ) from None
            allowed.append((stand_in, name))
        except Exception as error:  # a zip or pickle that breaks off raises nearly anything
            raise CheckpointError(
                f"{path.name} is truncated or is not a checkpoint ({str(error).split('. ')[0]}): "
                "check the download, or save the file again"
            ) from None


def _require_unpacked(path: Path) -> None:
    """Refuse an archive whose parts are larger than it is: a few bytes would fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (*ZIP_ERRORS, OSError):
        return  # torch's older format, or a damaged file, of which torch says what is wrong
    if unpacked > path.stat().st_size:
        raise CheckpointError(
            f"{path.name} is a packed archive, and torch.save writes none: unpack it first"
        )
