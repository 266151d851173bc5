"""Pictures that a person uploads, and the view that is chosen."""

import io

import numpy as np
from PIL import Image

from app.shell import cache


def jpeg(size=(80, 60), seed=0, **options):
    noise = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize(size).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def png(size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def gif():
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50)
    return buffer.getvalue()


def chosen(person):
    return person.at.session_state["view"]


def lose_pictures() -> None:
    """What was uploaded is gone, as after many other uploads."""
    cache.uploads.clear()
    cache.picture.clear()
