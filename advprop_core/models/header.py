"""What a model file says of itself, as JSON.

Loads nothing heavy, so that a page can list models at once.

A safetensors file holds it in its header. A ``.pth`` file has no room for it: there it is the
text of a file beside it, ``FILE.pth.json``, with the sha256 of the file that it describes.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from advprop_core.errors import InputError
from advprop_core.text import legible
from advprop_core.types import Base, ModelInfo

FORMAT_VERSION = 1
KEY = "advprop_lens"

_LONGEST = 100_000_000  # safetensors' own limit
_DEEPEST = 20  # levels of a recipe; Python's own functions fail on some hundreds


class CheckpointError(InputError):
    """A file that is no usable checkpoint; the message is fit for a person to read."""


def side_file(path: Path) -> Path:
    """Where a ``.pth`` file's description is."""
    return path.with_name(f"{path.name}.json")


def read_info(path: Path) -> ModelInfo:
    """What a checkpoint file says of itself, without reading its tensors.

    Raises:
        CheckpointError: If the file is missing or has no header of this project.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise CheckpointError(f"{path.name} cannot be read: {error.strerror}") from None
    if text is None:
        raise CheckpointError(f"{path.name} has no AdvProp Lens header")
    return parse(text, path.name)


def read_text(path: Path) -> str | None:
    """The header's text; None for a file in a foreign layout.

    Raises:
        CheckpointError: If the description beside a ``.pth`` file is of another file.
        OSError: If the file cannot be read.
    """
    return _read_safetensors_header(path) or _read_side_file(path)


def is_safetensors(path: Path) -> bool:
    """Whether a file begins with eight bytes, the length of its header, and a JSON mapping.

    The eight may be those of a zip or a pickle by chance.
    """
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _read_safetensors_header(path: Path) -> str | None:
    if not is_safetensors(path):
        return None
    # Not safe_open: it refuses a truncated file, which would then be missing from lists of models
    # where the person should read what is wrong with it.
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        try:
            text = json.loads(file.read(min(length, _LONGEST)))["__metadata__"][KEY]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None  # not JSON, no metadata, or metadata that is no mapping
    return text if isinstance(text, str) else None


def _read_side_file(path: Path) -> str | None:
    side = side_file(path)
    if not side.is_file() or side.stat().st_size > _LONGEST:
        return None
    text = side.read_text("utf-8", "replace")
    if '"class_ids"' not in text:  # other programs write such files too
        return None
    try:
        described = json.loads(text).get("sha256")  # older versions did not write it
    except (ValueError, AttributeError, RecursionError):
        return text  # which parse refuses
    if described is not None and described != file_sha256(path):
        raise CheckpointError(
            f"{side.name} does not describe this {path.name}, which was changed since: export it "
            f"again, or remove {side.name}"
        )
    return text


def file_sha256(path: Path) -> str:
    """Digest of a file's bytes, read once for each writing of the file."""
    facts = path.stat()
    return _sha256(path, (facts.st_ctime_ns, facts.st_mtime_ns, facts.st_size))


@lru_cache(maxsize=64)
def _sha256(path: Path, _writing: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(info: ModelInfo, sha256: str | None = None) -> str:
    """The header's text; in a file of its own it names the sha256 of what it describes."""
    content = {"format": FORMAT_VERSION, **asdict(info)}
    return json.dumps(content | ({"sha256": sha256} if sha256 else {}))


def parse(text: str, name: str) -> ModelInfo:
    """Read the header's text; the name is that of the file, for messages.

    Raises:
        CheckpointError: If it is damaged, or of a version this one does not read.
    """
    try:
        content = json.loads(text)
        version = content.pop("format")
        if version != FORMAT_VERSION:
            raise CheckpointError(f"{name} is of format {version}, this one reads {FORMAT_VERSION}")
        content.pop("sha256", None)
        _require_shallow(content, name)
        for key in ("class_ids", "class_names"):
            content[key] = tuple(map(legible, content[key]))
        if content.get("base") is not None:
            content["base"] = Base(**content["base"])
        return ModelInfo(**content)
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{name} has a damaged header ({error})") from None


def _require_shallow(content: object, name: str, levels: int = _DEEPEST) -> None:
    """Refuse lists in lists in lists …, which Python cannot write or copy."""
    if levels == 0:
        raise CheckpointError(f"{name} has a header with more than {_DEEPEST} levels of nesting")
    children = content.values() if isinstance(content, Mapping) else content
    for child in children if isinstance(children, Iterable) else ():
        if not isinstance(child, str):
            _require_shallow(child, name, levels - 1)
