"""``convert``: every branch of a model file of another program, in this project's layout."""

from pathlib import Path
from typing import Annotated

import typer

from advprop_core.cli.fields import File, option_set, with_options
from advprop_core.cli.options import ForeignOptions
from advprop_core.cli.output import Report, require_new_file, try_file
from advprop_core.errors import InputError


@option_set
class _ConvertOptions(ForeignOptions):
    file: Annotated[Path, typer.Argument(metavar="FILE")]
    """A safetensors, .pth, .pt, .pth.tar or .bin file."""
    out: File
    """The .safetensors file to write."""


@with_options
def convert(options: _ConvertOptions) -> None:
    """Write a model file of another program in this project's layout, with every branch.

    The new file says all that describes the network, so it needs no options any more. A table says
    what was read in the file, what was given here and what was guessed: check the guesses. Without
    the `aux_bn` keys the new file is a plain timm state dict.

    ```
    advprop convert model_best.pth.tar --out mine.safetensors --classes names.txt
    advprop app --model mine.safetensors
    ```
    """
    file, out = options.file, options.out
    require_new_file(out)
    if not file.is_file():
        raise InputError(f"there is no file {file}: FILE must be a model file")
    try_file(out, "--out")
    from advprop_core.models.checkpoints import load, save

    checkpoint = load(file, options.settings)
    if checkpoint.findings is None:
        raise InputError(f"{file} is in this project's layout already: use it as it is")
    save(out, checkpoint.model, checkpoint.info)
    report = Report(None)
    for fact in checkpoint.findings.facts(checkpoint.info):
        option = "--arch" if fact.name == "architecture" else f"--{fact.name}"
        source = f"guessed ({option} says it)" if fact.source == "guessed" else fact.source or ""
        report.say(f"{fact.name:<13} {fact.value}{f'   {source}' if source else ''}")
    for note in checkpoint.findings.remarks(file.name):
        report.say(note)
    report.say(f"wrote {out}")
