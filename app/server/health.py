"""What an operator asks of a running server: whether it lives, whether it takes work, how much."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from streamlit.runtime.stats import CounterStat, GaugeStat, Stat

from advprop_core.models import bundle

_LEAST_DISK = 200_000_000  # bytes, for uploads and results
_LONG_QUEUE = 100  # jobs
_GAUGES = ("waiting", "running")


async def _alive(request: Request) -> JSONResponse:
    return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})


def _numbers() -> dict[str, float]:
    from app.shell import cache  # here: Streamlit's caches want its runtime to be there

    return cache.pool().numbers()


def _ready(request: Request) -> JSONResponse:
    problems = [
        problem
        for problem, is_there in (
            ("no network is here", not bundle.bundled_models()),
            ("the disk is full", shutil.disk_usage(tempfile.gettempdir()).free < _LEAST_DISK),
            ("too much work waits", _numbers()["waiting"] > _LONG_QUEUE),
        )
        if is_there
    ]
    content = {"status": "not ready" if problems else "ready", "problems": problems}
    return JSONResponse(content, 503 if problems else 200, headers={"Cache-Control": "no-store"})


class Numbers:
    """The pool's numbers, beside Streamlit's own at its metrics route."""

    stats_families = ("advprop_jobs", "advprop_jobs_now", "advprop_worker_seconds")

    def get_stats(self, family_names: Sequence[str] | None = None) -> Mapping[str, Sequence[Stat]]:
        """By family, as Streamlit asks for it."""
        ended = _numbers()
        now = {name: ended.pop(name) for name in _GAUGES}
        seconds = ended.pop("seconds")
        return {
            "advprop_jobs": [
                CounterStat("advprop_jobs", int(ended[name]), {"ended": name},
                            help="Jobs of the workers, by how they ended.")
                for name in sorted(ended)
            ],
            "advprop_jobs_now": [
                GaugeStat("advprop_jobs_now", int(count), {"state": name},
                          help="Jobs that wait for a worker, and that have one.")
                for name, count in now.items()
            ],
            "advprop_worker_seconds": [
                CounterStat("advprop_worker_seconds", int(seconds), unit="seconds",
                            help="What workers gave to jobs.")
            ],
        }  # fmt: skip


PROBES = {"/healthz": _alive, "/readyz": _ready}
"""The first answers while the process lives, the second while it should get new visitors.

Numbers are at Streamlit's ``/_stcore/metrics``.
"""
