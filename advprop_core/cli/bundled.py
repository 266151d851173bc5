"""What comes with the project: ``app``, ``models``, ``export``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advprop_core.cli import options as o
from advprop_core.cli import values
from advprop_core.cli.blend import blended
from advprop_core.cli.model_options import open_one, with_model_settings
from advprop_core.cli.output import Report, require_new_file
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundle_dir, bundled_models
from advprop_core.models.header import read_info
from advprop_core.models.settings import ModelSettings

if TYPE_CHECKING:
    from rich.table import Table

    from advprop_core.types import ModelInfo


def app(
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="A checkpoint to offer beside the bundled ones; repeat it or write commas.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder of your photos to offer in the gallery."),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="Let other machines of the network in. By default only this machine can.",
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help="TCP port. 8501 by default, or the next."),
    ] = None,
) -> None:
    """Start the app in the browser; Ctrl+C ends it.

    ```
    advprop app
    advprop app --model runs/x/model.safetensors --images ~/photos --port 8600
    ```
    """
    folder = bundle_dir()
    script = folder / "streamlit_app.py"
    if not script.is_file():
        raise InputError(f"the app is missing, there is no file {script}: install again")
    environment = dict(os.environ)
    if files := [_checked_model(name) for name in values.split_list(model)]:
        environment["ADVPROP_MODELS"] = json.dumps([*map(str, files)])
    if images is not None:
        environment["ADVPROP_IMAGES"] = str(_checked_images(images))
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += _server_options(public, port, environment)
    if public:
        typer.echo("Anyone who can reach this machine can use the app.", err=True)
    os.chdir(folder)  # where Streamlit looks for .streamlit/config.toml
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)


def _server_options(public: bool, port: int | None, environment: Mapping[str, str]) -> list[str]:
    options = ["--server.address", "0.0.0.0" if public else "127.0.0.1"]
    options += ["--browser.gatherUsageStats", "false"]
    shown = sys.platform in ("darwin", "win32") or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if environment.get("CI") or not shown:
        options += ["--server.headless", "true"]
    if port is not None:
        options += ["--server.port", str(port)]
    return options


def _checked_model(name: str) -> Path:
    """The file's absolute path, when it is whole and says which network it holds."""
    from safetensors import SafetensorError, safe_open

    path = Path(name).expanduser().resolve()
    if name in bundled_models():
        return bundled_models()[name].resolve()
    if not path.is_file():
        raise InputError(f"--model must be a checkpoint file, there is no file {name}")
    try:
        safe_open(path, "np")
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path.name} is truncated or is not a safetensors checkpoint ({error})"
        ) from None
    read_info(path)
    return path


def _checked_images(folder: Path) -> Path:
    from advprop_core.pictures.files import list_pictures
    from advprop_core.pictures.formats import EXTENSIONS

    path = folder.expanduser().resolve()
    if not path.is_dir():
        raise InputError(f"--images must be a folder, there is no folder {folder}")
    pictures, _ = list_pictures(path, within=path)
    if not pictures:
        endings = " ".join(sorted(EXTENSIONS))
        raise InputError(f"the folder {folder} holds no image: looked for the endings {endings}")
    return path


def models(json_file: o.JsonOption = None) -> None:
    """List the bundled models, with what was measured of each branch.

    The JSON holds each model's whole card: recipe, command, data, classes and metrics.

    ```
    advprop models
    advprop models --json -
    ```
    """
    report = Report(json_file)
    bundled = bundled_models()
    if not bundled:
        report.say("No model is bundled with this copy.")
    cards = [(name, path, read_info(path)) for name, path in bundled.items()]
    if cards:
        report.show(_model_table(cards))
        report.say("Use one as --model NAME. " + _how_measured(info for _, _, info in cards))
    report.finish({"models": [_card_json(*card) for card in cards]})


