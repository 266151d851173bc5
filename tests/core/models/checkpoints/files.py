"""Checkpoint files written by hand, and the words with which one is refused."""

import json

import pytest
from safetensors.torch import load_file, save_file

from advprop_core.models import header
from advprop_core.models.checkpoints import CheckpointError, load
from advprop_core.models.settings import ModelSettings


def write_safetensors(state, path):
    save_file({key: value.contiguous() for key, value in state.items()}, path)


def with_header(source, path, **changes):
    """The same tensors under a changed header; a value of None drops its key."""
    text = header.write(changes.pop("info"))
    content = {**json.loads(text), **changes}
    content = {key: value for key, value in content.items() if value is not None}
    save_file(load_file(source), path, {header.KEY: json.dumps(content)})
    return path


def refusal(path, architecture=None):
    with pytest.raises(CheckpointError) as caught:
        load(path, ModelSettings(architecture))
    return str(caught.value)
