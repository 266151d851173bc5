"""The lab beside the app: written once, said to be on its way, served packed."""

import os
import threading

import pytest
from starlette.requests import Request

from advprop_core.errors import InputError
from app.lab import site as sites
from app.lab import start
from app.lab.routes import routes


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A site in an empty cache, with all that it needs."""
    monkeypatch.setattr(sites, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    monkeypatch.setattr(sites, "missing", lambda: None)
    return sites.Site(("--model", "tiny"))


def ask(lab, path="", accepted=""):
    scope = {"type": "http", "path_params": {"path": path}}
    headers = [(b"accept-encoding", accepted.encode())]
    return routes(lab)[1].endpoint(Request({**scope, "headers": headers}))


def finish(lab):
    lab._thread.join(20)
    assert not lab._thread.is_alive()


def test_it_is_written_once_and_a_page_waits_for_it(lab, monkeypatch):
    written, may_end = [], threading.Event()

    def write(*arguments):
        written.append(arguments[:-1])
        may_end.wait(20)
        (arguments[-1] / "assets").mkdir(parents=True)
        for name in ("index.html", "assets/lab.1.js", "assets/lab.1.js.gz", "assets/lab.1.js.br"):
            (arguments[-1] / name).write_text(name)

    monkeypatch.setattr(sites, "write", write)
    old, young = (lab.folder.with_name(f"lab-of-{age}") for age in ("last-year", "today"))
    for other in (old, young):
        other.mkdir(parents=True)
    os.utime(old, (0, 0))
    first, second = ask(lab), ask(lab)
    may_end.set()
    assert first.status_code == second.status_code == 503  # no service worker keeps it
    assert b"http-equiv" in first.body
    finish(lab)
    assert written == [("--model", "tiny", "--split", "--out")]
    assert {*lab.folder.parent.iterdir()} == {lab.folder, young}

    assert ask(lab).path.name == "index.html"
    script = "assets/lab.1.js"
    for accepted, ending in (("gzip, br", ".br"), ("gzip", ".gz"), ("", "")):
        answer = ask(lab, script, accepted)
        assert answer.path == lab.folder / f"{script}{ending}"
        assert answer.media_type == "text/javascript"
        assert answer.headers.get("content-encoding", "") == {".br": "br", ".gz": "gzip"}.get(
            ending, ""
        )
    assert ask(lab, "../../secret").status_code == 404


def test_what_stands_in_the_way_is_said_once_and_then_tried_again(lab, monkeypatch):
    tried = []

    def write(*arguments):
        tried.append(arguments)
        raise InputError("tiny: this network cannot run in a browser")

    monkeypatch.setattr(sites, "write", write)
    ask(lab)
    finish(lab)
    waiting_page = ask(lab).body.decode()
    assert "The lab cannot be written: tiny: this network cannot run in a browser." in waiting_page
    assert "http-equiv" not in waiting_page
    assert len(tried) == 1
    assert b"http-equiv" in ask(lab).body
    finish(lab)
    assert len(tried) == 2


def test_a_missing_extra_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sites, "find_spec", lambda name: None)
    assert "pip install 'advprop-lens[page]'" in (sites.missing() or "")


def test_addresses_are_those_that_are_listened_to(monkeypatch):
    monkeypatch.setattr(start, "_on_the_network", lambda: "10.0.0.7")
    assert [*start.addresses("127.0.0.1", 8501).values()] == ["http://127.0.0.1:8501"]
    assert [*start.addresses("0.0.0.0", 8501).values()] == [
        "http://localhost:8501",
        "http://10.0.0.7:8501",
    ]
