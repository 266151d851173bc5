"""Names of the corruptions and the settings of one; loads no torch."""

from dataclasses import dataclass
from typing import Annotated, Final

from annotated_types import Ge, Le

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean
from advprop_core.types import Checked

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
class CorruptionConfig(Checked):
    """One corruption of Hendrycks and Dietterich (arXiv 1903.12261).

    Attributes:
        kind: One of `CORRUPTIONS` or `EXTRA_CORRUPTIONS`.
        severity: From 1 (mild) to 5.
        seed: What the draws depend on. Kinds without chance (`brightness`, for one) ignore it.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    kind: str
    severity: Annotated[int, Ge(1), Le(5)]
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        choices = CORRUPTIONS + EXTRA_CORRUPTIONS
        if self.kind not in choices:
            hint = did_you_mean(self.kind, choices)
            raise InputError(f"There is no corruption {self.kind!r}. {hint}")
