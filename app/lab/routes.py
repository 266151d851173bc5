"""The lab's address on the app's own server: ``/lab/``."""

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.lab.site import Site

ADDRESS = "/lab/"
_AGAIN = 3  # seconds after which the waiting page asks again
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
# A file named by its content never changes; the page that names it does.
_FOREVER, _ASK = "public, max-age=31536000, immutable", "no-cache"
_PACKED = {"br": ".br", "gzip": ".gz"}  # the smallest first


def routes(site: Site | None = None) -> list[BaseRoute]:
    """Serve a site, by default the lab with the network of ``make page``."""
    lab = site or Site()

    def serve(request: Request) -> Response:
        files = lab.files()
        name = request.path_params["path"] or "index.html"
        if not files:
            return _not_yet(lab.begin())
        if name not in files:
            return Response("There is no such file.", 404, media_type="text/plain")
        return _file(name, files, request.headers.get("accept-encoding", ""))

    # Addresses in the page are relative to its own, which therefore ends in a slash.
    redirect = Route(ADDRESS.rstrip("/"), lambda request: RedirectResponse(ADDRESS))
    return [redirect, Route(ADDRESS + "{path:path}", serve)]


def _file(name: str, files: dict[str, Path], accepted: str) -> Response:
    headers = {
        "Vary": "Accept-Encoding",
        "Cache-Control": _FOREVER if name.startswith("assets/") else _ASK,
    }
    path = files[name]
    for encoding, ending in _PACKED.items():
        if encoding in accepted and name + ending in files:
            path = files[name + ending]
            headers["Content-Encoding"] = encoding
            break
    kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
    return FileResponse(path, headers=headers, media_type=kind)


def _not_yet(problem: str | None) -> Response:
    """Not a status of success: a service worker must not keep it in the lab's place."""
    refresh = "" if problem else f'<meta http-equiv="refresh" content="{_AGAIN}">'
    sentence = problem or (
        "The lab is being written: networks that run in your browser. This takes a minute or "
        "two, once. The page opens by itself."
    )
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}
<title>AdvProp Lens: the lab</title>
<style>
body {{ max-width: 34rem; margin: 15vh auto; padding: 0 1rem; font: 1.125rem/1.5 system-ui; }}
</style>
</head>
<body>
<h1>The lab</h1>
<p role="status">{escape(sentence)}</p>
</body>
</html>
"""
    return HTMLResponse(page, 503, {"Retry-After": str(_AGAIN), "Cache-Control": "no-store"})
