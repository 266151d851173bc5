"""Words and tables of a transfer experiment, from its ``results.json``."""

from collections.abc import Iterator, Sequence

from advprop_core.language import N_, _, join
from advprop_core.report.tables import NONE, Table, between, share
from advprop_core.report.words import Content, Row, Rows, grouped
from advprop_core.text import points, trained_blocks

_AMOUNTS = {
    "about": "{amount}",
    "at most": N_("at most {amount}"),
    "more than": N_("more than {amount}"),
}
_SIGNS = {
    "better": N_("better with {where}"),
    "worse": N_("worse with {where}"),
    "no clear difference": N_("no clear difference with {where}"),
}
_MANY = 3  # numbers of images that are told by their ends


def sources(content: Content) -> list[str]:
    """Names of the sources, the one that others are compared with first."""
    return [*content["sources"]]


def between_points(interval: Sequence[float] | None) -> str:
    """``+1.0 to +5.2``, or a dash for None."""
    if not interval:
        return NONE
    low, high = map(points, interval)
    return _("{low} to {high}", low=low, high=high)


def amount(reached: Content | None) -> str:
    """``71``, ``at most 100``, ``more than 1600``: how much is needed."""
    if reached is None:
        return NONE
    number = f"{reached['amount']:.0f}"
    return _(_AMOUNTS[reached["relation"]], amount=number)


def by_trainable(rows: Rows) -> dict[str, list[Row]]:
    """Rows of ``accuracies`` or ``needed`` by what is trained."""
    return grouped(rows, lambda row: str(row["trainable"]))


def headline(content: Content) -> Iterator[str]:
    """For each further source and number of blocks, where it is better and where worse."""
    first, *others = sources(content)
    if not others:
        rows = content["accuracies"]
        best = max(rows, key=lambda row: row["accuracy"])
        yield _(
            "{source} is right on {share} of the test images with {count} training images, "
            "{trained}.",
            source=first,
            share=share(best["accuracy"]),
            count=best["num_images"],
            trained=trained_blocks(best["trainable"]),
        )
    for trained, source, findings in comparisons(content):
        yield _(
            "{source} against {first}, {trained}: {parts}.",
            source=source,
            first=first,
            trained=trained,
            parts=findings,
        )


def comparisons(content: Content) -> Iterator[tuple[str, str, str]]:
    """What is trained, a further source, and where that is better than the first or worse."""
    _first, *others = sources(content)
    for trainable, rows in by_trainable(content["accuracies"]).items():
        for source in others:
            compared = [
                row for row in rows if row["source"] == source and row["difference"] is not None
            ]
            if compared:
                yield trained_blocks(trainable), source, _findings(compared)


def _findings(rows: Rows) -> str:
    """What differences are more than chance over seeds, and where no interval can say."""
    signs: dict[str, list[int]] = {sign: [] for sign in _SIGNS}
    for place, row in enumerate(rows):
        interval = row["difference_interval"]
        sign = "no clear difference"
        if interval and interval[0] > 0:
            sign = "better"
        elif interval and interval[1] < 0:
            sign = "worse"
        signs[sign].append(place)
    parts = [
        _(_SIGNS[sign], where=_where(rows, places)) for sign, places in signs.items() if places
    ]
    return _("; ").join(parts)


def _where(rows: Rows, places: Sequence[int]) -> str:
    """Numbers of images and by how much: each where they are few, from … to where they are many."""
    chosen = [rows[place] for place in places]
    if len(chosen) < _MANY:
        return _("{amounts} images", amounts=join([_each(row) for row in chosen]))
    counts = [str(row["num_images"]) for row in chosen]
    is_whole = places[-1] - places[0] == len(places) - 1
    ends = sorted(row["difference"] for row in chosen)
    listed = join(counts)
    if is_whole:
        listed = _("{low} to {high}", low=counts[0], high=counts[-1])
    return _(
        "{amounts} images ({interval} points)",
        amounts=listed,
        interval=between_points((ends[0], ends[-1])),
    )


def _each(row: Row) -> str:
    interval = row["difference_interval"]
    sentence = _("{amount} ({points} points)")
    if interval:
        sentence = _("{amount} ({points} points, {interval})")
    return sentence.format(
        amount=row["num_images"],
        points=points(row["difference"]),
        interval=between_points(interval),
    )


def tables(content: Content) -> Iterator[Table]:
    """Accuracies with their differences, and what is needed for the same accuracy."""
    first = sources(content)[0]
    for trainable, rows in by_trainable(content["accuracies"]).items():
        order = {name: place for place, name in enumerate(content["sources"])}
        rows = sorted(rows, key=lambda row: (row["num_images"], order[row["source"]]))
        needed = {
            (row["source"], row["num_images"]): row
            for row in content["needed"]
            if row["trainable"] == trainable
        }
        columns = (
            _("source"), _("trained"), _("training images"), _("seeds"), _("accuracy"),
            _("95 % interval"), _("difference"), _("95 % interval"), _("images needed"),
            _("epochs needed"),
        )  # fmt: skip
        lines = []
        for row in rows:
            reaches = needed.get((row["source"], row["num_images"]), {})
            line = (
                row["source"],
                content["sources"][row["source"]]["training"],
                str(row["num_images"]),
                str(row["seeds"]),
                share(row["accuracy"]),
                between(row["interval"]),
                NONE if row["difference"] is None else points(row["difference"]),
                between_points(row["difference_interval"]),
                amount(reaches.get("images")),
                amount(reaches.get("epochs")),
            )
            lines.append(line)
        yield Table(
            _(
                "Accuracy on {count} test images, {trained}",
                count=content["test_images"],
                trained=trained_blocks(trainable),
            ),
            columns,
            lines,
            (0, 2, 4, 5, 6, 7, 8, 9),
            meanings=(
                _("differences are to {first}, in percentage points, paired by seed", first=first),
                _(
                    "images needed and epochs needed are the numbers that reach the final "
                    "accuracy of {first}, interpolated on a logarithmic scale between measured "
                    "points",
                    first=first,
                ),
            ),
        )
