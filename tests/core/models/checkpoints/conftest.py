"""A file of this project's own format."""

import pytest

from advprop_core.models.checkpoints import save


@pytest.fixture
def saved(tmp_path, dual, make_info):
    path = tmp_path / "model.safetensors"
    save(path, dual, make_info())
    return path
