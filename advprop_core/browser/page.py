"""The page: its script, its style and its networks as one HTML file, or as files for a web host."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from advprop_core.browser.network import PageNetwork
from advprop_core.errors import InputError
from advprop_core.files import versions, write_whole
from advprop_core.models.bundle import bundle_dir

_WASM = "ort-wasm-simd-threaded.wasm"
_LICENCES = "THIRD_PARTY.txt"
_TITLE = "AdvProp Lens"
_FORMAT = 2


def read_built(folder: Path | None = None) -> dict[str, bytes]:
    """The files that ``make page`` builds from ``app/web``, by name.

    ``lab.js.br`` is the Brotli form of ``lab.js``, and so on for those that it makes much smaller
    than gzip.

    Args:
        folder: Where they are; by default the folder that comes with the project.

    Raises:
        InputError: If one of them has not been built.
    """
    folder = folder or bundle_dir() / "app" / "web" / "dist"
    for name in ("lab.js", "lab.css", "worker.js", "sw.js", _WASM, _LICENCES):
        if not (folder / name).is_file():
            raise InputError(
                f"the page's scripts have not been built: {name} is missing. In a checkout, `make "
                "page` builds them; a wheel contains them"
            )
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@dataclass(frozen=True)
class Page:
    """What a page holds.

    Attributes:
        networks: In the order of the picker; the first is the one to begin with.
        built: The scripts and their like, see :func:`read_built`.
        lessons: What :func:`~advprop_core.browser.lessons.lesson_material` gives; None for a page
            without lessons.
        training: The network that is trained in the page; None for a page without.

    Raises:
        InputError: If two networks have the same name.
    """

    networks: Sequence[PageNetwork]
    built: Mapping[str, bytes]
    lessons: Mapping[str, Any] | None = None
    training: PageNetwork | None = None

    def __post_init__(self) -> None:
        names = [network.entry["name"] for network in self.networks]
        if len(set(names)) < len(names):
            raise InputError(
                f"each network of a page needs a name of its own, got {', '.join(names)}"
            )

    @property
    def assets(self) -> dict[str, bytes]:
        """Name to the bytes that scripts read."""
        assets = {"wasm": self.built[_WASM], "worker": self.built["worker.js"]}
        for network in self.networks:
            assets |= network.assets
        return assets | (self.training.assets if self.training else {})

    def write_one_file(self, out: Path) -> None:
        """Everything in one HTML file, which opens from a disk without a network connection."""
        assets = self.assets
        packed = "\n".join(
            f'<script type="text/plain" data-asset="{escape(name)}">'
            f"{base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()}</script>"
            for name, content in assets.items()
        )
        policy = (
            "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
            "style-src 'unsafe-inline'; img-src data: blob:; media-src blob:; worker-src blob:; "
            "connect-src blob: data:"
        )
        script, licences = (_in_script(self.built[name]) for name in ("lab.js", _LICENCES))
        body = (
            f"{self._manifest(assets, dict.fromkeys(assets))}\n"
            f"<script>{script}</script>\n{packed}\n"
            f'<script type="text/plain" id="third-party">{licences}</script>'
        )
        style = self.built["lab.css"].decode()
        write_whole(out, _html(policy, f"<style>{style}</style>", body))

    def write_split(self, folder: Path) -> None:
        """Files for a web host, in a new folder: each named by its content, and packed beside."""
        (folder / "assets").mkdir(parents=True, exist_ok=True)
        built, assets = self.built, self.assets
        files = {name: f"{name.replace(':', '-')}.bin" for name in assets}
        files |= {"wasm": _WASM, "worker": "worker.js"}
        urls = {name: self._put(folder, files[name], content) for name, content in assets.items()}
        script = self._put(folder, "lab.js", built["lab.js"])
        style = self._put(folder, "lab.css", built["lab.css"])
        policy = (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
            "img-src data: blob:; media-src blob:; worker-src 'self'; connect-src 'self'"
        )
        head = f'<link rel="stylesheet" href="{style}">'
        body = f'{self._manifest(assets, urls)}\n<script src="{script}"></script>'
        write_whole(folder / "sw.js", built["sw.js"])
        write_whole(folder / _LICENCES, built[_LICENCES])
        write_whole(folder / "index.html", _html(policy, head, body))
        _pack(folder / "index.html")

    def _put(self, folder: Path, name: str, content: bytes) -> str:
        """Write an asset under a name that changes with its content; gives its address.

        Weights have no Brotli form: at its best, in a minute, it makes them 5 % smaller than gzip.
        """
        stem, _, ending = name.rpartition(".")
        path = folder / "assets" / f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
        write_whole(path, content)
        _pack(path)
        if (brotli := self.built.get(f"{name}.br")) is not None:
            write_whole(path.with_name(f"{path.name}.br"), brotli)
        return f"assets/{path.name}"

    def _manifest(self, assets: Mapping[str, bytes], urls: Mapping[str, str | None]) -> str:
        """The element that the script reads first."""
        manifest = {
            "format": _FORMAT,
            "version": versions()["advprop-lens"] or "",
            "title": _TITLE,
            "assets": {
                name: {
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "url": urls[name],
                }
                for name, content in assets.items()
            },
            "networks": [network.entry for network in self.networks],
            "first": self.networks[0].first,
            "lessons": self.lessons,
            "training": self.training.entry if self.training else None,
        }
        text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
        # So that no text of it can end the element.
        text = text.replace("<", "\\u003c")
        return f'<script type="application/json" id="lab-manifest">{text}</script>'


def _html(policy: str, head: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_TITLE}</title>
{head}
</head>
<body>
<div id="lab"><p>This page is loading. If it stays so, the file is damaged: get it again.</p>
<noscript>This page needs JavaScript: the network runs in it.</noscript></div>
{body}
</body>
</html>
"""


def _in_script(text: bytes) -> str:
    return text.decode().replace("</script", "<\\/script")


def _pack(path: Path) -> None:
    write_whole(path.with_name(f"{path.name}.gz"), gzip.compress(path.read_bytes(), 9, mtime=0))
