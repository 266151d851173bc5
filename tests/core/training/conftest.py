"""Tiny photos, on the CPU."""

from pathlib import Path

import pytest

from tests.core.training.tiny import draw_photos


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has: what needs a GPU is tested in tests/gpu/."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos"))
