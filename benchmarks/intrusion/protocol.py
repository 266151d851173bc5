"""HTTP requests and websocket sessions as a stranger sends them, one after another."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterator

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.playground.view import PlaygroundView
from app.shell.view import rules
from benchmarks.intrusion import LINK, Outcome, Target
from benchmarks.load.answers import shown_strength
from benchmarks.load.visitor import Visitor, visit

SOON = 180.0  # seconds; what is attacked may be busy
ROOTS = ("/", "/lab/", "/media/", "/static/", "/component/", "/app/static/", "/_stcore/",
         "/_stcore/bidi-components/")  # fmt: skip
UPS = ("../", "..%2f", "%2e%2e/", "..\\", "....//", "%252e%252e%252f", "/")
FILES = ("etc/passwd", "proc/self/environ", "advprop_core/errors.py")
HOSTILE = ("../../../../etc/passwd", "folder:../../../../etc/passwd", "x" * 100_000, "nan", "inf",
           "-1e999", "\0", "<img src=//evil.example>")  # fmt: skip


def ask(
    address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and content; the path is sent as it is written."""
    connection = http.client.HTTPConnection(address, timeout=SOON)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    received: dict[str, str] = {}
    for name, value in answer.getheaders():  # of cookies there are several
        received[name.lower()] = "; ".join([*filter(None, [received.get(name.lower())]), value])
    content = answer.status, received, answer.read()
    connection.close()
    return content


def climb(target: Target) -> Outcome:
    """Paths that lead out of every route, to files of the system and of the project."""
    answers: Counter[str] = Counter()
    read = False
    for root, up, file in itertools.product(ROOTS, UPS, FILES):
        status, _, content = ask(target.address, f"{root}{up * 8}{file}")
        answers[str(status)] += 1
        read |= any(word in content for word in (b"root:", b"PATH=", b"class AdvPropError"))
    return Outcome(answers.total(), dict(answers), not read, "no content of a file came back")


def ask_for_numbers(target: Target) -> Outcome:
    """What is for the operator alone, also by other spellings of its address."""
    paths = ("/_stcore/metrics", "/readyz", "/%5fstcore/metrics", "//_stcore//metrics",
             "/x/../_stcore/metrics", "/_stcore/metrics/", "/_STCORE/METRICS")  # fmt: skip
    answers: Counter[str] = Counter()
    read = False
    for path in paths:
        status, _, content = ask(target.address, path)
        answers[str(status)] += 1
        read |= b"advprop_jobs" in content or b'"problems"' in content
    return Outcome(len(paths), dict(answers), not read)


def name_otherwise(target: Target) -> Outcome:
    """Another name for the server, and pages of other sites that open a session."""
    answers: Counter[str] = Counter()
    for host in ("evil.example", "localhost.evil.example", "evil.example:8501"):
        answers[str(ask(target.address, "/", Host=host)[0])] += 1
        answers[_open(target.address, additional_headers={"Host": host})] += 1
    answers[_open(target.address, origin="http://evil.example")] += 1
    held = not {"200", "opened"} & answers.keys()
    return Outcome(answers.total(), dict(answers), held)


def _open(address: str, **options: object) -> str:
    try:
        with open_session(address, **options):
            return "opened"
    except InvalidStatus as error:
        return f"websocket {error.response.status_code}"


@contextlib.contextmanager
def open_session(address: str, **options: object) -> Iterator[ClientConnection]:
    """A websocket that sends what it likes."""
    sent = {"origin": f"http://{address}", "subprotocols": ["streamlit"], **options}
    url = f"ws://{address}/_stcore/stream"
    with connect(url, max_size=None, close_timeout=0.5, **sent) as socket:
        yield socket


def begin(socket: ClientConnection) -> str:
    """Ask for the page, and wait until it is drawn; the id of the session."""
    socket.send(BackMsg(rerun_script={}).SerializeToString())
    session = ""
    while True:
        message = ForwardMsg.FromString(socket.recv(SOON))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            session = str(message.new_session.initialize.session_id)
        elif kind == "script_finished":
            return session


