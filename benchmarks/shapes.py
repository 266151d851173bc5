"""How fast TextureShapes draws: scenes per second on one core."""

import time

import torch

from advprop_core.datasets.shapes import TextureShapes

SCENES = 600
TARGET = 300


def scenes_per_second() -> float:
    """Draws scenes of 96 x 96 pixels; counts processor time, as others may use the core too."""
    scenes = TextureShapes(SCENES)
    scenes[0]  # the outlines and noises are made once, with the first scene
    start = time.process_time()
    for i in range(SCENES):
        scenes[i]
    return SCENES / (time.process_time() - start)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"TextureShapes: {scenes_per_second():.0f} scenes/s on one core (target {TARGET})")
