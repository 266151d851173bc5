"""A reel as one animated picture that can be saved and shown anywhere."""

import io
from typing import Final, Literal

from PIL import Image

from advprop_core.report import drawing
from advprop_core.text import percent
from app.figures.reel import Frame, Reel

SIDE: Final = 176
_GAP: Final = 18
_HEAD: Final = 62
_FOOT: Final = 24
_ROW: Final = 44
_STEP_MS: Final = 450
_HOLD_MS: Final = 1500  # on the clean picture and on the last


def to_animation(reel: Reel, kind: Literal["WebP", "GIF"], title: str) -> bytes:
    """The frames with their numbers, one after the other, for ever; ``title`` stands above them.

    WebP is smaller and exact in its colours; GIF works everywhere.
    """
    sheets = [_sheet(reel, frame, number, title) for number, frame in enumerate(reel.frames)]
    times = [_STEP_MS] * len(sheets)
    times[0] = times[-1] = _HOLD_MS
    buffer = io.BytesIO()
    quality = {"quality": 88, "method": 3} if kind == "WebP" else {}
    first, *others = sheets
    first.save(buffer, kind, save_all=True, append_images=others, duration=times, loop=0, **quality)
    return buffer.getvalue()


def _sheet(reel: Reel, frame: Frame, number: int, title: str) -> Image.Image:
    count = len(frame.pictures)
    width = count * SIDE + (count + 1) * _GAP
    bars = _ROW * len(reel.classes)
    page = drawing.Page(width, _HEAD + SIDE + 26 + 34 + bars + _FOOT)
    page.write((_GAP, 12), title, 15, colour=drawing.MUTED, width=width - 2 * _GAP)
    page.write((_GAP, 34), frame.title, 18)
    # How far the film is, to the right of its title.
    start, end = width // 3, width - _GAP
    page.draw.rounded_rectangle([start, 42, end, 48], 3, fill=drawing.FAINT)
    done = start + (end - start) * number / max(1, len(reel.frames) - 1)
    if done > start:
        page.draw.rounded_rectangle([start, 42, done, 48], 3, fill=drawing.MUTED)
    for index, (data, caption) in enumerate(zip(frame.pictures, reel.captions, strict=True)):
        left = _GAP + index * (SIDE + _GAP)
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        page.paste((left, _HEAD), picture, SIDE, smooth=index != reel.exact)
        page.write((left, _HEAD + SIDE + 6), caption, 14, colour=drawing.MUTED, width=SIDE)
    # What each branch says, side by side. `bars` shares its height between five rows at least.
    top, wide = _HEAD + SIDE + 42, (width - _GAP) // len(reel.branches) - _GAP
    bottom = top + 34 + _ROW * max(len(reel.classes), 5)
    for index, (branch, (answer, confidence)) in enumerate(
        zip(reel.branches, frame.answers, strict=True)
    ):
        x, colour = _GAP + index * (wide + _GAP), reel.colours[index]
        sentence = f"{branch}: {answer} {percent(confidence)}"
        page.write((x, top), sentence, 17, colour=colour, width=wide)
        shares = zip(reel.classes, frame.shares[index], strict=True)
        rows = [(*row, row_index == reel.true_place) for row_index, row in enumerate(shares)]
        page.bars((x, top + 34, x + wide, bottom), rows, colour)
    return page.image
