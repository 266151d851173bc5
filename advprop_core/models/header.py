"""The JSON in a checkpoint's header; loads nothing heavy, so a page can list models at once."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from pathlib import Path

from advprop_core.text import legible
from advprop_core.types import ModelInfo

FORMAT_VERSION = 1
KEY = "advprop_lens"

_LONGEST = 100_000_000  # safetensors' own limit


class CheckpointError(ValueError):
    """A file that is no usable checkpoint; the message is fit for a person to read."""


def read_info(path: Path) -> ModelInfo:
    """What a checkpoint file says of itself, without reading its tensors.

    Raises:
        CheckpointError: If the file is missing or has no header of this project.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            content = json.loads(file.read(min(length, _LONGEST)))
        text = content["__metadata__"][KEY]
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read: {error.strerror}") from None
    except (struct.error, ValueError, KeyError, TypeError, RecursionError):
        # Too short, not JSON, no metadata, or metadata that is no mapping.
        raise CheckpointError(f"{path.name} has no AdvProp Lens header") from None
    return parse(text, path.name)


def write(info: ModelInfo) -> str:
    """The header's text."""
    return json.dumps({"format": FORMAT_VERSION, **asdict(info)})


def parse(text: str, name: str) -> ModelInfo:
    """Read the header's text.

    Args:
        text: JSON.
        name: Of the file, for the message.

    Raises:
        CheckpointError: If it is damaged, or of a version this one does not read.
    """
    try:
        content = json.loads(text)
        version = content.pop("format")
        if version != FORMAT_VERSION:
            raise CheckpointError(f"{name} is of format {version}, this one reads {FORMAT_VERSION}")
        for key in ("mean", "std", "metrics"):
            content[key] = tuple(content[key])
        for key in ("class_ids", "class_names"):
            content[key] = tuple(map(legible, content[key]))
        return ModelInfo(**content)
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{name} has a damaged header ({error})") from None
