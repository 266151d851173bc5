"""What ships with the project, and models by the name a person gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.errors import InputError
from advprop_core.models.header import CheckpointError, file_sha256, read_text
from advprop_core.models.published import PUBLISHED, is_installed, read_published
from advprop_core.models.settings import ModelSettings
from advprop_core.text import join, listing

if TYPE_CHECKING:
    from torch import Tensor

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
    """Name to checkpoint file of every bundled model, as the manifest lists them.

    Adapters for a published network whose package is not installed are left out.
    """
    return {
        name: _models_dir() / entry["file"]
        for name, entry in _manifest().items()
        if "base" not in entry or is_installed(entry["base"])
    }


def verify_bundled(name: str) -> Path:
    """The file of a bundled network, after its sha256 was compared with the manifest's.

    Raises:
        CheckpointError: If the file is missing or its sha256 differs.
    """
    path = _models_dir() / _manifest()[name]["file"]
    others = listing([other for other in bundled_models() if other != name])
    advice = "Install again" + (f", or choose another network: {others}" if others else "")
    if not path.is_file():
        raise CheckpointError(f"the bundled network {name} is missing: {path.name}. {advice}")
    if file_sha256(path) != _manifest()[name]["sha256"]:
        raise CheckpointError(
            f"the bundled network {name} is damaged: its bytes are not those of the manifest. "
            f"{advice}"
        )
    return path


def open_model(
    name: str | Path,
    *,
    architecture: str | None = None,
    size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    classes: Sequence[str] | None = None,
) -> Checkpoint:
    """A model by bundled name, file, or timm name with pretrained weights.

    The name is such as ``imagenette-advprop``, ``runs/x/model.safetensors``, ``resnet18.a1_in1k``
    or ``local-dir:FOLDER``. The rest is for a file in a foreign layout that does not say it itself;
    see :class:`~advprop_core.models.settings.ModelSettings`.

    Returns:
        The frozen model and what is known of it; its notes say what was guessed or ignored.

    Raises:
        CheckpointError: For a file that cannot be used, or a name that is none of these.
        InputError: For settings that contradict the file, or that it does not need.
        UnknownArchitecture: If the name is not known to timm either.
        Offline: If timm's weights cannot be fetched.
    """
    # Here, so that listing what is bundled loads no torch.
    from advprop_core.models import timm_networks
    from advprop_core.models.checkpoints import Checkpoint

    settings = ModelSettings(architecture, size, mean, std, classes)  # type: ignore[arg-type]  # it makes tuples
    text, path, bundled = str(name), Path(name), bundled_models()
    if text in _manifest():
        return _load(verify_bundled(text), settings)
    if path.is_file() or ((path.suffix or path.exists()) and not timm_networks.is_known(text)):
        return _load(path, settings)
    try:
        model, info = timm_networks.load_pretrained(text)
    except timm_networks.UnknownArchitecture as error:
        raise timm_networks.UnknownArchitecture(
            f"{text!r} is no bundled model ({', '.join(bundled)}), no file, and {error}"
        ) from None
    if settings.given:
        raise InputError(
            f"timm already describes {text} completely: leave out {join([*settings.given])}"
        )
    return Checkpoint(model, info)


def open_file(path: Path, settings: ModelSettings | None = None) -> Checkpoint:
    """A checkpoint file; that of a bundled network after it was compared with the manifest.

    Args:
        path: The file.
        settings: What a person says of it, if it is in a foreign layout; others need nothing.

    Raises:
        CheckpointError: If the file cannot be used, or is not the one that was bundled.
    """
    for name, bundled_path in bundled_models().items():
        if path == bundled_path:
            verify_bundled(name)
    return _load(path, None if says_all_itself(str(path)) else settings)


def _load(path: Path, settings: ModelSettings | None = None) -> Checkpoint:
    from advprop_core.models.checkpoints import load

    return load(path, settings, partial(_open_base, path))


def _open_base(adapter: Path, name: str) -> Mapping[str, Tensor]:
    """The main branch's tensors of the network that an adapter names.

    Raises:
        CheckpointError: If it cannot be opened, or is a published one that is not installed.
        Offline: If it is timm's and cannot be fetched.
    """
    from advprop_core.models.timm_networks import UnknownArchitecture

    if name in PUBLISHED:
        return read_published(name)
    beside = adapter.with_name(Path(name).name)
    source = beside if not Path(name).is_file() and beside.is_file() else name
    try:
        return open_model(source).model.branch("main").network.state_dict()
    except (CheckpointError, UnknownArchitecture) as error:
        raise CheckpointError(
            f"{adapter.name} is an adapter for {name}, which cannot be opened ({error}): put that "
            "file beside it"
        ) from None


def says_all_itself(name: str) -> bool:
    """Whether a model is bundled, timm's, or a file that was written here."""
    path = Path(name)
    try:
        return not path.is_file() or read_text(path) is not None
    except OSError:  # whoever opens the file says why it cannot be read
        return True


def _models_dir() -> Path:
    return bundle_dir() / "assets" / "models"


def _manifest() -> dict[str, dict[str, str]]:
    path = _models_dir() / "manifest.json"
    if not path.is_file():
        return {}
    manifest: dict[str, dict[str, str]] = json.loads(path.read_text())
    return manifest
