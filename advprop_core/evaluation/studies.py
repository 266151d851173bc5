"""Studies: several runs with several seeds each, and what one thing changes, seed by seed.

A study is a file in ``assets/results`` beside those of ``advprop evaluate``; its form is what
:func:`read` accepts. Loads no torch.
"""

from collections import defaultdict
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
Scores = Mapping[tuple[str, str, str], Mapping[int, float]]
"""(run, branch, measure) to seed to accuracy."""


Branch = Annotated[str, StringConstraints(pattern=r"^(main|aux\d{0,2})$")]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Strict(BaseModel):
    """What a file must hold; "20" is no number, and fields of a later version are passed over."""

    model_config = ConfigDict(strict=True)


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
                gains(content, question.runs)
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
    gathered: defaultdict[tuple[tuple[str, str, str], int], list[float]] = defaultdict(list)
    for row in content["results"]:
        who = row["run"], row["branch"], row["measure"]
        gathered[who, row["seed"]].append(row["top1"])
    by_run: dict[tuple[str, str, str], dict[int, float]] = {}
    for (who, seed), shares in gathered.items():
        by_run.setdefault(who, {})[seed] = mean(shares)
    return by_run


def gains(content: Content, runs: Sequence[str]) -> tuple[Gain, ...]:
    """Every branch of these runs on every measure, in the order of runs.

    Raises:
        ValueError: If a run and its base were not made with the same two seeds or more.
    """
    by_run = scores(content)

    def gain(run: str, branch: str, measure: str) -> Gain:
        is_base = run not in content["bases"] and branch == "main"
        differences = {} if is_base else _differences(content, by_run, run, branch, measure)
        return _gain(by_run, (run, branch, measure), [*differences.values()])

    return tuple(
        gain(run, branch, measure)
        for run in runs
        for branch in dict.fromkeys(who[1] for who in by_run if who[0] == run)
        for measure in content["measures"]
    )


def contrast(content: Content, run: str, other: str, measure: str) -> Gain:
    """By how much the gain of a run's main branch is above that of another's, seed by seed.

    Raises:
        ValueError: As for :func:`gains`.
    """
    by_run = scores(content)
    first, second = (
        _differences(content, by_run, label, "main", measure) for label in (run, other)
    )
    differences = _subtract(first, second, f"{run} and {other}")
    return _gain(by_run, (run, "main", measure), [*differences.values()])


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
    return _("{gain} points ({low} to {high})").format(gain=mean, low=low, high=high)


def _cell(gain: Gain) -> str:
    share = f"{100 * gain.share:.1f} %"
    if gain.points is None:
        return share
    mean, low, high = _in_points(gain)
    interval = _("{low} to {high}").format(low=low, high=high)
    return _("{share} ({gain}: {interval})").format(share=share, gain=mean, interval=interval)


def _in_points(gain: Gain) -> tuple[str, ...]:
    assert gain.points is not None
    assert gain.interval is not None
    return tuple(map(points, (gain.points, *gain.interval)))


def _gain(by_run: Scores, who: tuple[str, str, str], differences: Sequence[float]) -> Gain:
    share, seeds = mean(by_run[who].values()), len(by_run[who])
    if not differences:
        return Gain(*who, share, None, None, seeds)
    return Gain(*who, share, mean(differences), student_interval(differences), seeds)


def _differences(
    content: Content, by_run: Scores, run: str, branch: str, measure: str
) -> dict[int, float]:
    base = content["bases"].get(run, run)
    pair = by_run[run, branch, measure], by_run[base, "main", measure]
    return _subtract(*pair, f"{run} and {base}")


def _subtract(
    accuracies: Mapping[int, float], base: Mapping[int, float], who: str
) -> dict[int, float]:
    if accuracies.keys() != base.keys():
        raise InputError(f"{who} have different seeds: {sorted(accuracies)} and {sorted(base)}")
    return {seed: accuracies[seed] - base[seed] for seed in sorted(accuracies)}
