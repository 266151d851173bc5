"""A server that is killed and started again: links show what they showed before."""

import asyncio
import os
import signal
import sys
from urllib.parse import urlsplit

import psutil

from benchmarks.load.answers import shown_strength
from benchmarks.load.visitor import visit

LINK = {"v": "3", "model": "tiny-advprop", "image": "scene:2", "steps": "2", "epsilon": "5.5"}
SOON = 240  # torch is loaded in it, on machines that may be busy


def test_after_a_kill_the_same_link_gives_the_same_bits(serve_app, tiny_models, tmp_path):
    boards = []
    for how in (signal.SIGKILL, signal.SIGTERM):
        with serve_app(
            [sys.executable, "-m", "advprop_core.cli"],
            *("--public", "--model", tiny_models["tiny-advprop"]),
            env={"XDG_CACHE_HOME": str(tmp_path)},
        ) as url:
            port = str(urlsplit(url).port)
            boards.append(asyncio.run(look(urlsplit(url).netloc)))
            alive = (p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE)
            (server,) = [process for process in alive if port in process.cmdline()]
            os.kill(server.pid, how)
    assert boards[0] == boards[1]


async def look(address):
    """All that stands at a glance on the Playground, pictures and maps included."""
    async with visit(address, LINK) as person:
        await person.until(lambda seen: shown_strength(seen.board) == 5.5, SOON)
        assert not person.errors
        assert person.board is not None
        assert all(branch["answers"] for branch in person.board["branches"])
        return person.board
