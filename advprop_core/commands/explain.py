"""Where each branch looks in one photo: ``explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advprop_core.commands import options as o
from advprop_core.commands import values
from advprop_core.commands.output import (
    Report,
    class_json,
    command_line,
    make_folder,
    save_arrays,
    versions,
    write_json,
)
from advprop_core.methods import METHODS

if TYPE_CHECKING:
    from advprop_core.commands.subject import Subject
    from advprop_core.types import AttributionMap

_SIDE = 384  # smaller maps are enlarged to this for their PNG

MethodsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help=f"Maps, repeated or with commas; grad-cam by default. One of {', '.join(METHODS)}.",
    ),
]


def explain(
    image: o.ImageArgument,
    model: o.ModelOption,
    out: o.OutOption,
    method: MethodsOption = None,
    layer: o.LayerOption = None,
    branch: o.BranchOption = None,
    class_index: o.ClassOption = None,
    true_class: o.TrueClassOption = None,
    seed: o.SeedOption = 0,
    arch: o.ArchOption = None,
    json_file: o.JsonOption = None,
) -> None:
    r"""Map where each branch looks in a photo.

    Writes to --out one PNG per map (METHOD_BRANCH.png), arrays.npz (the maps as float32,
    (H, W), signed and unscaled) and manifest.json. Maps of one method share one colour scale:
    from dark blue, nothing, to yellow, much; or for signed maps from blue, against the class,
    through white to orange, for it.

    ```
    advprop explain church.jpg --model imagenette-advprop --out out
    advprop explain church.jpg --model imagenette-advprop --layer s3 \
        --method grad-cam,saliency --branch aux --class-index tench --out out
    ```
    """
    report, folder = Report(json_file), make_folder(out)
    from advprop_core.commands.subject import open_subject

    methods = values.split_list(method) or ["grad-cam"]
    if unknown := [name for name in methods if name not in METHODS]:
        raise ValueError(f"--method must be one of {', '.join(METHODS)}, got {unknown[0]!r}")
    if layer is not None and not any(METHODS[name].needs_layer for name in methods):
        raise ValueError(
            f"--layer is for maps of a layer such as grad-cam, and --method is {', '.join(methods)}"
        )
    subject = open_subject(image, model, arch=arch, branch=branch, true_class=true_class)
    explained = _explained(subject, class_index)
    maps = _make_maps(subject, methods, layer, explained, seed)
    files = _save_maps(folder, maps, report)
    content = {
        **subject.to_json(),
        "class": class_json(subject.info, explained),
        "seed": seed,
        "maps": files,
        "command": command_line(),
        "versions": versions(),
    }
    write_json(folder / "manifest.json", content)
    report.say(
        f"wrote {len(files)} maps of “{subject.info.class_names[explained]}”, arrays.npz and "
        f"manifest.json to {folder}"
    )
    report.finish(content)


def _explained(subject: Subject, text: str | None) -> int:
    from advprop_core.predict import predict

    if text is not None:
        return values.read_class(subject.info, text, "--class-index")
    if subject.true_class is not None:
        return subject.true_class
    first = next(iter(subject.modules().values()))
    return predict(first, subject.pixels)[0].class_index


def _make_maps(
    subject: Subject, methods: list[str], layer: str | None, class_index: int, seed: int
) -> list[AttributionMap]:
    """Method by method, then branch by branch; all at the same layer."""
    from advprop_core.attribution import default_layer
    from advprop_core.attribution import explain as make
    from advprop_core.types import AttributionMap

    modules = subject.modules()
    maps = []
    for method in methods:
        place = None
        if METHODS[method].needs_layer:
            place = layer or default_layer(next(iter(modules.values())), subject.pixels)
        for branch, module in modules.items():
            values = make(module, subject.pixels, class_index, method, layer=place, seed=seed)[0]
            maps.append(AttributionMap(values, method, branch, "clean", class_index, place))
    return maps


def _save_maps(folder: Path, maps: list[AttributionMap], report: Report) -> list[dict[str, Any]]:
    """Write a PNG each and all the arrays, and say what each PNG shows."""
    from advprop_core import render

    listed = []
    for one in maps:
        sign = METHODS[one.method].sign
        same = [other.values.numpy() for other in maps if other.method == one.method]
        scale = render.shared_scale(same)
        file = f"{one.method}_{one.branch}.png"
        picture = render.colourise(one.values.numpy(), sign, scale)
        render.enlarge(picture, max(_SIDE, picture.width), smooth=False).save(folder / file)
        low, high = float(one.values.min()), float(one.values.max())
        layer = f" at {one.layer}" if one.layer else ""
        report.say(f"{file}: {METHODS[one.method].title}{layer}, values {low:.3g} to {high:.3g}")
        listed.append(
            {
                "file": file,
                "method": one.method,
                "branch": one.branch,
                "layer": one.layer,
                "sign": sign,
                "colour_scale_end": scale,
                "low": low,
                "high": high,
            }
        )
    arrays = {f"{one.method}_{one.branch}": one.values.numpy() for one in maps}
    save_arrays(folder / "arrays.npz", arrays)
    return listed
