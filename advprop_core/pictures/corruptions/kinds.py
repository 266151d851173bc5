"""Names of the corruptions and the settings of one; loads no torch."""

from dataclasses import dataclass
from typing import Final

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean

CORRUPTIONS: Final[tuple[str, ...]] = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)
"""The 15 kinds the mean corruption error is taken over, in the paper's order."""

EXTRA_CORRUPTIONS: Final[tuple[str, ...]] = (
    "speckle_noise",
    "gaussian_blur",
    "spatter",
    "saturate",
)
"""The 4 kinds the paper keeps for validation."""

SEVERITIES: Final[tuple[int, ...]] = (1, 2, 3, 4, 5)
"""The severities, mildest first."""


@dataclass(frozen=True)
class CorruptionConfig:
    """One corruption of Hendrycks and Dietterich (arXiv 1903.12261).

    Attributes:
        kind: One of `CORRUPTIONS` or `EXTRA_CORRUPTIONS`.
        severity: A whole number from 1 (mild) to 5.
        seed: What the draws depend on, a whole number of at least 0. Kinds without chance
            (`brightness`, for one) ignore it.

    Raises:
        TypeError: An attribute is of the wrong type.
        ValueError: An attribute is out of its range.
    """

    kind: str
    severity: int
    seed: int = 0

    def __post_init__(self) -> None:
        _require_kind(self.kind)
        _require_whole("severity", self.severity)
        if self.severity not in SEVERITIES:
            raise InputError(
                f"severity must be 1, 2, 3, 4 or 5, got {self.severity}: "
                "the corruptions are defined for these alone."
            )
        _require_whole("seed", self.seed)
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, got {self.seed}: drop the sign.")


def _require_kind(kind: object) -> None:
    if not isinstance(kind, str):
        raise TypeError(f"kind must be the name of a corruption, got {kind!r}.")
    known = CORRUPTIONS + EXTRA_CORRUPTIONS
    if kind not in known:
        raise InputError(f"There is no corruption {kind!r}. {did_you_mean(kind, known)}")


def _require_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
