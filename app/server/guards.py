"""What no visitor may do, whatever their browser sends; each is a layer around Streamlit's own app.

Streamlit lets every browser clear the caches of all, ask for the server's git branch, and have
files written that help to develop it. It keeps as many files as are sent, and checks the name that
it was called by for websockets alone.
"""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import get_instance
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from app.server import health

_FRAMES = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request"}
_OPERATIONS = {"deferred_file", "dataframe_chunk"}
_UPLOADS = "/_stcore/upload_file/"
_MACHINE = socket.gethostname().lower()
_MOST_SESSIONS = 300  # open pages
_MOST_FILES = 20  # of one session, which it sent and has not taken away
_MOST_BYTES = 100_000_000  # of these
_MOST_BYTES_OF_ALL = 1_000_000_000  # of all sessions together
_REFUSED, _FULL = 1008, 1013  # codes of a websocket: against the rules; try again later


@dataclass(frozen=True)
class OnlyKnownNames:
    """Answers only who calls the server by a name of its own.

    Without it, a page of somebody else's could give its own name this server's address, and read
    what a browser on this network may see. Such a page has a name, so plain addresses are taken.
    What watches the process calls it by whatever address it has: the health addresses answer all.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "lifespan"
            or scope["path"] in health.PROBES
            or is_own_name(Headers(scope=scope).get("host"))
        ):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            sentence = "This server has another name. Its operator can add this one with --host.\n"
            await PlainTextResponse(sentence, 421)(scope, receive, send)
        else:
            await receive()  # the wish to connect
            await send({"type": "websocket.close", "code": _REFUSED})


def is_own_name(host: str | None) -> bool:
    """Whether a Host header names this server: as ``server.allowedHosts`` says, where it does."""
    if st.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name in ("localhost", _MACHINE, f"{_MACHINE}.local")
    return True


@dataclass
class OnlyNeededFrames:
    """Passes on the messages that pages need, and no more sessions than the server takes."""

    app: ASGIApp
    sessions: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        if self.sessions >= _MOST_SESSIONS:
            await receive()  # the wish to connect
            await send({"type": "websocket.close", "code": _FULL})
            return

        async def receive_needed() -> Message:
            while not _is_needed(message := await receive()):
                pass
            return message

        self.sessions += 1
        try:
            await self.app(scope, receive_needed, send)
        finally:
            self.sessions -= 1


@dataclass(frozen=True)
class BoundedUploads:
    """Refuses files beyond what the server keeps for one session, and for all."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_upload = scope["type"] == "http" and scope["method"] == "PUT"
        if is_upload and _UPLOADS in scope["path"] and _is_full(scope):
            sentence = "Too many files: remove some first.\n"
            await PlainTextResponse(sentence, 429)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_full(scope: Scope) -> bool:
    session = scope["path"].partition(_UPLOADS)[2].partition("/")[0]
    file_storage = get_instance().uploaded_file_mgr.file_storage  # type: ignore[attr-defined] # in memory
    # Lists, for other threads may change both meanwhile.
    sizes = {
        name: [len(file.data) for file in list(files.values())]
        for name, files in list(file_storage.items())
    }
    mine, coming = sizes.get(session, []), int(Headers(scope=scope).get("content-length") or 0)
    return (
        len(mine) >= _MOST_FILES
        or sum(mine) + coming > _MOST_BYTES
        or sum(map(sum, sizes.values())) + coming > _MOST_BYTES_OF_ALL
    )


def _is_needed(message: Message) -> bool:
    if message["type"] != "websocket.receive" or message.get("bytes") is None:
        return True  # text is Streamlit's to refuse
    try:
        frame = BackMsg.FromString(message["bytes"])
    except DecodeError:
        return True  # Streamlit ends the session
    kind = frame.WhichOneof("type")
    if kind == "backend_operation_request":
        return frame.backend_operation_request.WhichOneof("payload") in _OPERATIONS
    return kind in _FRAMES


# -- what a browser may do with the pages of this server ------------------------------------------

# Streamlit's pages make scripts and styles of text, and show pictures that they hold themselves.
# Nothing comes from elsewhere: no picture, no script, no connection.
_CONTENT = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-ancestors": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{what} {where}" for what, where in _CONTENT.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",  # an address of a page holds what was chosen on it
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class SecurityHeaders:
    """Adds :data:`HEADERS` to every answer that does not have them."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
