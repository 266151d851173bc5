"""What a person says of a model file that does not say it itself; loads no torch."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from advprop_core.errors import Checked, InputError
from advprop_core.text import parse_radius
from advprop_core.types import MAX_SIDE

Mean = Annotated[float, Ge(0), Le(1)]
Deviation = Annotated[float, Gt(0), Le(1)]

_LARGEST_LIST = 10_000_000  # bytes of a file of class names


@dataclass(frozen=True)
class ModelSettings(Checked):
    """What a person says of a file in a foreign layout; None leaves it to the file, or to a guess.

    Attributes:
        architecture: timm's name of the network.
        size: Side of the square input in pixels.
        mean: Per-channel mean that the network subtracts, RGB, for pixels on [0, 1].
        std: Per-channel deviation that it divides by.
        classes: Name of each class, in class-index order.
    """

    architecture: str | None = None
    size: Annotated[int, Ge(1), Le(MAX_SIDE)] | None = None
    mean: tuple[Mean, Mean, Mean] | None = None
    std: tuple[Deviation, Deviation, Deviation] | None = None
    classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        names = self.classes or ()
        if repeated := next((name for i, name in enumerate(names) if name in names[:i]), None):
            raise InputError(f"classes names {repeated!r} twice: each class needs its own name")

    @property
    def given(self) -> dict[str, Any]:
        """What was said, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def options(self) -> list[str]:
        """What was said, as words of a command."""
        words = []
        for name, value in self.given.items():
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += ["--arch" if name == "architecture" else f"--{name}", text]
        return words


def read_channels(text: str, name: str) -> tuple[float, ...]:
    """Three numbers as people write them, ``0.485,0.456,0.406``, or fractions such as 123.675/255.

    Raises:
        InputError: If there are not three numbers; it names the option.
    """
    try:
        red, green, blue = (parse_radius(part.strip()) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"{name} must be three numbers such as 0.485,0.456,0.406 (red, green, blue, for "
            f"pixels from 0 to 1), got {text!r}"
        ) from None
    return red, green, blue


def read_class_names(text: str) -> tuple[str, ...]:
    """Class names: a text file with one on each line, or the names themselves with commas.

    Raises:
        InputError: If it is neither.
    """
    path = Path(text).expanduser()
    if os.path.isfile(path):  # false for a list that is longer than the name of a file may be
        if path.stat().st_size > _LARGEST_LIST:
            raise InputError(f"{text} is too large for a list of class names")
        return class_names_in(path.read_bytes(), text)
    if "," not in text:
        raise InputError(
            f"--classes must be a text file with one name a line, or names with commas between "
            f"them; there is no file {text!r}"
        )
    return tuple(name.strip() for name in text.split(",") if name.strip())


def class_names_in(content: bytes, file: str) -> tuple[str, ...]:
    """The names in a text file, one on each line; ``file`` is its name.

    Raises:
        InputError: If it is no text in UTF-8, or holds no name.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text: write one class name on each line") from None
    if not (names := tuple(line.strip() for line in lines if line.strip())):
        raise InputError(f"{file} contains no class name: write one on each line")
    return names
