"""Checkpoint files that no page can use."""

import pytest


@pytest.fixture
def damaged(tiny_models, tmp_path):
    """Name to a file that cannot be used, each for a reason of its own."""
    whole = tiny_models["tiny-advprop"].read_bytes()
    length = int.from_bytes(whole[:8], "little")
    content = whole[8 : 8 + length].decode()
    odd_header = content.replace('\\"input_size\\": 64', '\\"input_size\\": -1').encode()
    assert len(odd_header) == length
    assert odd_header != content.encode()
    files = {
        "not-safetensors": b"PK\x03\x04 pickled, or whatever",
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "odd-header": whole[:8] + odd_header + whole[8 + length :],
    }
    paths = {}
    for name, data in files.items():
        paths[name] = tmp_path / f"{name}.safetensors"
        paths[name].write_bytes(data)
    return paths
