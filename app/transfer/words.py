"""Words of the Transfer page; loads no torch."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from advprop_core.report.transfer_words import comparisons, headline, sources, tables
from advprop_core.text import percent
from advprop_core.transfer.grid import Grid
from app.language.text import N_, _, join, paragraph
from app.shell.messages import safe
from app.transfer.controls import data_name

LEAD = N_(
    "Each network gets a new head and learns a new task from few images. Utrera et al. (arXiv "
    "2007.05869) find that adversarially trained networks need fewer."
)
CAUTION = N_(
    "Intervals show how results vary with other training images of the same task, not with other "
    "tasks. Only the head is trained, without augmentation."
)

NOT_HERE = N_(
    "Other people use this server too, so it trains nothing. To train, start the app on your own "
    "machine."
)


BUNDLED = {
    "transfer-fine-tuned": N_("Networks fine-tuned on ten classes learn CIFAR-10"),
    "transfer-adapters": N_("imagenet-lite0 and its added branches learn CIFAR-10"),
    "transfer-scenes": N_("Networks of drawn scenes learn CIFAR-10"),
}
"""Results that come with the app, by the name of their file."""


def plan(grid: Grid) -> str:
    """What a run will train."""
    return _(
        "{networks} learn {data} from {amounts} images, with {seeds} seeds: {cells} new heads, "
        "each trained for {epochs} epochs.",
        networks=join([safe(name) for name in grid.sources]),
        data=safe(data_name(grid)),
        amounts=join([*map(str, grid.num_images)]),
        seeds=grid.seeds,
        cells=sum(1 for _cell in grid.cells()),
        epochs=grid.training.epochs,
    )


def source(content: Mapping[str, Any]) -> str:
    """Where figures come from."""
    return _(
        "{count} test images of {data}, {seeds} seeds, {epochs} epochs.",
        count=content["test_images"],
        data=safe(content["data"]),
        seeds=content["seeds"],
        epochs=content["training"]["epochs"],
    )


def heading(content: Mapping[str, Any]) -> str:
    """Which source is right most often with the fewest images, as Markdown.

    It is named where it is better than the first source by more than the training images decide.
    """
    first, *others = sources(content)
    rows = _with_fewest_images(content)
    of_first = [row["accuracy"] for row in rows if row["source"] == first]
    if not others or not of_first:  # it may have failed
        return safe(first)
    best = max(rows, key=lambda row: float(row["accuracy"]))
    interval = best["difference_interval"]
    if interval is not None and interval[0] > 0:
        sentence = _("With {count} images {source} learns best: {share} right, {first} {other}.")
    else:
        sentence = _("With {count} images no network learns clearly better than {first}: {other}.")
    return sentence.format(
        count=best["num_images"],
        source=safe(best["source"]),
        share=percent(best["accuracy"]),
        first=safe(first),
        other=percent(max(of_first)),
    )


def answers(content: Mapping[str, Any]) -> str:
    """What can be said of the sources, as Markdown: a list below what all are compared with."""
    first, *others = sources(content)
    if not others:
        return "\n".join(map(safe, headline(content)))

    def named(source: str) -> str:
        """How it was trained before, too: ``imagenette-l2-05 (adversarial, L2 ε = 0.5)``."""
        training = content["sources"][source]["training"]
        return _("{name} ({how})", name=safe(source), how=safe(training))

    lines = []
    for trained, compared in groupby(comparisons(content), itemgetter(0)):
        against = _("Against {first}, {trained}:", first=named(first), trained=trained)
        lines += [against, ""]
        for _trained, source, findings in compared:
            finding = _("{what}: {figures}", what=named(source), figures=safe(findings))
            lines.append("- " + _("{sentence}.", sentence=finding))
        lines.append("")
    return "\n".join(lines)


def best_of(content: Mapping[str, Any], most: int) -> list[str]:
    """So many sources besides the first, most often right with the fewest images first."""
    first, *others = sources(content)
    shares = dict.fromkeys(others, 0.0)  # one that failed has no figure
    for row in _with_fewest_images(content):
        if row["source"] != first:
            shares[row["source"]] = max(shares[row["source"]], row["accuracy"])
    return sorted(others, key=lambda source: -shares[source])[:most]


def _with_fewest_images(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    fewest = min(row["num_images"] for row in content["accuracies"])
    return [row for row in content["accuracies"] if row["num_images"] == fewest]


def table_rows(content: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, str]], str]]:
    """Each table's title, its rows with columns that a page has room for, and what they mean."""
    for table in tables(content):
        # Without how a source was trained, seeds and the interval of the accuracy: a page has less
        # room than a report, and what decides is the difference.
        names = {column: table.columns[column] for column in (0, 2, 4, 6, 7, 8, 9)}
        names[7] = _("its 95 % interval")
        rows = [{name: safe(row[column]) for column, name in names.items()} for row in table.rows]
        meanings = [
            _("{sentence}.", sentence=safe(text[0].upper() + text[1:])) for text in table.meanings
        ]
        yield table.title, rows, paragraph(meanings)
