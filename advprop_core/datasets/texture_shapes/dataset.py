"""TextureShapes: scenes in which outline and texture can disagree, as a data set."""

import numpy as np
import torch
from torch.utils.data import Dataset

from advprop_core.datasets.texture_shapes.scenes import SHAPES, Scene, check_arguments, draw_scene
from advprop_core.errors import InputError


class TextureShapes(Dataset[tuple[torch.Tensor, int]]):
    """The scenes 0 to ``length - 1`` of a seed, drawn when asked for; classes take turns.

    ``texture_agreement=0`` gives the conflict set, on which only an eye for outlines is right.

    Args:
        length: number of scenes, 0 or more.
        seed: of the data set, 0 or more; data sets of different seeds share no scene.
        texture_agreement: probability in [0, 1] that a texture is the class's own.
        size: height and width in pixels, at least 32.

    Raises:
        ValueError: if an argument is out of range.
    """

    classes: tuple[str, ...] = SHAPES

    def __init__(
        self,
        length: int,
        *,
        seed: int = 0,
        texture_agreement: float = 1.0,
        size: int = 96,
    ) -> None:
        if length < 0:
            raise InputError(
                f"length must be 0 or more, got {length}; pass the number of scenes wanted"
            )
        check_arguments(seed, texture_agreement, size)
        self.length = length
        self.seed = seed
        self.texture_agreement = texture_agreement
        self.size = size

    def __len__(self) -> int:
        return self.length

    def scene(self, i: int) -> Scene:
        """Draws scene ``i``, with its mask and texture.

        Raises:
            IndexError: if ``i`` is not in [0, length).
        """
        if not 0 <= i < self.length:
            raise IndexError(f"i must be in [0, {self.length}), got {i}; scenes count from 0")
        return draw_scene(self.seed, i, texture_agreement=self.texture_agreement, size=self.size)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        """Returns pixels (3, H, W) uint8 RGB and the class index of scene ``i``."""
        scene = self.scene(i)
        channels_first = np.ascontiguousarray(scene.image.transpose(2, 0, 1))
        return torch.from_numpy(channels_first), scene.shape
