"""Scenes in which outline and texture can disagree; loads no torch, so that a page can draw one.

Every scene shows one object. Its class is its outline; its texture is usually the one that goes
with the class, so a network may learn either. Where they disagree, the prediction tells which it
looked at: the cue conflict of Geirhos et al., "ImageNet-trained CNNs are biased towards texture",
arXiv 1811.12231. Colour, position, size and backdrop say nothing about the class.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advprop_core.datasets.texture_shapes.backdrops import (
    draw_palette,
    draw_scrap,
    paint_backdrop,
    paste,
)
from advprop_core.datasets.texture_shapes.outlines import FIELD_REACH, OUTLINES, outline_bank
from advprop_core.datasets.texture_shapes.textures import (
    PAINTERS,
    Field,
    noise_bank,
    pixel_centres,
    ramp,
    sample,
    smooth_step,
)
from advprop_core.errors import InputError

SHAPES: tuple[str, ...] = tuple(OUTLINES)
TEXTURES: tuple[str, ...] = tuple(PAINTERS)  # TEXTURES[i] goes with SHAPES[i]

# How often a texture is that of its class. Where it always is, a network may read outline or
# texture, and the conflict scenes, where it never is, tell which.
AGREEMENT = {"shapes": 1.0, "shapes-conflict": 0.0}
SEEDS = {"train": 0, "val": 1}
"""Seed of the scenes of each split."""

_MINIMUM_SIZE = 32
_MARGIN = 0.03  # kept free around the object, on a scene that covers [-1, 1]


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and what is in it.

    Attributes:
        image: (H, W, 3) uint8 RGB, read-only.
        mask: (H, W) bool, True on the visible object, read-only.
        shape: index into ``SHAPES``: the class.
        texture: index into ``TEXTURES``.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    shape: int
    texture: int


@dataclass(frozen=True)
class _Pose:
    """Where the object is: scene places to object places, where the outline has area pi."""

    centre: tuple[float, float]
    scale: float
    matrix: tuple[float, float, float, float]
    tilt: tuple[float, float]

    def to_object(self, x: Field, y: Field) -> tuple[Field, Field]:
        dx, dy = x - self.centre[0], y - self.centre[1]
        a, b, c, d = (entry / self.scale for entry in self.matrix)
        u, v = a * dx + b * dy, c * dx + d * dy
        nearness = 1 / (1 + self.tilt[0] * u + self.tilt[1] * v)
        return u * nearness, v * nearness


def _draw_pose(rng: np.random.Generator) -> _Pose:
    """Draws rotation, squash, tilt, size and place; the object stays inside the scene."""
    turn, squash_turn, tilt_turn = rng.uniform(0, 2 * math.pi, 3).tolist()
    squash, tilt, scale, place_x, place_y = rng.uniform(
        (1.0, 0.0, 0.42, -1, -1), (1.11, 0.06, 0.54, 1, 1)
    ).tolist()
    cos, sin = math.cos(squash_turn), math.sin(squash_turn)
    squeeze = np.array([[cos, -sin], [sin, cos]]) * (squash, 1 / squash) @ [[cos, sin], [-sin, cos]]
    rotate = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    # the same room for every outline, or the place would tell the class
    _, radius = outline_bank()
    reach = squash * radius / (1 - tilt * radius)
    scale = min(scale, (1 - _MARGIN) / reach)
    room = 1 - _MARGIN - scale * reach
    return _Pose(
        (place_x * room, place_y * room),
        scale,
        tuple((rotate @ squeeze).ravel().tolist()),
        (tilt * math.cos(tilt_turn), tilt * math.sin(tilt_turn)),
    )


def _outline_distance(shape: int, u: Field, v: Field) -> Field:
    distances, _ = outline_bank()
    # beyond its field an outline is merely far away
    u, v = np.clip(u / FIELD_REACH, -1, 1), np.clip(v / FIELD_REACH, -1, 1)
    distance: Field = sample(distances[shape : shape + 1], u, v)[0]
    return distance


def _paint_texture(texture: int, cloth: list[float], scale: float, u: Field, v: Field) -> Field:
    """Tones (H, W) of a texture at object places; ``cloth`` says how it lies on the object."""
    period, turn, shift_x, shift_y = cloth
    cos, sin = scale / period * math.cos(turn), scale / period * math.sin(turn)
    s = cos * u + sin * v + shift_x
    t = cos * v - sin * u + shift_y
    noise = sample(noise_bank()[:1], 0.09 * s, 0.09 * t)[0]
    pixel = 2 / u.shape[1] / period
    return PAINTERS[TEXTURES[texture]](s, t, noise, pixel)


def _light_surface(
    surface: Field, distance: Field, pose: _Pose, light: tuple[float, float]
) -> Field:
    """Shades the painted surface (3, H, W): a fall-off over the body, and a rounded rim."""
    x, y = pixel_centres(surface.shape[1])
    body = (x - pose.centre[0]) * light[0] + (y - pose.centre[1]) * light[1]
    lit = surface * (1 + 0.22 * body)
    down, right = np.gradient(distance)
    facing: Field = (right * light[0] + down * light[1]) * (pose.scale * distance.shape[0] / 2)
    steepness: Field = np.clip(1 + distance / 0.26, 0, 1)  # 1 at the edge, 0 on the plateau
    rim = steepness * steepness * facing  # in [-1, 1], bright where it faces the light
    glow, shade = 0.5 * np.maximum(rim, 0), 0.42 * np.minimum(rim, 0)
    return lit + glow * (1 - lit) + shade * lit


def _compose(
    rng: np.random.Generator, shape: int, texture: int, size: int
) -> tuple[Field, NDArray[np.bool_]]:
    """Paints a scene: (3, H, W) RGB in about [0, 1], and the object's mask (H, W)."""
    x, y = pixel_centres(size)
    backdrop, stops, scraps = draw_palette(rng)
    light_angle = rng.uniform(-0.85 * math.pi, -0.15 * math.pi)
    light = math.cos(light_angle), math.sin(light_angle)  # towards it: always from above
    pose = _draw_pose(rng)
    cloth = rng.uniform((0.19, 0, -4, -4), (0.29, 2 * math.pi, 4, 4)).tolist()
    drop = rng.uniform(0.05, 0.10)
    canvas = paint_backdrop(rng, backdrop, x, y)
    for _ in range(rng.integers(4, 10)):
        paste(canvas, draw_scrap(rng, scraps), x, y, light)

    shadow = _outline_distance(shape, *pose.to_object(x + drop * light[0], y + drop * light[1]))
    canvas *= 1 - 0.45 * smooth_step(-shadow * pose.scale, 2.2 * drop)

    u, v = pose.to_object(x, y)
    distance = _outline_distance(shape, u, v)
    cover = smooth_step(-distance * pose.scale, 2 / size)
    surface = ramp(_paint_texture(texture, cloth, pose.scale, u, v), stops)
    canvas += cover * (_light_surface(surface, distance, pose, light) - canvas)
    canvas *= 1.02 + 0.07 * (x * light[0] + y * light[1])
    return canvas, cover > 0.5


