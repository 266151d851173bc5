"""Glass blur: pixels exchanged with near ones, one after the other, without a loop over pixels."""

from typing import Final

import torch
from torch import Tensor

from advprop_core.pictures.draws import Seed, streams, whole
from advprop_core.pictures.filters import smooth

GLASS: Final = ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))
"""Standard deviation of the blur, farthest exchange in pixels, and number of rounds."""


def glass_blur(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Blurs as ribbed glass does: smooths, scatters pixels over their surroundings, smooths again.

    The authors' script visits pixels from the last to the first and means to swap each with a
    random near one. As NumPy carries it out, the visited pixel takes the other's colour and the
    other keeps it; and since colours taken earlier may be passed on, they can travel far. The
    same is done here, exactly, by following all chains at once. No rounding to 8 bits is done
    before the scattering.
    """
    sigma, reach, rounds = GLASS[severity - 1]
    height, width = pixels.shape[2:]
    steps = whole(streams(seed, len(pixels)), -reach, reach, rounds, 2, height, width)
    source = torch.arange(height * width, device=pixels.device).expand(len(pixels), -1)
    for turn in steps.to(pixels.device).unbind(1):
        source = source.gather(1, scatter_sources(turn[:, 0], turn[:, 1], reach))
    colours = smooth(pixels, sigma).flatten(2)
    scattered = colours.gather(2, source[:, None].expand(-1, 3, -1))
    return smooth(scattered.view_as(pixels), sigma)


def scatter_sources(down: Tensor, along: Tensor, reach: int) -> Tensor:
    """Where every pixel's colour comes from after a round: (N,H*W) indices into the picture.

    Pixels are visited from the last to the first, except a rim of `reach` pixels (one more at the
    top and left), and each takes the colour that its partner has at that moment. The partner lies
    (N,H,W) pixels below and to the right, whole numbers in -reach … reach-1.
    """
    height, width = down.shape[1:]
    own = torch.arange(height * width, device=down.device)
    visited = torch.zeros(height, width, dtype=torch.bool, device=down.device)
    visited[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1] = True
    source = own + ((down * width + along) * visited).flatten(1)
    # A partner farther on was visited before: it passes on what it has taken itself.
    passed_on = (source > own) & visited.flatten()[source]
    while passed_on.any():  # every turn doubles how far chains have been followed
        further = source.gather(1, source)
        still = passed_on.gather(1, source)
        source = torch.where(passed_on, further, source)
        passed_on = passed_on & still
    return source
