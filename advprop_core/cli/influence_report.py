"""What ``influence`` prints, draws and writes."""

from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image
from rich.markup import escape
from rich.table import Table

from advprop_core.cli.influence_options import METHODS, InfluenceOptions
from advprop_core.cli.output import Json, Report, bare_table, command_line
from advprop_core.cli.progress import in_parts
from advprop_core.cli.values import read_photo
from advprop_core.datasets.listed import ImageList
from advprop_core.datasets.named import list_images
from advprop_core.errors import InputError
from advprop_core.influence.agreement import ClassAgreement, measure_agreement
from advprop_core.influence.features import FeatureCache
from advprop_core.influence.tracer import Tracer, last_layer_tracer, tracin_tracer
from advprop_core.models.bundle import bundled_models
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import find_class
from advprop_core.pictures import decoding
from advprop_core.report.influence_sheet import (
    Traced,
    draw_influence_sheet,
    draw_matrices,
    write_score,
)
from advprop_core.text import did_you_mean, ends, percent_in_tenths, points
from advprop_core.types import Progress

Branches = Sequence[tuple[str, str, Checkpoint]]
"""Name of the network, branch and opened network of all that are traced."""
_RANKS = (1, 10, 100)
_SIDE = 160  # of the photo that is drawn


def trace_photo(report: Report, options: InfluenceOptions, branches: Branches) -> None:
    """List, and draw, what each branch's prediction of a photo rests on."""
    file = Path(options.image)
    _, photo = read_photo(file)
    is_loss = options.method == "last-layer"
    predictions, cache = list[Traced](), FeatureCache()
    with in_parts(len(branches)) as begin:
        for model, branch, checkpoint in branches:
            images = _train_images(options, checkpoint)
            true_class = _true_class(images, options)
            progress = begin(f"{model} {branch}")
            tracer = _open(options, model, branch, images, checkpoint, cache, progress)
            pixels = decoding.to_pixels(photo, checkpoint.info.input_size)
            rest = tracer.trace(pixels, true_class)
            traced = Traced(model, branch, images, rest, options.top)
            report.say(
                f"{model} {branch} says {traced.answer}; traced: the loss of {traced.explained}"
            )
            report.show(_images_table(traced, "loss without it" if is_loss else "score"))
            predictions.append(traced)
    _tell_failure(report, cache)
    if options.out is not None:
        title = f"What affects the predictions of {file.name}"
        subject = f"Training images: {options.train}. Method: {METHODS[options.method]}."
        unit = " of loss" if is_loss else ""
        square = decoding.fit(photo, _SIDE)
        sheet = draw_influence_sheet(square, predictions, title, subject, unit)
        _save(report, options.out, sheet)
    results = [_traced_json(traced) for traced in predictions]
    report.finish(_head(options) | {"image": str(file), "results": results})


def trace_set(report: Report, options: InfluenceOptions, branches: Branches) -> None:
    """Measure how often influential training images have the class of the test image."""
    measured, cache = list[tuple[str, str, ClassAgreement]](), FeatureCache()
    class_names: list[str] = []
    with in_parts(3 * len(branches)) as begin:
        for model, branch, checkpoint in branches:
            images = _train_images(options, checkpoint)
            test = list_images(
                options.image, split="val", classes=images.classes, limit=options.limit
            )
            title = f"{model} {branch}"
            tracer = _open(options, model, branch, images, checkpoint, cache, begin(title))
            features = tracer.read(test, begin(f"{title}, test images"))
            agreement = measure_agreement(tracer, features, begin(f"{title}, tracing"))
            measured.append((model, branch, agreement))
            class_names = [name for _, name in images.classes]
    _tell_failure(report, cache)
    first = measured[0][-1]
    results = [
        {"model": model, "branch": branch, **_agreement_json(agreement, first)}
        for model, branch, agreement in measured
    ]
    report.show(_agreement_table(results))
    report.say(
        "right: accuracy of the traced layer; rank N: how often the Nth most influential training "
        "image, helpful or harmful, has the test image's class"
    )
    for result in results:
        if ahead := result.get("minus_first"):
            mean, low, high = map(points, (ahead["difference"], *ahead["interval"]))
            report.say(
                f"{result['model']} {result['branch']} minus {' '.join(measured[0][:2])}, rank 1: "
                f"{mean} points (95 % interval {low} to {high})"
            )
    if options.out is not None:
        matrices = [
            (model, branch, agreement.matrix.float().numpy())
            for model, branch, agreement in measured
        ]
        title = "Mean influence of training classes (across) on test classes (down)"
        _save(report, options.out, draw_matrices(matrices, class_names, title))
    content = {"test": options.image, "classes": class_names, "results": results}
    report.finish(_head(options) | content)


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


def _tell_failure(report: Report, cache: FeatureCache) -> None:
    if cache.failure is not None:
        report.say(f"features are not kept for a later run: {cache.failure}")


def _save(report: Report, folder: Path, sheet: Image) -> None:
    sheet.save(folder / "influence.png")
    report.say(f"wrote influence.png to {folder}")


def _images_table(traced: Traced, unit: str) -> Table:
    table = bare_table(("", unit, "its class", "training image"), (unit,))
    for word, side in zip(("helps", "harms"), traced.sides, strict=True):
        for image_index, score in side:
            label, title = traced.label(image_index)[1], traced.images.title(image_index)
            table.add_row(word, write_score(score), escape(label), escape(title))
    return table


def _agreement_table(results: Sequence[Json]) -> Table:
    headings = ("test images", "right", "rank 1 of its class", "95 % interval", "rank 10", "100")
    table = bare_table(("model", "branch", *headings), headings)
    for result in results:
        low, high = ends(result["interval"])
        first, *others = (
            percent_in_tenths(result["curve"][rank - 1]) if rank <= len(result["curve"]) else "–"
            for rank in _RANKS
        )
        right = percent_in_tenths(result["right"])
        shares = (str(result["n"]), right, first, f"{low} – {high} %", *others)
        table.add_row(escape(result["model"]), result["branch"], *shares)
    return table


def _head(options: InfluenceOptions) -> Json:
    return {"command": command_line(), "train": options.train, "method": options.method}


def _traced_json(traced: Traced) -> Json:
    ids, rest = [identity for identity, _ in traced.images.classes], traced.rest
    helpful, harmful = (
        [
            {
                "image": traced.images.title(image_index),
                "class": traced.label(image_index)[0],
                "score": score,
            }
            for image_index, score in side
        ]
        for side in traced.sides
    )
    return {
        "model": traced.model,
        "branch": traced.branch,
        "answer": ids[rest.answer],
        "probability": rest.probability,
        "class": ids[rest.class_index],
        "training_images": len(rest.places),
        "helpful": helpful,
        "harmful": harmful,
    }


def _agreement_json(agreement: ClassAgreement, first: ClassAgreement) -> Json:
    content: Json = {
        "n": agreement.count,
        "right": float(agreement.right.double().mean()),
        "share": agreement.share,
        "interval": list(agreement.interval),
        "curve": agreement.curve,
        "curve_intervals": [list(interval) for interval in agreement.curve_intervals],
        "matrix": agreement.matrix.tolist(),
    }
    if agreement is not first and agreement.count == first.count:
        difference, interval = agreement.ahead_of(first)
        content["minus_first"] = {"difference": difference, "interval": list(interval)}
    return content
