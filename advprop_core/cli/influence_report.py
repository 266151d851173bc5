"""What ``influence`` prints, draws and writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from advprop_core.cli.influence_options import METHODS, InfluenceOptions
from advprop_core.cli.output import Report, bare_table, command_line
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_photo
from advprop_core.datasets.listed import ImageList, list_images
from advprop_core.errors import InputError
from advprop_core.influence.agreement import ClassAgreement, measure_agreement
from advprop_core.influence.features import FeatureCache
from advprop_core.influence.tracer import Rest, Tracer, last_layer_tracer, tracin_tracer
from advprop_core.models.bundle import bundled_models
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import find_class
from advprop_core.pictures import decoding
from advprop_core.report.influence_sheet import Strip, Tile, draw_influence_sheet, draw_matrices
from advprop_core.text import did_you_mean, ends, percent, points
from advprop_core.types import Progress

Pairs = Sequence[tuple[str, str]]
"""(model, branch) of all that are traced."""
_RANKS = (1, 10, 100)
_SIDE = 160  # of the images that are drawn


def trace_photo(
    report: Report, options: InfluenceOptions, opened: Mapping[str, Checkpoint], pairs: Pairs
) -> None:
    """List, and draw, what each branch's prediction of a photo rests on."""
    file = Path(options.image)
    _, photo = read_photo(file)
    results, strips, cache = list[dict[str, Any]](), list[Strip](), FeatureCache()
    with in_parts(len(pairs)) as begin:
        for model, branch in pairs:
            images = _train_images(options, opened[model])
            true_class = _true_class(images, options)
            progress = begin(f"{model} {branch}")
            tracer = _open(options, model, branch, images, opened[model], cache, progress)
            pixels = decoding.to_pixels(photo, opened[model].info.input_size)
            rest = tracer.trace(pixels, true_class)
            _tell(report, options, model, tracer, rest)
            results.append(_rest_json(model, tracer, rest, options.top))
            if options.out is not None:
                strips.append(_strip(options, model, tracer, rest))
    _tell_failure(report, cache)
    if options.out is not None:
        subject = f"Training images: {options.train}. Method: {METHODS[options.method]}."
        square = decoding.fit(photo, _SIDE)
        sheet = draw_influence_sheet(
            square, strips, f"What affects the predictions of {file.name}", subject
        )
        sheet.save(options.out / "influence.png")
        report.say(f"wrote influence.png to {options.out}")
    report.finish(_head(options) | {"image": str(file), "results": results})


def trace_set(
    report: Report, options: InfluenceOptions, opened: Mapping[str, Checkpoint], pairs: Pairs
) -> None:
    """Measure how often influential training images have the class of the test image."""
    measured, cache = dict[tuple[str, str], ClassAgreement](), FeatureCache()
    class_names: tuple[str, ...] = ()
    with in_parts(3 * len(pairs)) as begin:
        for model, branch in pairs:
            images = _train_images(options, opened[model])
            test = list_images(
                options.image, split="val", classes=images.classes, limit=options.limit
            )
            title = f"{model} {branch}"
            tracer = _open(options, model, branch, images, opened[model], cache, begin(title))
            read = tracer.read(test, begin(f"{title}, test images"))
            measured[model, branch] = measure_agreement(tracer, read, begin(f"{title}, tracing"))
            class_names = tuple(name for _, name in images.classes)
    _tell_failure(report, cache)
    report.show(_agreement_table(measured))
    report.say(
        "right: accuracy of the traced layer; rank N: how often the Nth most influential training "
        "image, helpful or harmful, has the test image's class"
    )
    _tell_differences(report, measured)
    if options.out is not None:
        matrices = [(*pair, each.matrix.numpy()) for pair, each in measured.items()]
        title = "Mean influence of training classes (across) on test classes (down)"
        draw_matrices(matrices, class_names, title).save(options.out / "influence.png")
        report.say(f"wrote influence.png to {options.out}")
    first = next(iter(measured.values()))
    results = [
        _agreement_json(model, branch, each, first) for (model, branch), each in measured.items()
    ]
    content = {"test": options.image, "classes": list(class_names), "results": results}
    report.finish(_head(options) | content)


# -- training images and tracers -------------------------------------------------------------------


def _train_images(options: InfluenceOptions, checkpoint: Checkpoint) -> ImageList:
    """Those of a checkpoint's run are labelled by its classes, others by their own folders."""
    classes = checkpoint.info.classes if options.method == "tracin" else None
    return list_images(options.train, classes=classes)


def _open(
    options: InfluenceOptions,
    model: str,
    branch: str,
    images: ImageList,
    checkpoint: Checkpoint,
    cache: FeatureCache,
    progress: Progress,
) -> Tracer:
    if options.method == "tracin":
        file = bundled_models().get(model, Path(model))
        return tracin_tracer(file, branch, images, cache, progress)
    return last_layer_tracer(checkpoint, branch, images, cache, progress)


