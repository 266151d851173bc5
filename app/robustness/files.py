"""The results that come with the app; files of the person are read by the library alike."""

from __future__ import annotations

from pathlib import Path

from advprop_core.models import bundle

_FIRST = "imagenette"
"""What a visitor sees at first: every model under many conditions, on photos."""
_OTHER_PAGES = ("norm-halves",)  # results that the Anatomy page shows


def bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, that to begin with in front."""
    folder = bundle.bundle_dir() / "assets" / "results"
    files = (path for path in folder.glob("*.json") if path.stem not in _OTHER_PAGES)
    paths = sorted(files, key=lambda path: (path.stem != _FIRST, path.stem))
    return {path.stem: path for path in paths}
