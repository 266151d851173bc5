import dataclasses
import subprocess
import sys

import pytest

from advprop_core.errors import InputError
from advprop_core.pictures.corruptions import CORRUPTIONS, EXTRA_CORRUPTIONS, CorruptionConfig


def test_there_are_fifteen_and_four() -> None:
    assert (len(CORRUPTIONS), len(EXTRA_CORRUPTIONS)) == (15, 4)
    assert len({*CORRUPTIONS, *EXTRA_CORRUPTIONS}) == 19
    assert CORRUPTIONS[0] == "gaussian_noise"
    assert CORRUPTIONS[-1] == "jpeg_compression"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "gausian_noise"}, "Did you mean gaussian_noise"),
        ({"kind": "zzz"}, "Choose from gaussian_noise, shot_noise"),
        ({"kind": 3}, "kind must be a string, got 3"),
        ({"severity": 0}, "severity must be at least 1, got 0"),
        ({"severity": 6}, "severity must be at most 5, got 6"),
        ({"severity": 1.0}, "severity must be an integer, got 1.0"),
        ({"severity": True}, "severity must be an integer, got True"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": "0"}, "seed must be an integer, got '0'"),
    ],
)
def test_config_validates_itself(fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        CorruptionConfig(**{"kind": "fog", "severity": 1} | fields)


def test_config_is_frozen_and_hashable() -> None:
    config = CorruptionConfig("fog", 3)
    assert hash(config) == hash(CorruptionConfig("fog", 3, seed=0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.severity = 2  # type: ignore[misc]


def test_names_and_settings_load_no_torch() -> None:
    code = (
        "import sys, advprop_core.pictures.corruptions as c; "
        "c.CorruptionConfig('fog', 1); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
