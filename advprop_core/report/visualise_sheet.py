"""Visualisations on one page, and the way there as an animated picture."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image
from torch import Tensor

from advprop_core.pictures import decoding
from advprop_core.report import drawing
from advprop_core.report.colours import branch_colour

_MARGIN: Final = 40
_TILE: Final = 240
_GAP: Final = 18
_HEAD: Final = 34  # above each picture
_FOOT: Final = 58  # below it
_TOP: Final = 136
_STEP_MS: Final = 160
_HOLD_MS: Final = 1800  # on the last picture


@dataclass(frozen=True)
class Panel:
    """One branch's pictures.

    Attributes:
        branch: Its name.
        frames: (F, 3, H, W), the start first.
        says: What the branch answers to each frame, in words.
        note: What is measured of the last picture, in words.
    """

    branch: str
    frames: Tensor
    says: Sequence[str]
    note: str


Row = tuple[str, Sequence[Panel]]
"""A network's name, and its branches' pictures, all from the same start."""


def draw_visualisations(
    rows: Sequence[Row], title: str, subject: str, frame: int = -1
) -> Image.Image:
    """A row for each network: the start, and what every branch made of it up to a frame."""
    most = max(len(panels) for _, panels in rows)
    width = 2 * _MARGIN + (most + 1) * (_TILE + _GAP) - _GAP
    height = _HEAD + _TILE + _FOOT
    page = drawing.Page(width, _TOP + len(rows) * height + _MARGIN)
    page.write((_MARGIN, 34), title, 28, width=width - 2 * _MARGIN)
    page.paragraph((_MARGIN, 78), subject, 18, width - 2 * _MARGIN, colour=drawing.MUTED)
    for number, (network, panels) in enumerate(rows):
        y = _TOP + number * height
        y_words = y + _HEAD + _TILE + 8
        page.write((_MARGIN, y), network, 18, colour=drawing.MUTED, width=_TILE)
        page.paste((_MARGIN, y + _HEAD), decoding.to_image(panels[0].frames[0]), _TILE)
        page.write((_MARGIN, y_words), "the start", 16, colour=drawing.MUTED)
        for column, panel in enumerate(panels, start=1):
            x = _MARGIN + column * (_TILE + _GAP)
            page.write((x, y), panel.branch, 20, colour=branch_colour(panel.branch), width=_TILE)
            page.paste((x, y + _HEAD), decoding.to_image(panel.frames[frame]), _TILE)
            page.write((x, y_words), panel.says[frame], 16, width=_TILE)
            page.write((x, y_words + 24), panel.note, 14, colour=drawing.MUTED, width=_TILE)
    return page.image


def animate(rows: Sequence[Row], title: str, subject: str) -> bytes:
    """The page once for each frame, as a WebP that plays for ever; all have as many frames."""
    count = len(rows[0][1][0].frames)
    first, *others = [draw_visualisations(rows, title, subject, frame) for frame in range(count)]
    times = [_STEP_MS] * (count - 1) + [_HOLD_MS]
    buffer = io.BytesIO()
    first.save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=times,
        loop=0,
        quality=80,
        method=3,
    )
    return buffer.getvalue()
