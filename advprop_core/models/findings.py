"""Where each thing that describes a foreign model file comes from; loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from advprop_core.text import join, listing
from advprop_core.types import ModelInfo

Source = Literal["given", "read", "found", "guessed"]
"""A person said it, the file says it, its tensors tell it, or nothing does."""


class Fact(NamedTuple):
    """One line of a summary; ``source`` is None where the tensors themselves say it."""

    name: str
    value: str
    source: Source | None


@dataclass(frozen=True)
class Findings:
    """What was read of a foreign file, guessed and ignored.

    Attributes:
        sources: Of the architecture, size, mean, std and classes, by these names.
        location: Keys that lead to the weights, as ``state_dict.module.``; empty at the top.
        averaged: Whether the weights are a moving average (EMA) of the trained ones.
        ignored: Where everything else in the file was.
    """

    sources: Mapping[str, Source]
    location: str
    averaged: bool
    ignored: tuple[str, ...]

    @classmethod
    def of_own(cls) -> Self:
        """Of a file of this project, which says everything itself."""
        names = ("architecture", "size", "mean", "std", "classes")
        return cls(dict.fromkeys(names, "read"), "", averaged=False, ignored=())

    def facts(self, info: ModelInfo) -> list[Fact]:
        """What describes the network, a line each."""
        values = {"architecture": info.architecture, **_values(info)}
        values["classes"] = f"{listing(info.class_names, 4)} ({info.num_classes})"
        facts = [Fact(name, value, self.sources[name]) for name, value in values.items()]
        branches = [f"{name} ({info.origin(name).label})" for name in info.branches]
        return [*facts, Fact("branches", join(branches), None)]

    def notes(self, info: ModelInfo, file: str) -> tuple[str, ...]:
        """What was guessed and ignored in a file of that name, a sentence each."""
        guesses = [
            f"{name} {value} (--{name})"
            for name, value in _values(info).items()
            if self.sources[name] == "guessed"
        ]
        guessed = f"{file} does not say everything. Guessed: {join(guesses)}."
        return (*([guessed] if guesses else []), *self.remarks(file))

    def remarks(self, file: str) -> tuple[str, ...]:
        """Which of the weights in a file of that name are used, and what is ignored."""
        averaged = f"The averaged (EMA) weights of {file} are used, from {self.location!r}."
        ignored = f"Ignored in {file}: {listing(self.ignored, 3)}."
        return (*([averaged] if self.averaged else []), *([ignored] if self.ignored else []))


def _values(info: ModelInfo) -> dict[str, str]:
    last = info.num_classes - 1
    return {
        "size": str(info.input_size),
        "mean": ",".join(f"{value:g}" for value in info.mean),
        "std": ",".join(f"{value:g}" for value in info.std),
        "classes": "those of ImageNet" if last == 999 else f"class 0 to class {last}",
    }
