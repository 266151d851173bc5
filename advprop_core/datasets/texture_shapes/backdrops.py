"""What lies behind the object of a TextureShapes scene: palette, backdrop and paper scraps.

Nothing here knows the class. Places are given on a scene that covers [-1, 1] in both directions,
x to the right and y down.
"""

import math
from dataclasses import dataclass

import numpy as np

from advprop_core.datasets.texture_shapes.textures import (
    Field,
    noise_bank,
    ramp,
    sample,
    smooth_step,
)

_OKLAB_TO_CONE_ROOTS = np.array(
    [[1, 0.3963378, 0.2158038], [1, -0.1055613, -0.0638542], [1, -0.0894842, -1.2914855]]
)
_CONES_TO_LINEAR_RGB = np.array(
    [
        [4.0767417, -3.3077116, 0.2309699],
        [-1.2684380, 2.6097574, -0.3413194],
        [-0.0041961, -0.7034186, 1.7076147],
    ]
)

_HARMONIES = (0, 40, 110, 150, 180, 210, 250, 320)  # degrees from the backdrop to the surface


def _rgb(lightness: Field, chroma: Field, hue: Field) -> Field:
    """Turns OKLCH (https://bottosson.github.io/posts/oklab), hue in radians, into sRGB rows."""
    oklab = np.stack((lightness, chroma * np.cos(hue), chroma * np.sin(hue)), axis=-1)
    linear = (oklab @ _OKLAB_TO_CONE_ROOTS.T) ** 3 @ _CONES_TO_LINEAR_RGB.T
    linear = np.clip(linear, 0, 1).astype(np.float32)
    srgb: Field = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return srgb


def draw_palette(rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Draws colours that go together, as rows of RGB in [0, 1].

    Returns:
        (3, 3) stops of a quiet backdrop, (3, 3) of a livelier surface that stands out, and (4, 3)
        flat colours of scraps, close to the backdrop.
    """
    dark, reverse = rng.random() < 0.45, rng.random() < 0.5
    darkest, lightest = (0.32, 0.46) if dark else (0.74, 0.90)
    hue, spread, depth, quiet, lively = rng.uniform(
        (0, -0.75, darkest, 0.015, 0.07), (2 * math.pi, 0.75, lightest, 0.07, 0.16)
    ).tolist()
    surface_hue = hue + math.radians(_HARMONIES[rng.integers(len(_HARMONIES))])
    surface_lightness = np.linspace(*((0.50, 0.94) if dark else (0.26, 0.70)), 3)
    surface_lightness = surface_lightness[::-1] if reverse else surface_lightness
    steps = np.array([-1.0, 0.0, 1.0])
    shifts = rng.uniform(-1, 1, (3, 4))
    opposite = np.where(rng.random(4) < 0.3, math.pi, 0)
    colours = _rgb(
        np.concatenate((depth + 0.09 * steps, surface_lightness, depth + 0.16 * shifts[0])),
        np.concatenate((np.full(3, quiet), lively * (1 - 0.1 * steps), 0.065 + 0.035 * shifts[1])),
        np.concatenate(
            (hue + 0.25 * steps, surface_hue + spread * steps, hue + 0.7 * shifts[2] + opposite)
        ),
    )
    return colours[:3], colours[3:6], colours[6:]


def paint_backdrop(rng: np.random.Generator, colours: Field, x: Field, y: Field) -> Field:
    """(3, H, W) RGB of clouds, brush strokes, layered paper or a plain sweep of light.

    As many numbers are drawn whatever is painted, so that the rest of a scene does not move.
    """
    kind = rng.integers(4)
    turn, sweep, offset_x, offset_y, zoom, strength, slope = rng.uniform(
        (0, 0, -1, -1, 0.22, 0.5, 0.2), (2 * math.pi, 2 * math.pi, 1, 1, 0.42, 1.0, 0.5)
    ).tolist()
    stretch = 0.14 if kind == 1 else 1.0
    along = math.cos(turn) * x + math.sin(turn) * y
    across = math.cos(turn) * y - math.sin(turn) * x
    swell, cloud = sample(noise_bank(), zoom * stretch * along + offset_x, zoom * across + offset_y)
    pixel = 2 / x.shape[1]
    height, blur = 4 * swell, 20 * zoom * pixel
    level = np.floor(height)
    sheets = (level + smooth_step(height - level - 1 + blur, 2 * blur)) / 3.5  # of layered paper
    pattern = (cloud, cloud, sheets, 0.5 * swell + 0.25)[kind]
    light = slope * (math.cos(sweep) * x + math.sin(sweep) * y)
    return ramp(0.5 + strength * (pattern - 0.5) + light, colours)


@dataclass(frozen=True)
class Scrap:
    """A piece of paper: a rounded box (disc, pill, stick or tile) with one side cut off."""

    x: float
    y: float
    turn: float
    half_length: float
    half_width: float
    rounding: float
    cut: float
    colour: Field  # (3,)

    @property
    def radius(self) -> float:
        """Of a circle around the scrap."""
        return math.hypot(self.half_length, self.half_width) + self.rounding

    def distance(self, x: Field, y: Field) -> Field:
        """Signed distance to the outline, negative inside."""
        dx, dy = x - self.x, y - self.y
        along = math.cos(self.turn) * dx + math.sin(self.turn) * dy
        across = math.cos(self.turn) * dy - math.sin(self.turn) * dx
        outside_x = np.maximum(np.abs(along) - self.half_length, 0)
        outside_y = np.maximum(np.abs(across) - self.half_width, 0)
        box = np.hypot(outside_x, outside_y) - self.rounding
        return np.maximum(box, along - self.cut * self.radius)


def draw_scrap(rng: np.random.Generator, colours: Field) -> Scrap:
    """Draws a scrap anywhere on the scene, in one of the (n, 3) colours."""
    x, y, turn, size, cut = rng.uniform(
        (-1.05, -1.05, 0, 0.07, 0.0), (1.05, 1.05, 2 * math.pi, 0.20, 1.6)
    ).tolist()
    kind, dye = rng.integers((4, len(colours)))
    half_length, half_width, rounding = (
        (0.0, 0.0, size),  # disc
        (size, 0.0, 0.45 * size),  # pill
        (2.2 * size + 0.15, 0.0, 0.018),  # stick
        (0.8 * size, 0.55 * size, 0.25 * size),  # tile
    )[kind]
    return Scrap(x, y, turn, half_length, half_width, rounding, cut, colours[dye])


def paste(canvas: Field, scrap: Scrap, x: Field, y: Field, light: tuple[float, float]) -> None:
    """Draws a scrap and its shadow into the part of the canvas (3, H, W) they touch.

    ``light`` is the unit direction towards the light.
    """
    size = canvas.shape[1]
    pixel = 2 / size
    reach = scrap.radius + 0.12
    left, right, top, bottom = (
        min(max(math.ceil((centre + side + 1) / pixel), 0), size)
        for centre in (scrap.x, scrap.y)
        for side in (-reach, reach)
    )
    window = np.s_[top:bottom, left:right]
    part, x, y = canvas[:, *window], x[window], y[window]
    shadow = smooth_step(-scrap.distance(x + 0.035 * light[0], y + 0.035 * light[1]), 0.09)
    part *= 1 - 0.28 * shadow
    cover = smooth_step(-scrap.distance(x, y), pixel)
    shade = 1 + 0.25 * ((x - scrap.x) * light[0] + (y - scrap.y) * light[1])
    part += cover * (scrap.colour[:, None, None] * shade - part)
