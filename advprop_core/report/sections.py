"""The sections of a report: which there are, in which order, and what each says and draws.

The HTML report and the Robustness page both show these; neither knows what was measured.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from advprop_core.language import N_, _, paragraph
from advprop_core.report import grids, plots, sentences
from advprop_core.report.style import Spec, short_names
from advprop_core.report.words import (
    Content,
    Row,
    Rows,
    branch_of,
    describe,
    grouped,
    is_bounded,
    matrices,
    of_kind,
    own_attacks,
    transfers,
)
from advprop_core.text import percent

_CURVES = N_(
    "Bands are 95 % Wilson intervals. Each branch is attacked through itself unless the legend "
    "names another. At ε = 0 the images are clean. A stronger attack may fool more, so robust "
    "accuracy is an upper bound."
)
_TRANSFERS = N_(
    "In the curves, colour is the branch that predicts; dash and marker are the branch whose "
    "gradient made the perturbation. Upright lines are 95 % intervals."
)
_MATRIX = N_(
    "In a matrix, a row is the branch whose gradient made the perturbation, a column the branch "
    "that predicts. On the diagonal the attack is white box. Figures are accuracies with 95 % "
    "intervals."
)
_SMALLEST = N_(
    "Each image is attacked at several radii until the smallest one that fools the branch is "
    "found. The drop at 0 counts images that are wrong without an attack. A line ends at the "
    "share of images that no radius up to the limit fooled. A stronger attack may need a smaller "
    "radius."
)
_CORRUPTIONS = N_(
    "Share of wrong answers by corruption (row) and severity (column). All panels have one colour "
    "scale."
)
_MADE_HERE = N_(
    "The corruptions are made by this project at 224 pixels and resized to the network's input, so "
    "the mean is not the mCE of articles."
)
_FROM_FILES = N_(
    "The corruptions are published files. The mean is over plain errors; the mCE of articles "
    "weighs each kind by AlexNet's error."
)
_PROBES = N_(
    "Shuffled patches have no outlines but keep the texture. Edges keep only lines. Low-pass "
    "removes detail above a cut-off in cycles per image, and high-pass removes coarse structure "
    "below it. A branch may also fail because it was never trained on such images."
)
_BIAS = N_(
    "In these scenes each object has the outline of one class and the texture of another. The "
    "shape bias is the share of answers by shape among answers by shape or texture (Geirhos et "
    "al., arXiv 1811.12231). At the dotted line both are equally frequent."
)
_RELIABILITY = N_(
    "If a bar ends below the diagonal, the branch is more confident than it is accurate. Pale "
    "bars contain less than 2 % of the images. Lines are 95 % Wilson intervals. The calibration "
    "error (Guo et al., arXiv 1706.04599) is the mean distance between confidence and accuracy "
    "over 15 bins, weighted by images. With few images it is too large."
)


@dataclass(frozen=True)
class Plot:
    """A figure.

    Attributes:
        key: A name that no other plot of the report has.
        spec: What plotly is told.
        alt: What it shows, for who cannot see it.
        note: A sentence below it.
        is_wide: Whether it takes the whole width.
    """

    key: str
    spec: Spec
    alt: str
    note: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Group:
    """Plots that belong together; a page may show one group of a section at a time.

    Attributes:
        plots: In the order they are shown.
        text: What they show, in a sentence.
        title: What their images went through; empty where a section has one group.
    """

    plots: Sequence[Plot]
    text: str = ""
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A question and its answer.

    Attributes:
        key: ``curves``, ``corruptions`` …
        title: The question.
        groups: The answer.
        caption: How to read the plots, and how they were obtained.
        across: How many plots stand side by side.
    """

    key: str
    title: str
    groups: Sequence[Group]
    caption: str = ""
    across: int = 2


def with_short_names(content: Content) -> dict[str, Any]:
    """The same figures under labels instead of the paths of files."""
    labels = short_names([*content["models"]])

    # Rows stand at several depths: among the results, and in each measure.
    def renamed(part: Any) -> Any:
        if isinstance(part, Mapping):
            new = {key: renamed(value) for key, value in part.items()}
            return new | {"model": labels[part["model"]]} if part.get("model") in labels else new
        return [*map(renamed, part)] if isinstance(part, list | tuple) else part

    return {**renamed(content), "models": content["models"]}


def sections(content: Content) -> Iterator[Section]:
    """The sections that ``results.json``, with short names, has something for."""
    makers: Sequence[Callable[[Content], Section | None]] = (
        _curves, _accuracies, _transfers, _smallest, _corruptions, _probes, _biases, _reliability,
    )  # fmt: skip
    for make in makers:
        if (section := make(content)) is not None:
            yield section


def _curves(content: Content) -> Section | None:
    """A curve for each attack and norm."""
    rows = _white_box(content)
    bounded = filter(is_bounded, of_kind(rows, "attack"))
    families = grouped(bounded, lambda r: (r["condition"]["attack"], r["condition"]["norm"]))
    if not families:
        return None
    clean = of_kind(rows, "clean")
    curves = [
        Plot(
            f"curve.{number}",
            plots.curve(clean, attacked, _models(content)),
            sentences.accuracies([*clean, *attacked]),
        )
        for number, attacked in enumerate(families.values())
    ]
    title = _("How much perturbation does each branch withstand?")
    return Section("curves", title, [Group(curves)], _(_CURVES), min(2, len(curves)))


