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

Names and settings load no torch; `corrupt` loads it when first called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.pictures.corruptions.kinds import (
    CORRUPTIONS,
    EXTRA_CORRUPTIONS,
    SEVERITIES,
    CorruptionConfig,
)

if TYPE_CHECKING:  # pages list the kinds before torch has been loaded
    from torch import Tensor

__all__ = ["CORRUPTIONS", "EXTRA_CORRUPTIONS", "SEVERITIES", "CorruptionConfig", "corrupt"]


def corrupt(
    pixels: Tensor, config: CorruptionConfig, *, seeds: Sequence[int] | None = None
) -> Tensor:
    """Corrupts pixels as ImageNet-C does (Hendrycks and Dietterich, arXiv 1903.12261).

    The result for a sample depends on the seed, its place in the batch, its size and its own
    pixels; not on the other samples, their number or any global generator. Give every batch of a
    data set its own seed, or all of them repeat the same draws. Work is done in float32 on the
    device of the pixels, except that random numbers are drawn, and JPEG is coded, on the CPU.

    Args:
        pixels: Floats (N,3,H,W) in [0,1], H and W at least 32. The severities are those of the
            paper at 224×224.
        config: Kind, severity and seed.
        seeds: One per sample, instead of the configuration's: a sample then comes out as it would
            alone under its own seed, wherever it lies and however a data set is cut into batches.

    Returns:
        A new tensor of the same shape, type and device, in [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range, or are too small, or `seeds` are not
            one per sample.
    """
    from advprop_core.pictures.corruptions.apply import apply

    return apply(pixels, config, seeds)
