import dataclasses
import subprocess
import sys

import pytest

from advprop_core.errors import InputError
from advprop_core.pictures.probes import PROBES, ProbeConfig, require_room


def test_every_usual_strength_is_one_that_a_probe_takes() -> None:
    configs = [ProbeConfig(kind, strength) for kind in PROBES for strength in PROBES[kind]]
    assert len(set(configs)) == 3 + 1 + 2 + 3 + 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "lowpass"}, "Did you mean low-pass"),
        ({"kind": "zzz"}, "Choose from patch-shuffle, grey, edges"),
        ({"kind": 3}, "kind must be a string, got 3"),
        ({"kind": "grey", "strength": 1}, "strength must be left out for grey, got 1"),
        ({"kind": "edges"}, "edges must be a cut-off in cycles per image.*got none"),
        ({"kind": "low-pass", "strength": 0}, "above 0, such as 4, got 0"),
        ({"kind": "high-pass", "strength": -1.0}, "above 0, such as 16, got -1"),
        ({"kind": "low-pass", "strength": float("inf")}, "strength must be a finite number"),
        ({"kind": "low-pass", "strength": float("nan")}, "strength must be a finite number"),
        ({"kind": "low-pass", "strength": True}, "strength must be a number, got True"),
        ({"kind": "patch-shuffle", "strength": 1}, "at least 2, such as 8, got 1"),
        ({"kind": "patch-shuffle", "strength": 2.5}, "at least 2, such as 8, got 2.5"),
        ({"kind": "grey", "seed": -1}, "seed must be at least 0, got -1"),
        ({"kind": "grey", "seed": "0"}, "seed must be an integer, got '0'"),
    ],
)
def test_config_validates_itself(fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ProbeConfig(**fields)


def test_config_is_frozen_and_hashable() -> None:
    config = ProbeConfig("low-pass", 8)
    assert hash(config) == hash(ProbeConfig("low-pass", 8.0, seed=0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.strength = 4.0  # type: ignore[misc]


def test_patches_are_at_least_a_pixel() -> None:
    require_room(ProbeConfig("patch-shuffle", 32), 32)
    require_room(ProbeConfig("low-pass", 100), 32)
    with pytest.raises(ValueError, match="got 33 patches for 32 pixels: give fewer"):
        require_room(ProbeConfig("patch-shuffle", 33), 32)


def test_names_and_settings_load_no_torch() -> None:
    code = (
        "import sys, advprop_core.pictures.probes as p; "
        "p.ProbeConfig('grey'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
