"""``app``: what it checks before it starts Streamlit."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from advprop_core.cli.fields import Folder, Names, option_set, with_options
from advprop_core.cli.memory import SERVER_ALLOCATOR
from advprop_core.cli.options import ForeignOptions, open_model
from advprop_core.cli.values import split_list
from advprop_core.errors import InputError
from advprop_core.models.bundle import bundle_dir, bundled_models, says_all_itself
from advprop_core.models.header import read_info
from advprop_core.models.settings import ModelSettings

_LARGEST_NETWORK = 1000  # MB
# Of a photo, of what widgets hold, and of a message; also MB.
_PUBLIC_SIZES = {"maxUploadSize": 20, "maxWidgetStateSize": 2, "maxMessageSize": 50}


@option_set
class _AppOptions(ForeignOptions):
    model: Annotated[list[str] | None, "FILE"] = None
    """A model file to add to the bundled ones. For several, repeat the option or use commas.
    --arch, --size, --mean, --std and --classes apply to all model files of other programs."""
    images: Folder | None = None
    """A folder of your photos. The gallery shows them."""
    public: bool = False
    """Let other machines connect. By default only this machine can use the app. Visitors cannot
    open network files or train, and their uploads and computing time are limited."""
    host: Names | None = None
    """A name of this server, such as lens.example.org. For several, repeat the option or use
    commas. The server then accepts requests for these names only. By default it accepts its
    addresses, localhost and the machine's name."""
    port: Annotated[int | None, typer.Option(min=1, max=65535, metavar="N")] = None
    """TCP port. By default 8501, or the next free port."""


@with_options
def app(options: _AppOptions) -> None:
    """Start the app in the browser; Ctrl+C ends it.

    ```
    advprop app
    advprop app --model runs/x/model.safetensors --images ~/photos --port 8600
    advprop app --model net.pth --arch resnet18 --classes classes.txt
    ```
    """
    folder = bundle_dir()
    script = folder / "streamlit_server.py"
    if not script.is_file():
        raise InputError(f"the app is missing, there is no file {script}: install again")
    environment = SERVER_ALLOCATOR | os.environ
    settings = options.settings
    if files := [_checked_model(name, settings) for name in split_list(options.model)]:
        environment["ADVPROP_MODELS"] = json.dumps([*map(str, files)])
    if settings.given:
        if all(says_all_itself(str(file)) for file in files):
            raise InputError(
                "--arch, --size, --mean, --std and --classes are for model files of other "
                "programs: give one with --model, or leave them out"
            )
        environment["ADVPROP_MODEL_SETTINGS"] = json.dumps(settings.given)
    if options.images is not None:
        environment["ADVPROP_IMAGES"] = str(_checked_images(options.images))
    if options.public:
        environment["ADVPROP_PUBLIC"] = "1"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += _server_options(options, environment)
    if options.public:
        typer.echo(
            "Anyone who can reach this machine can use the app. They cannot open network files of "
            "their own, or train: add networks with --model FILE. docs/deploy.md says what else to "
            "do on the open web.",
            err=True,
        )
    os.chdir(folder)  # where Streamlit looks for .streamlit/config.toml
    sys.stdout.flush()
    os.execve(sys.executable, command, environment)


def _server_options(options: _AppOptions, environment: Mapping[str, str]) -> list[str]:
    words = ["--browser.gatherUsageStats", "false"]
    if "STREAMLIT_SERVER_ADDRESS" not in environment:  # behind a proxy it may be this machine's
        words += ["--server.address", "0.0.0.0" if options.public else "127.0.0.1"]
    for name in split_list(options.host):
        words += ["--server.allowedHosts", name]
    sizes = _PUBLIC_SIZES if options.public else {"maxUploadSize": _LARGEST_NETWORK}
    for name, megabytes in sizes.items():
        words += [f"--server.{name}", str(megabytes)]
    if options.port is not None:
        words += ["--server.port", str(options.port)]
    return words


def _checked_model(name: str, settings: ModelSettings) -> Path:
    """The file's absolute path, when the app can open it."""
    from safetensors import SafetensorError, safe_open

    if name in bundled_models():
        return bundled_models()[name].resolve()
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise InputError(f"--model must be a model file, there is no file {name}")
    if not says_all_itself(str(path)):
        open_model(str(path), settings)
        return path
    read_info(path)
    try:
        if path.suffix == ".safetensors":
            safe_open(path, "np")  # which notices what is cut off, without torch
    except SafetensorError as error:
        raise InputError(f"{path.name} is truncated ({error})") from None
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
