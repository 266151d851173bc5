"""The Anatomy page, opened, with few pictures to measure on."""

import pytest

from app.anatomy import words, work
from tests.app.anatomy.looking import ANATOMY


@pytest.fixture
def few_pictures(monkeypatch):
    """Where the page would take hundreds of pictures, a few."""
    monkeypatch.setattr(work, "MEASURED", 4)
    monkeypatch.setattr(work, "REFERENCE", 4)
    monkeypatch.setattr(words, "CALIBRATED_ON", 4)


@pytest.fixture
def anatomy(visit):
    """(query parameters) opens the page."""
    return lambda **parameters: visit(steps="1", **parameters).turn_to(ANATOMY)
