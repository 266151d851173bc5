"""``explain`` for one photo: its maps, how they differ, and how far they can be trusted."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from advprop_core.attribution.methods import METHODS, MapChoice
from advprop_core.attribution.rows import MapRow, differences, make_rows, plan_rows
from advprop_core.cli.map_options import ExplainOptions
from advprop_core.cli.output import Json, Report, make_folder
from advprop_core.cli.progress import counting, in_parts
from advprop_core.cli.subject import open_subject
from advprop_core.cli.trust_tables import Figures, curve_array, legend, trust_json, trust_table
from advprop_core.cli.values import read_class, split_list
from advprop_core.compare.bundles.write import picture_arrays
from advprop_core.errors import InputError
from advprop_core.faithfulness.maps import Undefined, flaw
from advprop_core.faithfulness.trust import measure_trust
from advprop_core.models.class_names import class_json
from advprop_core.report import drawing
from advprop_core.report.colours import Array, Sign, Span, colour_span, colourise
from advprop_core.report.comparison_words import describe_attack
from advprop_core.report.map_sheet import draw_map_sheet, row_span
from advprop_core.types import AttackConfig, InputKind

_SIDE = 384  # smaller maps are enlarged to this for their PNG


def explain_photo(
    report: Report, options: ExplainOptions, choice: MapChoice, config: AttackConfig | None
) -> None:
    """Make the maps, measure them if asked, and write everything.

    Raises:
        InputError: For several models, no folder, or what :func:`make_rows` and
            :meth:`Subject.run` refuse.
    """
    models = split_list(options.model)
    if len(models) != 1:
        raise InputError(f"--model must be one for a photo, got {', '.join(models) or 'none'}")
    if options.out is None:
        raise InputError("--out must name a folder for the maps of a photo")
    folder = make_folder(options.out)
    subject = open_subject(options.image, models[0], options.settings, options)
    config = config and subject.aim(config, options)
    # Without an attack, this branch's answer is explained where no class is known.
    source = options.attack_branch if config else subject.branches[0]
    result = subject.run(subject.experiment(config, source))
    explained = read_class(subject.info, options.class_index, "--class-index")
    if explained is None:
        explained = result.attacked_class
    inputs: dict[InputKind, Tensor] = {"clean": result.clean[None]}
    if config:
        inputs["adversarial"] = result.adversarial[None]
    # A layer inside a folded pair would give another map than the network's own.
    branches = subject.modules(folded=not choice.layers)
    planned = plan_rows(next(iter(branches.values())), subject.pixels, choice)
    with in_parts(len(planned)) as begin:
        rows, left_out = make_rows(branches, inputs, explained, choice, planned, begin)
    figures: Figures = {}
    if options.metrics:
        all_maps = {(row.name, *cell): row.maps[cell] for row in rows for cell in row.maps}
        with counting(f"checking {len(all_maps)} maps", 1) as progress:
            figures = measure_trust(
                branches,
                inputs,
                all_maps,
                mask=None,
                seed=choice.seed,
                progress=progress,
                **choice.options,
            )
    if config:
        subject.tell(report, result, config)
    arrays = {**picture_arrays(result)} if config else {}
    maps, changes = _save_maps(report, folder, rows, figures, arrays)
    names = subject.info.class_names
    is_true = ", the true class" if explained == subject.true_class else ""
    sentence = f"Maps for “{names[explained]}”{is_true}."
    if config:
        sentence += f" Attack: {describe_attack(config, result.attack_branch)}."
    titles = ", ".join(METHODS[method].title for method in left_out)
    notes = [f"Left out because they do not fit this network: {titles}."] if titles else []
    sheet = draw_map_sheet(rows, result, names, subject.title, sentence, notes)
    sheet.save(folder / "maps.png")
    content = subject.manifest(result, config, only_clean=config is None) | {
        "class": class_json(subject.info, explained),
        "seed": choice.seed,
        "options": dict(choice.options),
        "maps": maps,
        "differences": changes,
        "left_out": left_out,
    }
    for method, reason in left_out.items():
        report.say(f"left out {method}: {reason}")
    if figures:
        report.show(trust_table(rows, figures))
        report.say(legend(figures))
    pictures = sum(1 for drawn in (*maps, *changes) if drawn["file"])
    what = f"maps.png, {pictures} pictures of maps of “{names[explained]}”"
    report.save(folder, what, arrays, content)
    report.finish(content)


def _save_maps(
    report: Report,
    folder: Path,
    rows: Sequence[MapRow],
    figures: Figures,
    arrays: dict[str, Array],
) -> tuple[list[Json], list[Json]]:
    """Draw and tell every map and difference, and add them to the arrays; returns their JSON."""
    maps, changes = list[Json](), list[Json]()
    for row in rows:
        about: Json = {"method": row.method.name, "layer": row.layer}
        attacked = any(kind == "adversarial" for kind, _ in row.maps)
        words, alike = [], []
        for (kind, branch), attribution in row.maps.items():
            name, sign = row.stem(kind, branch), row.method.sign
            facts = about | {"branch": branch, "input": kind}
            facts |= _save(folder, arrays, name, attribution.values, sign, row_span(row))
            if trust := figures.get((row.name, kind, branch)):
                facts["trust"] = trust_json(trust)
                if not isinstance(trust.curves, Undefined):
                    arrays[f"{name}_curves"] = curve_array(trust.curves)
            maps.append(facts)
            extent = f"{facts['low']:.3g} to {facts['high']:.3g}"
            measured = f"is not drawn: {facts['flaw']}" if facts["flaw"] else extent
            words.append(f"{branch} {kind} {measured}" if attacked else f"{branch} {measured}")
        between = differences(row)
        for change in between:
            span = colour_span([each.values.numpy() for each in between], "signed")
            drawn = _save(folder, arrays, change.name, change.values, "signed", span)
            changes.append(about | {"of": change.words} | drawn)
            if drawn["flaw"]:
                alike.append(f"({change.words})")
        if alike:
            words.append(f"no difference to draw: {' '.join(alike)}")
        report.say(f"{row.title}: {'; '.join(words)}")
    return maps, changes


def _save(
    folder: Path, arrays: dict[str, Array], name: str, values: Tensor, sign: Sign, span: Span
) -> Json:
    """Draw one map, unless there is nothing to see in it."""
    arrays[name] = values.numpy()
    undefined, file = flaw(values), f"{name}.png"
    (folder / file).unlink(missing_ok=True)  # of another run
    if undefined is None:
        picture = drawing.to_image(colourise(arrays[name], sign, span))
        picture = drawing.enlarge(picture, max(_SIDE, picture.width), smooth=False)
        picture.save(folder / file)
    return {
        "file": None if undefined else file,
        "array": name,
        "sign": sign,
        "colour_scale_start": span[0],
        "colour_scale_end": span[1],
        "low": float(values.min()),
        "high": float(values.max()),
        "flaw": undefined.reason if undefined else None,
    }
