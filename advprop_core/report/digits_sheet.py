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
    page = drawing.Page(2 * _MARGIN + 4 * _TILE + 3 * _GAP, 110 + 2 * _ROW + 50)
    page.write((_MARGIN, 36), "The first example of FGSM: threes and sevens", 30)
    errors = beginning.errors()
    for number, (name, title) in enumerate(_TITLES.items()):
        y = 110 + number * (_ROW + 20)
        clean, attacked = percent(errors[name]["clean"]), percent(errors[name]["attacked"])
        sentence = f"{title}: wrong on {clean} of clean, {attacked} of attacked digits"
        page.write((_MARGIN, y), sentence, 20)
        for position, (words, picture) in enumerate(_tiles(beginning, getattr(beginning, name))):
            x = _MARGIN + position * (_TILE + _GAP)
            page.paste((x, y + 34), picture, _TILE, smooth=False)
            frame = [x - 1, y + 33, x + _TILE, y + 34 + _TILE]  # most weights are white
            page.draw.rectangle(frame, outline=drawing.FAINT)
            page.write((x, y + 42 + _TILE), words, 16, colour=drawing.MUTED, width=_TILE)
    return page.image


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
    narrow = values.astype(np.float32)
    return drawing.to_image(colourise(narrow, "signed", colour_span([narrow], "signed")))


def _grey(image: Array) -> Image.Image:
    return drawing.to_image(np.repeat(image[None].astype(np.float32), 3, axis=0))
