"""What ships with the project, and models by the name a person gives."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.models.header import CheckpointError

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

_PACKAGE = Path(__file__).parent.parent


def bundle_dir() -> Path:
    """The folder with ``streamlit_app.py``, ``app/`` and ``assets/``.

    In an installed wheel they lie under ``advprop_core/_bundle``, in a checkout beside the
    package.
    """
    installed = _PACKAGE / "_bundle"
    return installed if (installed / "streamlit_app.py").is_file() else _PACKAGE.parent


def bundled_models() -> dict[str, Path]:
    """Name to checkpoint file of every bundled model, as the manifest lists them."""
    return {name: _models_dir() / entry["file"] for name, entry in _manifest().items()}


def verify_bundled(name: str) -> None:
    """Compare a bundled file with the manifest.

    Raises:
        CheckpointError: If the file is missing or its sha256 differs.
    """
    path = bundled_models()[name]
    if not path.is_file():
        raise CheckpointError(f"the bundled model {name} is missing: {path.name}; install again")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != _manifest()[name]["sha256"]:
        raise CheckpointError(f"the bundled model {name} is damaged: install again")


def open_model(name: str, *, architecture: str | None = None) -> Checkpoint:
    """A model by bundled name, file, or timm name with pretrained weights.

    Args:
        name: ``imagenette-advprop``, ``runs/x/model.safetensors``, ``resnet18.a1_in1k`` or
            ``local-dir:FOLDER``.
        architecture: timm's name of the network, for a file in a foreign layout only.

    Raises:
        CheckpointError: For a file that cannot be used, or a name that is none of these.
        UnknownArchitecture: If the name is not known to timm either.
        Offline: If timm's weights cannot be fetched.
    """
    from advprop_core.models import (
        timm_networks,  # here, so that listing what is bundled loads no torch
    )
    from advprop_core.models.checkpoints import Checkpoint, load

    bundled = bundled_models()
    if name in bundled:
        return load(bundled[name])
    path = Path(name)
    if path.is_file() or ((path.suffix or path.exists()) and not timm_networks.is_known(name)):
        return load(path, architecture=architecture)
    try:
        return Checkpoint(*timm_networks.load_pretrained(name))
    except timm_networks.UnknownArchitecture as error:
        raise timm_networks.UnknownArchitecture(
            f"{name!r} is no bundled model ({', '.join(bundled)}), no file, and {error}"
        ) from None


def _models_dir() -> Path:
    return bundle_dir() / "assets" / "models"


def _manifest() -> dict[str, dict[str, str]]:
    path = _models_dir() / "manifest.json"
    if not path.is_file():
        return {}
    manifest: dict[str, dict[str, str]] = json.loads(path.read_text())
    return manifest