def _tell_failure(report: Report, cache: FeatureCache) -> None:
    if cache.failure is not None:
        report.say(f"features are not kept for a later run: {cache.failure}")


def _true_class(images: ImageList, options: InfluenceOptions) -> int | None:
    if options.true_class is None:
        return find_class(images.classes, Path(options.image).absolute().parent.name)
    if (index := find_class(images.classes, options.true_class)) is None:
        hint = did_you_mean(options.true_class, [name for _, name in images.classes])
        raise InputError(
            f"--true-class must be a class of the training images, got {options.true_class!r}. "
            f"{hint}"
        )
    return index


# -- a photo ---------------------------------------------------------------------------------------


def _tell(
    report: Report, options: InfluenceOptions, model: str, tracer: Tracer, rest: Rest
) -> None:
    names = [name for _, name in tracer.images.classes]
    report.say(
        f"{model} {tracer.branch} says {names[rest.answer]} ({percent(rest.probability)}); "
        f"traced: the loss of {names[rest.class_index]}"
    )
    unit = "loss without it" if options.method == "last-layer" else "score"
    table = bare_table(("", unit, "its class", "training image"), (unit,))
    sides = ("helps", rest.helpful(options.top)), ("harms", rest.harmful(options.top))
    for word, side in sides:
        for place, score in side:
            label = names[int(tracer.images.labels[place])]
            title = tracer.images.titles[place]
            table.add_row(word, _score(score), escape(label), escape(title))
    report.show(table)


def _score(score: float) -> str:
    return f"{score:+.2g}".replace("-", "−")


def _strip(options: InfluenceOptions, model: str, tracer: Tracer, rest: Rest) -> Strip:
    names = [name for _, name in tracer.images.classes]

    def tile(place: int, score: float) -> Tile:
        unit = " of loss" if options.method == "last-layer" else ""
        picture = tracer.images.picture(place, _SIDE)
        return Tile(picture, names[int(tracer.images.labels[place])], f"{_score(score)}{unit}")

    return Strip(
        model,
        tracer.branch,
        f"says {names[rest.answer]} {percent(rest.probability)}",
        f"loss of {names[rest.class_index]}",
        [tile(*pair) for pair in rest.helpful(options.top)],
        [tile(*pair) for pair in rest.harmful(options.top)],
    )


# -- a test set ------------------------------------------------------------------------------------


def _agreement_table(measured: Mapping[tuple[str, str], ClassAgreement]) -> Table:
    headings = ("test images", "right", "rank 1 of its class", "95 % interval", "rank 10", "100")
    table = bare_table(("model", "branch", *headings), headings)
    for (model, branch), each in measured.items():
        low, high = ends(each.interval)
        later = [_share(each.curve[rank - 1]) if rank <= len(each.curve) else "–"
                 for rank in _RANKS[1:]]  # fmt: skip
        right = _share(float(each.right.double().mean()))
        row = (f"{each.count}", right, _share(each.share), f"{low} – {high} %", *later)
        table.add_row(escape(model), branch, *row)
    return table


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _tell_differences(report: Report, measured: Mapping[tuple[str, str], ClassAgreement]) -> None:
    (first, base), *others = measured.items()
    for pair, each in others:
        if each.count == base.count:
            difference, interval = each.ahead_of(base)
            mean, low, high = map(points, (difference, *interval))
            report.say(
                f"{' '.join(pair)} minus {' '.join(first)}, rank 1: {mean} points (95 % interval "
                f"{low} to {high})"
            )


# -- plain values ----------------------------------------------------------------------------------


def _head(options: InfluenceOptions) -> dict[str, Any]:
    return {"command": command_line(), "train": options.train, "method": options.method}


def _rest_json(model: str, tracer: Tracer, rest: Rest, top: int) -> dict[str, Any]:
    ids = [identity for identity, _ in tracer.images.classes]

    def image(place: int, score: float) -> dict[str, Any]:
        label = int(tracer.images.labels[place])
        return {"image": tracer.images.titles[place], "class": ids[label], "score": score}

    return {
        "model": model,
        "branch": tracer.branch,
        "answer": ids[rest.answer],
        "probability": rest.probability,
        "class": ids[rest.class_index],
        "training_images": len(rest.places),
        "helpful": [image(*pair) for pair in rest.helpful(top)],
        "harmful": [image(*pair) for pair in rest.harmful(top)],
    }


def _agreement_json(
    model: str, branch: str, each: ClassAgreement, first: ClassAgreement
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model": model,
        "branch": branch,
        "n": each.count,
        "right": float(each.right.double().mean()),
        "share": each.share,
        "interval": list(each.interval),
        "curve": each.curve,
        "curve_intervals": [list(interval) for interval in each.curve_intervals],
        "matrix": each.matrix.tolist(),
    }
    if each is not first and each.count == first.count:
        difference, interval = each.ahead_of(first)
        content["minus_first"] = {"difference": difference, "interval": list(interval)}
    return content
