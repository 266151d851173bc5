"""The common corruptions of ImageNet-C (arXiv 1903.12261), made on the fly at severities 1-5.

The published severities hold for photos of 224×224 pixels: their radii, shifts and noise scales
are in pixels and are not rescaled here. Corrupt at 224 and resize afterwards; any other size of at
least 32×32 works, but means another severity (near 32, `elastic_transform` moves things by more
than the picture at severities 1 and 2).

The parameters are the published ones. The pictures differ from the published files in this:

- Nothing is stored as JPEG of quality 85, and values are not rounded to 8 bits, neither at the end
  nor between steps; only `jpeg_compression`, and the inside of `spatter`, count in 8 bits.
- `frost` lays on frost that is drawn here, not the authors' photographs of frost.
- `spatter` finds the rims of its drops as borders of the wet area and measures distances exactly,
  where the authors' script uses Canny edges and an approximate distance.
- `motion_blur` and `snow` follow ImageMagick's motion blur without using it; its rounding differs.
- `elastic_transform` reads its affine stage at exact places, not at 32nds of a pixel.
- `snow`, `zoom_blur`, `fog` and `elastic_transform` were published for squares; other shapes are
  treated here as the same operation per side.
- Random draws come from torch, so no sample equals the published one. With one seed all severities
  of a kind share their draws, where the published set draws each anew.

What the authors' script does by accident is kept where it shapes the pictures: `glass_blur` copies
pixels rather than swapping them, `shot_noise` and `impulse_noise` treat channels on their own,
`zoom_blur` counts the photo twice, and `saturate` tints greys red at severities 4 and 5.

Names and settings load no torch; :mod:`.apply` does the work.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from annotated_types import Ge, Le

from advprop_core.errors import Checked, InputError
from advprop_core.text import did_you_mean

# Those that mCE is defined on; a kind of one's own goes into `ALL_CORRUPTIONS` alone.
CORRUPTIONS: Final[tuple[str, ...]] = (
    *("gaussian_noise", "shot_noise", "impulse_noise"),
    *("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "brightness"),
    *("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
)
"""The 15 kinds the mean corruption error is taken over, in the paper's order."""

ALL_CORRUPTIONS: Final = (*CORRUPTIONS, "speckle_noise", "gaussian_blur", "spatter", "saturate")
"""These, and the 4 kinds the paper keeps for validation."""

SEVERITIES: Final[tuple[int, ...]] = (1, 2, 3, 4, 5)
"""The severities, mildest first."""


@dataclass(frozen=True)
class CorruptionConfig(Checked):
    """One corruption; an InputError for a value of the wrong kind or out of its range.

    Attributes:
        kind: One of `ALL_CORRUPTIONS`.
        severity: From 1 (mild) to 5.
        seed: What the draws depend on. Kinds without chance (`brightness`, for one) ignore it.
    """

    kind: str
    severity: Annotated[int, Ge(1), Le(5)]
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in ALL_CORRUPTIONS:
            hint = did_you_mean(self.kind, ALL_CORRUPTIONS)
            raise InputError(f"There is no corruption {self.kind!r}. {hint}")
