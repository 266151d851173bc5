"""How fast TextureShapes draws: scenes per second on one core."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from advprop_core.datasets.texture_shapes.scenes import draw_scene
from benchmarks.timing import verdict

SCENES = 600
TARGET = 300


def run(data: Path | None) -> dict[str, Any]:
    speed = scenes_per_second()
    print("TextureShapes, scenes of 96 px, drawn by one thread")
    print(f"  {speed:.0f} scenes a second; target {TARGET}: {verdict(speed >= TARGET)}")
    return {"scenes_per_second": speed, "target": TARGET}


def scenes_per_second() -> float:
    """Draws scenes of 96 x 96 pixels; counts processor time, as others may use the core too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    draw_scene(0, 0)  # the outlines and noises are made once, with the first scene
    start = time.process_time()
    for index in range(SCENES):
        draw_scene(0, index)
    seconds = time.process_time() - start
    torch.set_num_threads(threads)
    return SCENES / seconds
