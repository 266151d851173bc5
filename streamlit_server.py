"""What `advprop app` starts: Streamlit with the app's pages, the lab at /lab/, and its guards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit.runtime import get_instance

from app.lab.routes import routes as lab_routes
from app.lab.start import announce
from app.server import guards, health, logs
from app.shell.public import is_public


@asynccontextmanager
async def begin(server: st.App) -> AsyncIterator[None]:
    """What happens once the server listens."""
    get_instance().stats_mgr.register_provider(health.Numbers())
    if is_public():
        logs.begin()
    async with announce(server):
        yield


def open_first(request: Request) -> RedirectResponse:
    """Streamlit gives the first page no name of its own; who writes one finds it all the same."""
    return RedirectResponse(f"./?{request.url.query}")


server = st.App(
    Path(__file__).with_name("streamlit_app.py"),
    routes=[
        Route("/playground", open_first),
        *(Route(path, probe) for path, probe in health.PROBES.items()),
        *lab_routes(),
    ],
    lifespan=begin,
    middleware=[
        Middleware(guards.SecurityHeaders),
        Middleware(guards.OnlyKnownNames),
        Middleware(guards.OnlyNeededFrames),
        Middleware(guards.BoundedUploads),
    ],
)
