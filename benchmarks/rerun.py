"""What a page costs when it has nothing new to show: one rerun with everything computed."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from benchmarks.timing import verdict

ROUNDS = 20
TARGET = 0.03  # seconds
_SCRIPT = Path(__file__).parents[1] / "streamlit_app.py"
_PAGES = ("playground", "maps", "anatomy", "robustness", "models")


def _empty() -> None:
    import streamlit as st

    st.title("Nothing")


def run(data: Path | None) -> dict[str, Any]:
    """Every page on its defaults, beside a page with a title alone: what Streamlit itself costs."""
    bare = _seconds(AppTest.from_function(_empty).run())
    print(f"  {'title alone':12} median {bare:.3f} s")
    result: dict[str, Any] = {"title alone": bare}
    for page in _PAGES:
        app = AppTest.from_file(_SCRIPT, default_timeout=300).run()
        seconds = _seconds(_settled(app.switch_page(f"app/{page}/page.py")))
        own = seconds - bare
        target = f"; target {TARGET} s: {verdict(own <= TARGET)}" if page == "playground" else ""
        print(f"  {page:12} median {seconds:.3f} s, {own:.3f} s of it ours{target}")
        result[page] = {"seconds": seconds, "ours": own}
    return result


def _settled(app: AppTest) -> AppTest:
    """Run until nothing is computed any more."""
    app.run()
    while app.get("progress"):
        jobs = [job for name, job in app.session_state.items() if name.startswith("work.")]
        wait([job.future for job in jobs], 300)
        app.run()
    return app


def _seconds(app: AppTest) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        app.run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
