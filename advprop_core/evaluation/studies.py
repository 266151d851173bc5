"""Studies: several runs with several seeds each, and what one thing changes, seed by seed.

A study is a file in ``assets/results`` beside those of ``advprop evaluate``; its form is what
:func:`read` accepts. Loads no torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from advprop_core.errors import InputError
from advprop_core.evaluation.intervals import student_interval
from advprop_core.language import _
from advprop_core.text import markdown_table, points

FORMAT = 1
"""Raised when the form changes."""
KIND = "study"
LESS_IS_BETTER = frozenset({"calibration"})
"""Measures that are errors: a run gains where it is lower."""

Content = Mapping[str, Any]
Who = tuple[str, str, str]
"""Run, branch and measure."""
Scores = Mapping[Who, Mapping[int, float]]
"""Seed to accuracy."""


Branch = Annotated[str, StringConstraints(pattern=r"^(main|aux\d{0,2})$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Strict(BaseModel):
    """What a file must hold; "20" is no number, and fields of a later version are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Row(Strict):
    run: str
    branch: Branch
    measure: str
    seed: int
    top1: Share
    corruption: str = ""
    severity: int = 0


class _Question(Strict):
    title: str
    runs: Annotated[list[str], Field(min_length=1)]
    contrasts: list[tuple[str, str]]


class Study(Strict):
    """The form of a study's file."""

    title: str
    about: str
    command: str
    data: str
    n: Annotated[int, Field(ge=1)]
    runs: Annotated[dict[str, str], Field(min_length=1)]
    measures: Annotated[dict[str, str], Field(min_length=1)]
    bases: dict[str, str]
    questions: Annotated[list[_Question], Field(min_length=1)]
    results: list[_Row]

    @model_validator(mode="after")
    def _check_figures(self) -> Self:
        """Every figure that a page shows can be computed."""
        for number, row in enumerate(self.results):
            if row.run not in self.runs or row.measure not in self.measures:
                raise InputError(f"results[{number}] is of an unknown run or measure")
        if len({*map(repr, self.results)}) < len(self.results):
            raise InputError("two results are equal")
        content = self.model_dump()
        try:
            gains(content, [*self.runs])  # the table is of all runs
            for question in self.questions:
                if unknown := {*question.runs} - {row.run for row in self.results}:
                    raise InputError(f"a question is about {min(unknown)}, which has no results")
                for run, other in question.contrasts:
                    contrast(content, run, other, next(iter(self.measures)))
        except KeyError as error:
            raise InputError(f"no results of {error}") from None
        return self


@dataclass(frozen=True)
class Gain:
    """How much more often a branch of a run is right than the main branch of its base.

    Attributes:
        run: Its label.
        branch: Who predicts.
        measure: On what.
        share: Its accuracy, the mean over seeds.
        points: Mean over seeds of the difference, as a fraction; None for a base itself.
        interval: Its 95 % interval by Student's t: of other seeds, not of other photos.
        seeds: How many there are.
    """

    run: str
    branch: str
    measure: str
    share: float
    points: float | None
    interval: tuple[float, float] | None
    seeds: int

    @property
    def direction(self) -> int:
        """1 where it is better than its base, −1 where worse, 0 where no difference shows."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return 0
        rises = self.interval[0] > 0
        return 1 if rises != (self.measure in LESS_IS_BETTER) else -1


def scores(content: Content) -> Scores:
    """Accuracies by run, branch, measure and seed, the mean where a measure has several rows."""
    by_run: dict[Who, dict[int, list[float]]] = {}
    for row in content["results"]:
        by_seed = by_run.setdefault((row["run"], row["branch"], row["measure"]), {})
        by_seed.setdefault(row["seed"], []).append(row["top1"])
    return {
        who: {seed: mean(shares) for seed, shares in by_seed.items()}
        for who, by_seed in by_run.items()
    }


def gains(content: Content, runs: Sequence[str]) -> tuple[Gain, ...]:
    """Every branch of these runs on every measure, in the order of runs.

    Raises:
        ValueError: If a run and its base were not made with the same two seeds or more.
    """
    by_run = scores(content)
    gains_of_runs = []
    for run in runs:
        branches = dict.fromkeys(branch for label, branch, _measure in by_run if label == run)
        for branch in branches:
            is_base = run not in content["bases"] and branch == "main"
            for measure in content["measures"]:
                who = run, branch, measure
                differences = {} if is_base else _differences(content, by_run, who)
                gains_of_runs.append(_gain(by_run, who, differences))
    return tuple(gains_of_runs)


def contrast(content: Content, run: str, other: str, measure: str) -> Gain:
    """By how much the gain of a run's main branch is above that of another's, seed by seed.

    Raises:
        ValueError: As for :func:`gains`.
    """
    by_run = scores(content)
    first, second = (
        _differences(content, by_run, (label, "main", measure)) for label in (run, other)
    )
    differences = _subtract(first, second, f"{run} and {other}")
    return _gain(by_run, (run, "main", measure), differences)


def markdown(content: Content, shown: Callable[[str], str] = str) -> str:
    """Every accuracy with its gain and the interval of that, as a Markdown table.

    ``shown`` makes the study's own texts fit to be shown.
    """
    head = [_("run"), _("branch"), *map(shown, content["measures"].values())]
    rows: dict[tuple[str, str], list[Gain]] = {}
    for gain in gains(content, [*content["runs"]]):
        rows.setdefault((gain.run, gain.branch), []).append(gain)
    lines = [
        [shown(content["runs"][run]), branch, *map(_cell, run_gains)]
        for (run, branch), run_gains in rows.items()
    ]
    return markdown_table(head, lines)


def in_words(gain: Gain) -> str:
    """A gain in words: ``+0.9 points (−0.5 to +2.4)``."""
    mean, low, high = _in_points(gain)
    return _("{gain} points ({low} to {high})", gain=mean, low=low, high=high)


def _cell(gain: Gain) -> str:
    share = f"{100 * gain.share:.1f} %"
    if gain.points is None:
        return share
    mean, low, high = _in_points(gain)
    interval = _("{low} to {high}", low=low, high=high)
    return _("{share} ({gain}: {interval})", share=share, gain=mean, interval=interval)


def _in_points(gain: Gain) -> tuple[str, ...]:
    assert gain.points is not None
    assert gain.interval is not None
    return tuple(map(points, (gain.points, *gain.interval)))


def _gain(by_run: Scores, who: Who, differences: Mapping[int, float]) -> Gain:
    share, seeds = mean(by_run[who].values()), len(by_run[who])
    if not differences:
        return Gain(*who, share, None, None, seeds)
    values = [*differences.values()]
    return Gain(*who, share, mean(values), student_interval(values), seeds)


def _differences(content: Content, by_run: Scores, who: Who) -> dict[int, float]:
    """Seed to how much better it is than the main branch of its base."""
    run, _branch, measure = who
    base = content["bases"].get(run, run)
    return _subtract(by_run[who], by_run[base, "main", measure], f"{run} and {base}")


def _subtract(
    accuracies: Mapping[int, float], base: Mapping[int, float], who: str
) -> dict[int, float]:
    if accuracies.keys() != base.keys():
        raise InputError(f"{who} have different seeds: {sorted(accuracies)} and {sorted(base)}")
    return {seed: accuracies[seed] - base[seed] for seed in sorted(accuracies)}
