"""A photo with a square on it that can be moved and resized: what the network is to see."""

from collections.abc import Callable

import streamlit as st

from app.elements.declare import declare

_KEY = "cropper"
_mount = declare("cropper")


def cropper(image: str, alt: str, crop: str, smallest: int, on_crop: Callable[[str], None]) -> None:
    """The whole photo and the square.

    Args:
        image: Address of the photo.
        alt: What it shows.
        crop: ``LEFT.TOP.SIDE`` in thousandths of the photo's shorter side; empty for the largest
            square in the middle.
        smallest: Side that the square may have, in the same unit.
        on_crop: Is called with the new square.
    """
    _mount(
        key=_KEY,
        data={"image": image, "alt": alt, "crop": crop, "smallest": smallest},
        on_crop_change=lambda: on_crop(str(st.session_state[_KEY].get("crop", ""))),
    )