def draw_classes(
    seed: int, index: int, texture_agreement: float
) -> tuple[np.random.Generator, int, int]:
    """The shape and the texture of a scene, and the generator that draws the rest of it."""
    rng = np.random.default_rng((seed, index))
    shape = index % len(SHAPES)
    agrees = rng.random() < texture_agreement
    step = int(rng.integers(1, len(TEXTURES)))  # drawn in any case: later draws must not move
    return rng, shape, shape if agrees else (shape + step) % len(TEXTURES)


def draw_scene(seed: int, index: int, *, texture_agreement: float = 1.0, size: int = 96) -> Scene:
    """Draws one scene, the same for the same arguments.

    A larger ``size`` shows the same scene in finer detail, and ``texture_agreement`` decides
    over nothing but the texture.

    Args:
        seed: Of the data set, 0 or more; other seeds have other scenes.
        index: Of the scene, 0 or more; classes take turns.
        texture_agreement: Probability in [0, 1] that the texture is the class's own; otherwise
            it is any other, all equally likely.
        size: Height and width in pixels.

    Raises:
        InputError: If ``size`` is below 32.
    """
    if size < _MINIMUM_SIZE:
        raise InputError(
            f"size must be at least {_MINIMUM_SIZE} pixels, got {size}; "
            "textures cannot be told apart below that, draw larger and shrink instead"
        )
    rng, shape, texture = draw_classes(seed, index, texture_agreement)
    canvas, mask = _compose(rng, shape, texture, size)
    pixels = np.clip(canvas * 255 + 0.5, 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    image.setflags(write=False)
    mask.setflags(write=False)
    return Scene(image, mask, shape, texture)
