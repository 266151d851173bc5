"""``page``: networks as one HTML file that runs them in a browser, without a server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from advprop_core.attacks.named import read_radius
from advprop_core.cli.fields import File, Name, option_set, with_options
from advprop_core.cli.options import ModelsOptions
from advprop_core.cli.output import Report, require_new_file, try_file
from advprop_core.errors import InputError
from advprop_core.types import AttackConfig

if TYPE_CHECKING:
    from advprop_core.browser.network import PageNetwork


@option_set
class _PageOptions(ModelsOptions):
    # Other commands have no networks of their own to fall back on.
    model: Annotated[list[str] | None, "M"] = None  # type: ignore[assignment]
    """A bundled name (see `advprop models`), a checkpoint file, or a timm name. To put several in
    the page, repeat the option or use commas. With --lessons, by default the networks that the
    lessons use."""
    lessons: bool = False
    """Add the eight lessons, the page for judging maps, the teacher's page, and a tiny network that
    people can train in the page."""
    out: File
    """The .html file to write. With --split: the folder to write."""
    split: bool = False
    """Write a folder for a web host instead of one file: a small page, and files that a browser
    caches."""
    picture: Annotated[list[Path] | None, "FILE"] = None
    """A photo that the page starts with. For several, repeat the option. The page's own pictures
    come after them."""
    picture_size: Annotated[int | None, "PIXELS"] = None
    """Side of the pictures in pixels. By default each network's own size, but 128 for
    imagenet-lite0 with --lessons. Smaller pictures are faster."""
    epsilon: Annotated[str, "E"] = "2/255"
    """Radius of the attack that the page starts with: PGD with 10 steps in L∞."""
    attack_branch: Name = "main"
    """Branch whose gradient that attack follows."""

    def named(self) -> _PageOptions:
        """With the networks of the lessons where none was named."""
        if self.model:
            return self
        if not self.lessons:
            raise InputError("name a network with --model, or put the lessons in with --lessons")
        from advprop_core.browser.lessons import NETWORKS

        return replace(self, model=list(NETWORKS))


@with_options
def page(options: _PageOptions) -> None:
    """Write networks into one HTML file that attacks, predicts and draws maps in a browser.

    The file opens from a disk, also on a phone, and sends nothing to any server. Each graph is
    compared with PyTorch before it is written. Requires `pip install 'advprop-lens[page]'`.

    ```
    advprop page --model imagenet-lite0 --picture-size 128 --out lab.html
    advprop page --lessons --out lessons.html
    advprop page --model runs/mine/model.safetensors --picture cat.jpg --out lab.html
    advprop page --model shapes-vanilla,shapes-advprop --split --out site
    ```
    """
    options, out = options.named(), options.out
    if not options.split:
        require_new_file(out, (".html",))
        try_file(out, "--out")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out must be a new or an empty folder, {out} is neither")
    epsilon = read_radius(options.epsilon, "linf", "--epsilon")
    from advprop_core.browser.graph import require_exporter
    from advprop_core.browser.lessons import lesson_material
    from advprop_core.browser.network import LARGEST_EPSILON
    from advprop_core.browser.page import Page, read_built

    if not 0 <= epsilon <= LARGEST_EPSILON:
        raise InputError(f"--epsilon must be from 0 to 16/255, got {options.epsilon}")
    require_exporter()
    report, built = Report(None), read_built()
    networks = _networks(options, epsilon, report)
    material = lesson_material() if options.lessons else None
    training = _training(report) if options.lessons else None
    whole = Page(networks, built, material, training)
    if options.split:
        whole.write_split(out)
        sizes = sum(file.stat().st_size for file in out.rglob("*.*"))
        report.say(f"wrote {out}: {sizes / 1e6:.1f} MB, with a packed copy of each file")
    else:
        whole.write_one_file(out)
        report.say(f"wrote {out}: {out.stat().st_size / 1e6:.1f} MB")


def _networks(options: _PageOptions, epsilon: float, report: Report) -> list[PageNetwork]:
    from advprop_core.browser.errors import NotExportable
    from advprop_core.browser.lessons import NETWORKS
    from advprop_core.browser.network import page_network

    networks, opened = [], options.open()
    attack = AttackConfig.pgd(epsilon, steps=10)
    for checkpoint in opened.values():
        checkpoint.model.branch(options.attack_branch)  # raises where there is none
    for name, checkpoint in opened.items():
        short = Path(name).stem if Path(name).is_file() else name
        report.say(f"{short}: exporting, and comparing with PyTorch")
        pictures = tuple(options.picture or ())
        size = options.picture_size or (NETWORKS.get(short) if options.lessons else None)
        try:
            network = page_network(checkpoint, short, size, pictures, attack, options.attack_branch)
        except NotExportable as error:
            raise InputError(f"{short}: {error}") from error
        networks.append(network)
        megabytes = len(network.assets[network.entry["graph"]]) / 1e6
        report.say(f"{short}: {megabytes:.1f} MB, the same answers, gradients and maps")
    return networks


def _training(report: Report) -> PageNetwork:
    from advprop_core.browser.tiny_training import page_training

    report.say("the network to train: exporting, and comparing with PyTorch")
    training = page_training()
    report.say(f"the network to train: {sum(map(len, training.assets.values())) / 1e6:.1f} MB")
    return training