def talk_garbage(target: Target) -> Outcome:
    """What is no message, and messages that are too large."""
    large = BackMsg(rerun_script={"query_string": "x" * 3_000_000}).SerializeToString()
    answers: Counter[str] = Counter()
    for message in ("text", b"\xff" * 1000, b"\x00", b"", large, bytes(60_000_000)):
        with open_session(target.address) as socket:
            try:
                socket.send(message)
                while True:
                    socket.recv(5)
            except ConnectionClosed:
                answers["session ended"] += 1
            except TimeoutError:
                answers["ignored"] += 1
    return Outcome(answers.total(), dict(answers), held=True)


def send_odd_frames(target: Target) -> Outcome:
    """What Streamlit does for any browser that asks: clear caches of all, shut down, install."""
    install = BackMsg()
    install.backend_operation_request.install_skills.SetInParent()
    frames = [BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), install,
              BackMsg(load_git_info=True), BackMsg(debug_shutdown_runtime=True),
              BackMsg(debug_disconnect_websocket=True), BackMsg()]  # fmt: skip
    with open_session(target.address) as socket:
        begin(socket)
        before = _pools(target)
        for frame in [*frames, BackMsg(app_heartbeat=True)]:
            socket.send(frame.SerializeToString())
        kinds = {""}
        while "heartbeat_ack" not in kinds:
            message = ForwardMsg.FromString(socket.recv(SOON))
            kinds.add(str(message.WhichOneof("type")))
    obeyed = kinds & {"git_info_changed", "backend_operation_response"}
    held = not obeyed and before == _pools(target)
    note = "caches and workers are those from before"
    return Outcome(
        len(frames), {"no answer": len(frames) - len(obeyed)}, held, note if held else ""
    )


def _pools(target: Target) -> list[bytes]:
    """How often each process made its workers."""
    pools = b'app.shell.cache.pool",cache_type="st_cache_resource",result="miss"'
    return [
        line
        for process in target.processes
        for line in ask(process, "/_stcore/metrics")[2].splitlines()
        if pools in line
    ]


def link_oddly(target: Target) -> Outcome:
    """Each parameter of a link in turn, with each hostile value."""
    answers: Counter[str] = Counter()

    async def open_link(name: str, value: str, turn: asyncio.Semaphore) -> None:
        async with turn, visit(target.address, {**LINK, name: value}) as person:
            await person.until(_is_drawn, SOON)
            answers["; ".join(error[:80] for error in person.errors) or "a page"] += 1

    async def open_links() -> None:
        turn = asyncio.Semaphore(4)
        links = itertools.product(rules(PlaygroundView), HOSTILE)
        await asyncio.gather(*(open_link(name, value, turn) for name, value in links))

    asyncio.run(open_links())
    held = not any("bug" in answer or "root:" in answer for answer in answers)
    return Outcome(answers.total(), dict(answers), held)


def _is_drawn(person: Visitor) -> bool:
    return person.runs > 0


def choose_oddly(target: Target) -> Outcome:
    """Numbers that no widget gives, and then one that it does."""
    odd = (math.nan, math.inf, -math.inf, -5.0, 1e308)

    async def choose() -> list[str]:
        async with visit(target.address, LINK) as person:
            await person.until(lambda seen: shown_strength(seen.board) is not None, SOON)
            for value in odd:
                await person.choose("typed.epsilon", value)
            await person.choose("typed.epsilon", 2.0)
            await person.until(lambda seen: shown_strength(seen.board) == 2.0, SOON)
            return person.errors

    errors = asyncio.run(choose())
    return Outcome(len(odd), {"a page": len(odd)}, not errors, "; ".join(errors))


def leave_work_behind(target: Target) -> Outcome:
    """People who ask for something new, and are gone before it is there."""
    people, start = 60, time.monotonic()

    async def leave(number: int) -> None:
        link = {**LINK, "steps": "50", "epsilon": f"{4 + number / 100:g}"}
        async with visit(target.address, link) as person:
            await person.until(_is_drawn, SOON)

    async def come() -> None:
        await asyncio.gather(*map(leave, range(people)))

    asyncio.run(come())
    most = waiting = _unfinished(target)
    while waiting and time.monotonic() - start < 300:
        time.sleep(1)
        waiting = _unfinished(target)
    note = f"{most} jobs were left; after {time.monotonic() - start:.0f} s there was none"
    return Outcome(people, {"given up": people}, not waiting, note)


def _unfinished(target: Target) -> int:
    return sum(
        int(float(line.split()[-1]))
        for process in target.processes
        for line in ask(process, "/_stcore/metrics")[2].splitlines()
        if line.startswith(b"advprop_jobs_now{")
    )