def _model_table(cards: list[tuple[str, Path, ModelInfo]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("model", overflow="fold", min_width=max(len(name) for name, _, _ in cards))
    for heading in ("data", "network", "branch"):
        table.add_column(heading, overflow="fold")
    for heading in ("clean", "attacked", "size"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, path, info in cards:
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        rest = [
            name,
            str(info.recipe.get("data", "")),
            f"{info.architecture}, {info.input_size} px",
        ]
        for branch in info.branches:
            clean, attacked = (_accuracy(info, branch, kind) for kind in ("clean", "attack"))
            table.add_row(*rest, f"{branch} ({info.branches[branch]})", clean, attacked, size)
            rest, size = ["", "", ""], ""
    return table


def _metric(info: ModelInfo, branch: str, kind: str) -> Mapping[str, Any] | None:
    """The branch's own metric; under attack, the one made through itself."""
    for metric in info.metrics:
        condition = metric.get("condition", {})
        own = condition.get("attack_branch", branch) == branch
        if metric.get("branch") == branch and condition.get("kind") == kind and own:
            return metric
    return None


def _accuracy(info: ModelInfo, branch: str, kind: str) -> str:
    metric = _metric(info, branch, kind)
    return "not measured" if metric is None else f"{metric['top1']:.1%}"


def _how_measured(infos: Iterable[ModelInfo]) -> str:
    """What the columns of the table mean."""
    from advprop_core.models.cards import describe_attack

    ways: dict[str, None] = {}
    for info in infos:
        for branch in info.branches:
            if metric := _metric(info, branch, "attack"):
                ways[describe_attack(metric["condition"])] = None
    if not ways:
        return ""
    return (
        f"Accuracies are top-1 on held-out images; attacked means under {' or '.join(ways)}, "
        "through the branch itself."
    )


def _card_json(name: str, path: Path, info: ModelInfo) -> dict[str, Any]:
    return {
        "name": name,
        "file": str(path),
        "bytes": path.stat().st_size,
        "architecture": info.architecture,
        "input_size": info.input_size,
        "branches": dict(info.branches),
        "classes": [{"id": identity, "name": readable} for identity, readable in info.classes],
        "recipe": json.loads(json.dumps(dict(info.recipe))),
        "metrics": [dict(metric) for metric in info.metrics],
    }


@with_model_settings
def export(
    model: o.ModelOption,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The .safetensors or .pth file to write.")
    ],
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="main, aux, aux2 …")] = None,
    blend: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:SECOND:PLACE",
            help="Instead of a branch: γ and β between two of them, from 0 at the first to 1.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="With --blend: images to estimate its statistics on."),
    ] = None,
    *,
    settings: ModelSettings,
) -> None:
    """Write one branch, or a blend of two, as a plain timm state dict.

    It loads with `strict=True` into the network that is printed. Size, mean, std and classes go
    along (beside a .pth file as FILE.pth.json), so that it opens here as the same network.

    A blend (arXiv 2210.04886 calls it a soup) trades clean accuracy for robust accuracy. Its mean
    and variance are estimated again on `--data`. Taking γ and β of one branch and mean and
    variance of another, as they are, breaks a network instead: imagenette-advprop falls from 78 %
    to 23 % on clean photos.

    ```
    advprop export --model imagenette-advprop --branch aux --out aux.safetensors
    advprop evaluate --model aux.safetensors --data photos/val
    advprop export --model imagenette-advprop --blend main:aux:0.5 --data photos \
--out half.safetensors
    ```
    """
    if (branch is None) == (blend is None) or (blend is None) != (data is None):
        raise InputError("give --branch NAME, or --blend FIRST:SECOND:PLACE with --data DIR")
    require_new_file(out, (".safetensors", ".pth"))
    from advprop_core.models.checkpoints import export as write

    checkpoint = open_one(model, settings)
    if blend is not None and data is not None:
        checkpoint = blended(checkpoint, blend, data)
    branch = branch or "main"
    write(checkpoint, branch, out)
    info = checkpoint.info
    what = f"blend {blend}" if blend else f"branch {branch} ({info.branches[branch]})"
    typer.echo(f"wrote {out}, {what}")
    arguments = {"num_classes": info.num_classes, **info.arguments}
    told = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    typer.echo(
        f"timm.create_model({info.architecture!r}, {told}), "
        f"{info.input_size} px, mean {info.mean}, std {info.std}"
    )
