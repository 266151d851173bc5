import dataclasses
import subprocess
import sys

import pytest

from advprop_core.pictures.corruptions import CORRUPTIONS, EXTRA_CORRUPTIONS, CorruptionConfig


def test_there_are_fifteen_and_four() -> None:
    assert (len(CORRUPTIONS), len(EXTRA_CORRUPTIONS)) == (15, 4)
    assert len({*CORRUPTIONS, *EXTRA_CORRUPTIONS}) == 19
    assert CORRUPTIONS[0] == "gaussian_noise"
    assert CORRUPTIONS[-1] == "jpeg_compression"


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"kind": "gausian_noise", "severity": 1}, ValueError, "Did you mean gaussian_noise"),
        ({"kind": "zzz", "severity": 1}, ValueError, "Choose from gaussian_noise, shot_noise"),
        ({"kind": 3, "severity": 1}, TypeError, "kind must be the name of a corruption, got 3"),
        ({"kind": "fog", "severity": 0}, ValueError, "severity must be 1, 2, 3, 4 or 5, got 0"),
        ({"kind": "fog", "severity": 6}, ValueError, "severity must be 1, 2, 3, 4 or 5, got 6"),
        ({"kind": "fog", "severity": 1.0}, TypeError, "severity must be a whole number"),
        ({"kind": "fog", "severity": True}, TypeError, "severity must be a whole number"),
        ({"kind": "fog", "severity": 1, "seed": -1}, ValueError, "seed must be at least 0"),
        ({"kind": "fog", "severity": 1, "seed": "0"}, TypeError, "seed must be a whole number"),
    ],
)
def test_config_validates_itself(fields: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        CorruptionConfig(**fields)


def test_config_is_frozen_and_hashable() -> None:
    config = CorruptionConfig("fog", 3)
    assert hash(config) == hash(CorruptionConfig("fog", 3, seed=0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.severity = 2  # type: ignore[misc]


def test_names_and_settings_load_no_torch() -> None:
    code = (
        "import sys, advprop_core.pictures.corruptions as c; "
        "import advprop_core.pictures.corruptions.kinds; "
        "c.CorruptionConfig('fog', 1); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
