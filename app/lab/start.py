"""What happens once the server listens: addresses are said, and a browser opens."""

import asyncio
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from app.lab.routes import ADDRESS


@asynccontextmanager
async def announce(server: st.App) -> AsyncIterator[None]:
    """Say where the lab is. ``streamlit run`` opens no browser for a server with routes."""
    hosts = addresses(st.get_option("server.address"), st.get_option("server.port"))
    for network, host in hosts.items():
        print(f"  The lab, {network}: {host}{ADDRESS}", flush=True)  # noqa: T201, as Streamlit does
    if not st.get_option("server.headless"):
        asyncio.get_running_loop().run_in_executor(
            None, webbrowser.open, next(iter(hosts.values()))
        )
    yield


def addresses(host: str, port: int) -> dict[str, str]:
    """Where a server is reached: what from, to the address."""
    if host != "0.0.0.0":
        return {"on this machine": f"http://{host}:{port}"}
    hosts = {"on this machine": f"http://localhost:{port}"}
    if (network := _on_the_network()) is not None:
        hosts["on this network, a phone too"] = f"http://{network}:{port}"
    return hosts


def _on_the_network() -> str | None:
    """This machine's address on its network; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documents; nothing is sent
        except OSError:
            return None
        return str(probe.getsockname()[0])
