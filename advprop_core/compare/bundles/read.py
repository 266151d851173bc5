"""A bundle as it was written, checked before anything of it is used."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advprop_core.compare.bundles.archive import (
    MOST_BYTES,
    Array,
    BundleError,
    unpack,
    unpack_arrays,
)
from advprop_core.compare.bundles.write import ARRAYS, FORMAT, MANIFEST, MAPS, PICTURE
from advprop_core.compare.experiment import Experiment
from advprop_core.errors import InputError
from advprop_core.models.settings import ModelSettings

_NEEDED = (PICTURE, ARRAYS, MAPS)


@dataclass(frozen=True, eq=False)
class Bundle:
    """What a bundle holds.

    Attributes:
        manifest: Versions, machine, digests and what else was noted.
        experiment: What was done.
        settings: What was said of the network's file, if it is in a foreign layout.
        picture: The bytes of the clean picture, a PNG.
        arrays: Pictures and logits by name.
        maps: Maps by name.
        changed: Files that are not those whose digests the manifest has.
    """

    manifest: Mapping[str, Any]
    experiment: Experiment
    settings: ModelSettings
    picture: bytes
    arrays: Mapping[str, Array]
    maps: Mapping[str, Array]
    changed: tuple[str, ...]

    @property
    def network(self) -> Mapping[str, Any]:
        """What the manifest says of the network: ``name``, digests and more."""
        network: Mapping[str, Any] = self.manifest["network"]
        return network


def read_bundle(path: Path) -> Bundle:
    """Read and check a bundle; no code in it is run, and nothing is written to disk.

    Raises:
        BundleError: If it is no bundle of this version, or is damaged.
        OSError: If the file cannot be read.
    """
    title = path.name
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise BundleError(f"{path} {what}: give a zip that `advprop compare --bundle` wrote")
    if path.stat().st_size > MOST_BYTES:
        raise BundleError(f"{title} is larger than {MOST_BYTES / 1e6:,.0f} MB: no bundle is")
    files = unpack(path.read_bytes(), title)
    if MANIFEST not in files:
        raise BundleError(f"{title} has no {MANIFEST}: it is no bundle")
    manifest = _read_manifest(files.pop(MANIFEST), title)
    if missing := next((name for name in _NEEDED if name not in files), None):
        raise BundleError(f"{title} has no {missing}: it is incomplete")
    try:
        experiment = Experiment.from_json(manifest["experiment"])
        settings = ModelSettings(**manifest["network"]["settings"])
    except InputError as error:
        raise BundleError(f"the {MANIFEST} in {title} cannot be used: {error}") from None
    except (KeyError, TypeError):
        raise BundleError(f"the {MANIFEST} in {title} is incomplete") from None
    return Bundle(
        manifest,
        experiment,
        settings,
        files[PICTURE],
        unpack_arrays(files[ARRAYS], ARRAYS),
        unpack_arrays(files[MAPS], MAPS),
        _changed(manifest["files"], files),
    )


def _read_manifest(data: bytes, title: str) -> dict[str, Any]:
    """The manifest, with the parts that are read by name."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise BundleError(f"the {MANIFEST} in {title} is no JSON") from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise BundleError(f"the {MANIFEST} in {title} is not that of a bundle")
    if manifest["format"] != FORMAT:
        version = str(manifest["format"])[:20]
        raise BundleError(
            f"{title} is a bundle of format {version}, and this version reads format {FORMAT}"
        )
    for key in ("experiment", "network", "versions", "machine", "files"):
        if not isinstance(manifest.get(key), dict):
            raise BundleError(f"the {MANIFEST} in {title} has no {key}: it is incomplete")
    if not isinstance(manifest["network"].get("name"), str):
        raise BundleError(f"the {MANIFEST} in {title} names no network")
    return manifest


def _changed(digests: Mapping[str, Any], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Files that were changed, added or removed since the manifest was written."""
    now = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return tuple(name for name in sorted({*digests, *now}) if digests.get(name) != now.get(name))
