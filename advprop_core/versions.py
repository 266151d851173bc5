"""What results depend on besides their settings: packages and machine. Loads nothing heavy."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("advprop-lens", "torch", "timm", "captum", "numpy", "pillow")


def versions() -> dict[str, str | None]:
    """Of Python and the packages that results depend on; None for what is not installed."""
    packages: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:  # run from a checkout
            packages[package] = None
    return packages
