"""One picture of the logistic regression on digits: weights, signs, and a digit that fools."""

from typing import Final

import numpy as np
from PIL import Image

from advprop_core.attacks.digits import Array, Beginning, LogisticRegression
from advprop_core.report import drawing
from advprop_core.report.colours import colour_span, colourise
from advprop_core.text import percent

_MARGIN: Final = 40
_TILE: Final = 200
_GAP: Final = 28
_ROW: Final = _TILE + 78
_TITLES: Final = {
    "natural": "Trained on clean digits",
    "robust": "Trained against FGSM",
}


def draw_digits_sheet(beginning: Beginning) -> Image.Image:
    """A row for each model: weights, their signs, a test digit, and what FGSM makes of it.

    Orange weights speak for a seven, blue ones for a three.
    """
    width = 2 * _MARGIN + 4 * _TILE + 3 * _GAP
    canvas = Image.new("RGB", (width, 110 + 2 * _ROW + 50), drawing.PAPER)
    text = drawing.Text(canvas)
    text.write((_MARGIN, 36), "The first example of FGSM: threes and sevens", 30)
    for number, (name, title) in enumerate(_TITLES.items()):
        y = 110 + number * (_ROW + 20)
        wrong = beginning.errors()[name]
        clean, attacked = percent(wrong["clean"]), percent(wrong["attacked"])
        text.write(
            (_MARGIN, y),
            f"{title}: wrong on {clean} of clean, {attacked} of attacked digits",
            20,
        )
        for position, (words, picture) in enumerate(_tiles(beginning, getattr(beginning, name))):
            x = _MARGIN + position * (_TILE + _GAP)
            canvas.paste(drawing.enlarge(picture, _TILE, smooth=False), (x, y + 34))
            frame = [x - 1, y + 33, x + _TILE, y + 34 + _TILE]  # most weights are white
            text.draw.rectangle(frame, outline=drawing.FAINT)
            text.write((x, y + 42 + _TILE), words, 16, colour=drawing.MUTED, width=_TILE)
    return canvas


def _tiles(beginning: Beginning, model: LogisticRegression) -> list[tuple[str, Image.Image]]:
    place, test = beginning.fooled(), beginning.test
    digit, fooling = test.images[place], model.fool(test, beginning.epsilon)[place]
    return [
        ("weights", _signed(model.weight)),
        ("their signs", _signed(np.sign(model.weight))),
        (f"test digit: says {_says(model, digit)}", _grey(digit)),
        (f"after FGSM: says {_says(model, fooling)}", _grey(fooling)),
    ]


def _says(model: LogisticRegression, image: Array) -> str:
    return "seven" if float(model.margins(image[None])[0]) > 0 else "three"


def _signed(values: Array) -> Image.Image:
    """Orange speaks for a seven, blue for a three."""
    narrow = values.astype(np.float32)
    return drawing.to_image(colourise(narrow, "signed", colour_span([narrow], "signed")))


def _grey(image: Array) -> Image.Image:
    return drawing.to_image(np.repeat(image[None].astype(np.float32), 3, axis=0))
