"""The sections of a transfer experiment's report; the HTML page and the app show the same."""

from collections.abc import Iterator, Sequence
from typing import Any

from advprop_core.language import N_, _, join, paragraph
from advprop_core.report.colours import branch_colour
from advprop_core.report.sections import Group, Plot, Section
from advprop_core.report.style import LEGEND, Spec, band, frame, interval_on_hover, line, plain
from advprop_core.report.transfer_words import by_trainable, sources
from advprop_core.report.words import Content, Rows
from advprop_core.text import percent, points, trained_blocks

_BANDS = N_(
    "Bands are 95 % intervals by Student's t over seeds. They show how results vary with other "
    "training images, not with other tasks."
)
_ACCURACY = N_(
    "For one seed, all sources learn from the same images, and larger sets contain the smaller "
    "ones."
)
_DIFFERENCE = N_(
    "Differences are paired by seed. Above the line a source is right more often than the first "
    "one."
)
_EPOCHS = N_(
    "Accuracies are measured on the test images, after epochs at equal logarithmic distances."
)
_BLOCKS = N_("Blocks are counted from the end.")


def transfer_sections(content: Content) -> Iterator[Section]:
    """The sections that a transfer experiment's ``results.json`` has something for."""
    parts = by_trainable(content["accuracies"])
    across = min(2, len(parts))
    plots = [_of_images(content, *part, "accuracy") for part in parts.items()]
    yield Section(
        "images",
        _("How accurate is each source with how many images?"),
        [Group(plots)],
        paragraph([_(_BANDS), _(_ACCURACY)]),
        across,
    )
    if len(content["sources"]) > 1:
        plots = [_of_images(content, *part, "difference") for part in parts.items()]
        yield Section(
            "differences",
            _("Does another source learn better than {first}?", first=sources(content)[0]),
            [Group(plots)],
            paragraph([_(_BANDS), _(_DIFFERENCE)]),
            across,
        )
    if len(parts) > 1:
        plots = [_of_blocks(content, count) for count in content["num_images"]]
        title = _("How many blocks should be trained?")
        yield Section("blocks", title, [Group(plots)], paragraph([_(_BANDS), _(_BLOCKS)]))
    groups = [
        Group(
            [_of_epochs(content, trainable, count, rows) for count in content["num_images"]],
            title=trained_blocks(trainable),
        )
        for trainable, rows in parts.items()
    ]
    caption = paragraph([_(_BANDS), _(_EPOCHS)])
    yield Section("epochs", _("How fast does each source learn?"), groups, caption)


def _of_images(content: Content, trainable: str, rows: Rows, measure: str) -> Plot:
    """Accuracy, or its difference to the first source's, against the number of images."""
    data: list[Spec] = []
    texts = []
    for source in sources(content)[measure == "difference" :]:
        shown = sorted(
            (row for row in rows if row["source"] == source and row[measure] is not None),
            key=lambda row: row["num_images"],
        )
        if shown:
            figure = percent(shown[-1]["accuracy"])
            if measure == "difference":
                figure = _("{count} points", count=points(shown[-1]["difference"]))
            data += _line(content, source, [row["num_images"] for row in shown], shown, measure)
            texts.append(
                _(
                    "{source} {figure} with {count} images",
                    source=source,
                    figure=figure,
                    count=shown[-1]["num_images"],
                )
            )
    trained, amounts = trained_blocks(trainable), content["num_images"]
    spec = _frame(data, trained, _("training images"), measure, amounts)
    key = f"{'difference' if measure == 'difference' else 'images'}.{trainable}"
    return Plot(key, spec, _in_words(trained, texts))


def _of_epochs(content: Content, trainable: str, count: int, rows: Rows) -> Plot:
    data: list[Spec] = []
    texts, epochs = [], [1]
    for source in sources(content):
        shown = [row for row in rows if row["source"] == source and row["num_images"] == count]
        for row in shown:
            epochs = row["epochs"]
            data += _line(content, source, epochs, row["by_epoch"], "accuracy")
            ends_at = _("{source} ends at {share}")
            texts.append(ends_at.format(source=source, share=percent(row["accuracy"])))
    images = _images(count)
    title = _("{images}, {trained}", images=images, trained=trained_blocks(trainable))
    spec = _frame(data, title, _("epochs"), "accuracy", epochs)
    return Plot(f"epochs.{trainable}.{count}", spec, _in_words(images, texts))


def _of_blocks(content: Content, count: int) -> Plot:
    """Accuracy by what is trained, with one number of images."""
    data: list[Spec] = []
    texts = []
    for source in sources(content):
        shown = [
            row
            for row in content["accuracies"]
            if row["source"] == source and row["num_images"] == count
        ]
        names = [trained_blocks(row["trainable"]) for row in shown]
        data += _line(content, source, names, shown, "accuracy")
        texts += [
            _("{source} {share} with {trained}", source=source, share=share, trained=name)
            for name, share in zip(names, (percent(row["accuracy"]) for row in shown), strict=True)
        ]
    spec = _frame(data, _images(count), _("what is trained"), "accuracy", None)
    return Plot(f"blocks.{count}", spec, _in_words(_images(count), texts))


def _images(count: int) -> str:
    return _("{count} images", count=count)


def _in_words(title: str, texts: Sequence[str]) -> str:
    return _("{what}: {figures}", what=title, figures=join(texts))


def _line(
    content: Content, source: str, x: Sequence[Any], rows: Rows, measure: str
) -> Iterator[Spec]:
    """A source's line, and below it its band where there are intervals; differences in points."""
    is_difference = measure == "difference"
    scale, name = (100, "difference_interval") if is_difference else (1, "interval")
    intervals = [row[name] or (row[measure], row[measure]) for row in rows]
    low, high = ([scale * ends[side] for ends in intervals] for side in (0, 1))
    number = ":+.1f" if is_difference else ":$.1%"
    value = f"%{{y{number}}}"
    if is_difference:
        value = _("{count} points", count=value)
    branch = content["sources"][source]["branch"]
    if any(row[name] for row in rows):
        yield band(x, low, high, branch_colour(branch))
    yield line(
        branch,
        sources(content).index(source),
        plain(source),
        x,
        [scale * row[measure] for row in rows],
        meta={"network": source, "low": low, "high": high},
        customdata=[*zip(low, high, strict=True)],
        hovertemplate=f"%{{x}}: {value} ({interval_on_hover(0, number)})"
        "<extra>%{fullData.name}</extra>",
    )


def _frame(
    data: Sequence[Spec], title: str, x_title: str, measure: str, ticks: Sequence[int] | None
) -> Spec:
    x: Spec = {"title": x_title, "fixedrange": True, "automargin": True}
    if ticks is not None:
        x |= {"type": "log", "tickvals": [*ticks], "ticktext": [*map(str, ticks)]}
    y: Spec = {"title": _("accuracy"), "tickformat": "$.0%", "fixedrange": True, "automargin": True}
    if measure == "difference":  # with the line at 0, above which a source is better
        y |= {"title": _("difference in points"), "tickformat": "+.0f", "rangemode": "tozero",
              "zeroline": True, "zerolinecolor": "#7B8794"}  # fmt: skip
    return frame(
        data,
        title=plain(title),
        height=320 + 22 * sum("name" in line for line in data),
        showlegend=True,
        legend=LEGEND,
        xaxis=x,
        yaxis=y,
    )
