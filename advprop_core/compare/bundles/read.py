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

_NEEDED = (MANIFEST, PICTURE, ARRAYS, MAPS)


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
    if missing := next((name for name in _NEEDED if name not in files), None):
        raise BundleError(f"{title} has no {missing}: it is no bundle, or incomplete")
    try:
        manifest = json.loads(files.pop(MANIFEST))
        if (version := manifest["format"]) != FORMAT:
            raise InputError(f"it is of format {version!s:.20}, and this version reads {FORMAT}")
        for part in ("versions", "machine", "files"):
            manifest[part].items()  # raises for anything but a mapping
        if not isinstance(manifest["network"]["name"], str):
            raise InputError("it names no network")
        experiment = Experiment.from_json(manifest["experiment"])
        settings = ModelSettings(**manifest["network"]["settings"])
    except InputError as error:
        raise BundleError(f"the {MANIFEST} in {title} cannot be used: {error}") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise BundleError(f"the {MANIFEST} in {title} is incomplete or damaged") from None
    return Bundle(
        manifest,
        experiment,
        settings,
        files[PICTURE],
        unpack_arrays(files[ARRAYS], ARRAYS),
        unpack_arrays(files[MAPS], MAPS),
        _changed(manifest["files"], files),
    )


def _changed(digests: Mapping[str, Any], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Files that were changed, added or removed since the manifest was written."""
    now = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return tuple(name for name in sorted({*digests, *now}) if digests.get(name) != now.get(name))
