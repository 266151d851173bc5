"""The ``advprop`` command: a router; each command has a file of its own beside this one."""

import io
import os
import sys
from collections.abc import Sequence

import typer

from advprop_core.cli import app as start
from advprop_core.cli import (
    compare,
    convert,
    digits,
    evaluate,
    explain,
    influence,
    networks,
    page,
    photo,
    replay,
    train,
    transfer,
    visualise,
)
from advprop_core.errors import AdvPropError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback(
    epilog="Write radii and step sizes in pixel units on [0, 1], as 4/255 or 0.0157. If an input "
    "is wrong, the command says what to change and exits with code 2. ADVPROP_TRACEBACK=1 shows "
    "the traceback."
)
def _root() -> None:
    """Compare what AdvProp's two sets of BatchNorm answer for a photo, clean and perturbed.

    To use a browser, run `advprop app`. Without a browser, start with:

    ```
    advprop models
    advprop compare photo.jpg --model imagenette-advprop --out out
    ```
    """


for _panel, _commands in (
    ("The app", (start.app, networks.models)),
    (
        "One photo",
        (
            photo.predict,
            photo.attack,
            explain.explain,
            visualise.visualise,
            compare.compare,
            replay.replay,
        ),
    ),
    (
        "Data sets",
        (
            evaluate.evaluate,
            influence.influence,
            train.train,
            transfer.transfer,
            networks.calibrate,
        ),
    ),
    ("To learn from", (digits.digits,)),
    ("Files", (networks.export, convert.convert, page.page)),
):
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script, whose arguments are by default those of the process.

    What a person can put right is told in one sentence on standard error, with exit code 2.
    Anything else is a defect of ours and keeps its traceback.
    """
    # Before torch is loaded: on a busy machine its threads would spend most of their time spinning.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # GNU's threads spin for some microseconds, or a quiet machine would spend its time waking them.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where a test has replaced it
            stream.reconfigure(errors="backslashreplace")  # a file's name may be no valid text
    try:
        app(args=arguments)
    except Exception as error:
        if os.environ.get("ADVPROP_TRACEBACK") or not isinstance(error, AdvPropError | OSError):
            raise
        sentence = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.filename and error.strerror:
            sentence = f"{error.filename}: {error.strerror}"
        typer.secho(f"Error: {sentence}", fg="red", err=True)
        sys.exit(2)
