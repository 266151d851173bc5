"""The settings of noises, corruptions and probes: what they refuse, and what they load."""

import dataclasses
import subprocess
import sys

import pytest

from advprop_core.errors import InputError
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.probes import PROBES, ProbeConfig, require_room

GOOD = {
    NoiseConfig: {"kind": "gaussian", "severity": 0.1},
    CorruptionConfig: {"kind": "fog", "severity": 1},
    ProbeConfig: {"kind": "low-pass", "strength": 8},
}


def test_there_are_fifteen_corruptions_and_four() -> None:
    assert (len(CORRUPTIONS), len(ALL_CORRUPTIONS)) == (15, 19)
    assert len({*ALL_CORRUPTIONS}) == 19
    assert CORRUPTIONS[0] == "gaussian_noise"
    assert CORRUPTIONS[-1] == "jpeg_compression"


def test_every_usual_strength_is_one_that_a_probe_takes() -> None:
    configs = [ProbeConfig(kind, strength) for kind in PROBES for strength in PROBES[kind]]
    assert len(set(configs)) == 3 + 1 + 2 + 3 + 3


@pytest.mark.parametrize("config", GOOD)
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "zzz"}, "There is no .* Choose from "),
        ({"kind": 3}, "kind must be a string, got 3"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 1.5}, "seed must be an integer, got 1.5"),
        ({"seed": "0"}, "seed must be an integer, got '0'"),
    ],
)
def test_a_kind_and_a_seed_are_checked(config: type, fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        config(**GOOD[config] | fields)


@pytest.mark.parametrize(
    ("config", "fields", "words"),
    [
        (NoiseConfig, {"severity": -0.1}, "severity must be at least 0, got -0.1"),
        (NoiseConfig, {"severity": 8}, "severity must be at most 1, got 8"),
        (NoiseConfig, {"severity": float("nan")}, "severity must be a finite number, got nan"),
        (NoiseConfig, {"severity": "0.1"}, "severity must be a number, got '0.1'"),
        (CorruptionConfig, {"kind": "gausian_noise"}, "Did you mean gaussian_noise"),
        (CorruptionConfig, {"severity": 0}, "severity must be at least 1, got 0"),
        (CorruptionConfig, {"severity": 6}, "severity must be at most 5, got 6"),
        (CorruptionConfig, {"severity": 1.0}, "severity must be an integer, got 1.0"),
        (CorruptionConfig, {"severity": True}, "severity must be an integer, got True"),
        (ProbeConfig, {"kind": "lowpass"}, "Did you mean low-pass"),
        (ProbeConfig, {"kind": "grey", "strength": 1}, "must be left out for grey, got 1"),
        (ProbeConfig, {"strength": None}, "must be a cut-off in cycles per image.*got none"),
        (ProbeConfig, {"strength": 0}, "above 0, such as 4, got 0"),
        (ProbeConfig, {"kind": "high-pass", "strength": -1.0}, "above 0, such as 16, got -1"),
        (ProbeConfig, {"strength": float("inf")}, "strength must be a finite number"),
        (ProbeConfig, {"strength": float("nan")}, "strength must be a finite number"),
        (ProbeConfig, {"strength": True}, "strength must be a number, got True"),
        (ProbeConfig, {"kind": "patch-shuffle", "strength": 1}, "at least 2, such as 8, got 1"),
        (ProbeConfig, {"kind": "patch-shuffle", "strength": 2.5}, "such as 8, got 2.5"),
    ],
)
def test_a_strength_is_checked(config: type, fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        config(**GOOD[config] | fields)


@pytest.mark.parametrize("config", GOOD)
def test_configs_are_frozen_and_hashable(config: type) -> None:
    value = config(**GOOD[config])
    assert hash(value) == hash(config(**GOOD[config], seed=0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.seed = 2


def test_patches_are_at_least_a_pixel() -> None:
    require_room(ProbeConfig("patch-shuffle", 32), 32)
    require_room(ProbeConfig("low-pass", 100), 32)
    with pytest.raises(ValueError, match="got 33 patches for 32 pixels: give fewer"):
        require_room(ProbeConfig("patch-shuffle", 33), 32)


def test_names_and_settings_load_no_torch() -> None:
    code = (
        "import sys, advprop_core.pictures.corruptions as c, advprop_core.pictures.probes as p; "
        "c.CorruptionConfig('fog', 1); p.ProbeConfig('grey'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