def _accuracies(content: Content) -> Section | None:
    rows = _white_box(content)
    if not rows:
        return None
    spec = plots.dots(rows, _models(content), _("accuracy"))
    plot = Plot("dots", spec, sentences.accuracies(rows), is_wide=True)
    return Section("accuracies", _("How often is each branch right?"), [Group([plot])])


def _transfers(content: Content) -> Section | None:
    """Attacks through each branch, shown to each: against ε, and one radius at a time."""
    rows = of_kind(content["results"], "clean", "attack")
    by_attack, curves = matrices(rows), transfers(rows)
    if not by_attack:
        return None
    figures = [
        Plot(
            f"transfer.{number}",
            plots.transfers(clean, attacked),
            sentences.accuracies([*clean, *attacked]),
        )
        for number, (clean, attacked) in enumerate(curves)
    ]
    figures += [
        Plot(
            f"matrix.{number}",
            grids.matrix(cells),
            sentences.accuracies(cells),
            sentences.transfers(cells),
        )
        for number, cells in enumerate(by_attack)
    ]
    caption = paragraph([_(_TRANSFERS), _(_MATRIX)] if curves else [_(_MATRIX)])
    title = _("Whose perturbation harms whom?")
    return Section("transfers", title, [Group(figures)], caption)


def _smallest(content: Content) -> Section | None:
    if not (measure := content.get("smallest_epsilon")) or not measure["results"]:
        return None
    text = sentences.smallest_radii(measure)
    plot = Plot("smallest", plots.standing(measure["results"]), text, is_wide=True)
    title = _("How small a perturbation is enough?")
    return Section("smallest", title, [Group([plot], text)], _(_SMALLEST))


def _corruptions(content: Content) -> Section | None:
    """Mean errors, and how often each branch is wrong by kind and severity."""
    by_branch = corrupted_by_branch(content)
    errors = content.get("mean_corruption_error", {"results": []})
    if not by_branch or not errors["results"]:
        return None
    text = sentences.corruption_errors(errors, from_files=_are_files(by_branch))
    if "imagenet_c" in content:
        text = paragraph([text, sentences.articles_mce(content["imagenet_c"])])
    means = plots.dots(
        errors["results"],
        _models(content),
        _("wrong answers"),
        "error",
        lambda row: _("mean corruption error"),
    )
    figures = [Plot("mce", means, text, is_wide=True)]
    figures += [
        Plot(f"errors.{number}", grids.heat_map(rows), _errors_in_words(rows))
        for number, rows in enumerate(by_branch.values())
    ]
    caption = paragraph([_(_CORRUPTIONS), corrupted_how(by_branch)])
    title = _("What do corruptions do?")
    return Section("corruptions", title, [Group(figures, text)], caption)


def corrupted_by_branch(content: Content) -> dict[tuple[str, str], list[Row]]:
    """(model, branch) to its rows under corruptions."""
    return grouped(of_kind(content["results"], "corruption"), branch_of)


def corrupted_how(by_branch: Mapping[tuple[str, str], Rows]) -> str:
    """Who made the corruptions, and what their mean error is not."""
    return _(_FROM_FILES if _are_files(by_branch) else _MADE_HERE)


def _are_files(by_branch: Mapping[tuple[str, str], Rows]) -> bool:
    return any(row["condition"].get("source") == "files" for row in chain(*by_branch.values()))


def _errors_in_words(rows: Rows) -> str:
    worst = min(rows, key=lambda row: row["top1"])
    return _(
        "Errors of {model}, {branch}, by corruption and severity; the largest is {share}, at "
        "{condition}",
        model=worst["model"],
        branch=worst["branch"],
        share=percent(1 - worst["top1"]),
        condition=describe(worst),
    )


def _probes(content: Content) -> Section | None:
    rows = of_kind(content["results"], "clean", "probe")
    if not of_kind(rows, "probe"):
        return None
    spec = plots.dots(rows, _models(content), _("accuracy"))
    plot = Plot("probes", spec, sentences.accuracies(rows), is_wide=True)
    title = _("How accurate is each branch without outlines, colour or detail?")
    return Section("probes", title, [Group([plot])], _(_PROBES))


def _biases(content: Content) -> Section | None:
    if not (measure := content.get("shape_bias")) or not measure["results"]:
        return None
    text = sentences.shape_biases(measure)
    plot = Plot("bias", plots.shape_biases(measure["results"]), text, is_wide=True)
    title = _("Does each branch decide by outline or by texture?")
    return Section("bias", title, [Group([plot], text)], _(_BIAS))


def _reliability(content: Content) -> Section | None:
    """A diagram for each branch, one condition at a time."""
    groups: list[Group] = []
    for title, rows in grouped(_white_box(content), describe).items():
        text = sentences.calibrations(rows)
        before = sum(len(group.plots) for group in groups)
        diagrams = [
            Plot(f"reliability.{before + number}", plots.reliability(row), text)
            for number, row in enumerate(rows)
        ]
        groups.append(Group(diagrams, text, title))
    if not groups:
        return None
    title = _("Does confidence match accuracy?")
    return Section("reliability", title, groups, _(_RELIABILITY), 3)


def _white_box(content: Content) -> list[Row]:
    """Clean and attacked rows, without transfers where there is white box too."""
    return own_attacks(of_kind(content["results"], "clean", "attack"))


def _models(content: Content) -> list[str]:
    """Every model, whose place decides its markers and dashes."""
    return list(dict.fromkeys(row["model"] for row in content["results"]))
