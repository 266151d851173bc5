"""What a photo loses on purpose, to see what a network reads: outlines, texture, colour, detail.

- `patch-shuffle` cuts a photo into a grid and deals the patches out anew: outlines go, texture
  stays (as in Naseer et al., arXiv 2105.10497).
- `grey` takes colour away and leaves the luma of ITU-R BT.601.
- `edges` leaves dark lines on white: texture finer than the smoothing goes with surfaces, so the
  coarser it is, the more the lines are a silhouette's (edges as in Geirhos et al., arXiv
  1811.12231, by Canny's method).
- `low-pass` and `high-pass` leave coarse or fine structure, as in Geirhos et al., arXiv
  1808.08750, in colour.

Sizes are in patches per side or in cycles per image, so that they mean the same at every
resolution. Names and settings load no torch; `probe` loads it when first called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.pictures.probes.kinds import PROBES, ProbeConfig, describe_probe, require_room

if TYPE_CHECKING:  # pages list the kinds before torch has been loaded
    from torch import Tensor

__all__ = ["PROBES", "ProbeConfig", "describe_probe", "probe", "require_room"]


def probe(pixels: Tensor, config: ProbeConfig, *, seeds: Sequence[int] | None = None) -> Tensor:
    """Takes from pixels what a probe takes.

    The result for a sample depends on the seed, its place in the batch, its size and its own
    pixels; not on the other samples, their number or any global generator.

    Args:
        pixels: Floats (N,3,H,W) in [0,1].
        config: Kind, strength and seed.
        seeds: One per sample, instead of the configuration's: a sample then comes out as it would
            alone under its own seed, wherever it lies and however a data set is cut into batches.

    Returns:
        A new tensor of the same shape, type and device, in [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range, or fewer pixels than patches, or `seeds`
            are not one per sample.
    """
    from advprop_core.pictures.probes.apply import apply

    return apply(pixels, config, seeds)
