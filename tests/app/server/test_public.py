"""A public server under attack: what is refused, and that others notice nothing.

The attacks are listed in docs/deploy.md.
"""

import asyncio
import http.client
import itertools
import math
import sys
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.server import guards
from benchmarks.load.answers import shown_strength
from benchmarks.load.visitor import visit as join
from tests.app.visiting import png

SOON = 60
LINK = {"v": "3", "model": "tiny-advprop", "image": "scene:2", "steps": "1"}


@pytest.fixture(scope="module")
def address(serve_app, tiny_models, tmp_path_factory):
    """Of a public server with a tiny network."""
    home = {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}
    command = [sys.executable, "-m", "advprop_core.cli"]
    with serve_app(command, "--public", "--model", tiny_models["tiny-advprop"], env=home) as url:
        yield urlsplit(url).netloc


def ask(address, path, method="GET", body=None, **sent):
    """Status, headers and content; the path is sent as it is written."""
    connection = http.client.HTTPConnection(address, timeout=SOON)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in sent.items()})
    answer = connection.getresponse()
    content = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return content


def open_socket(address, **options):
    options = {"origin": f"http://{address}", "subprotocols": ["streamlit"], **options}
    # What was not read keeps the client from hearing that the server closes, too.
    return connect(f"ws://{address}/_stcore/stream", max_size=None, close_timeout=0.5, **options)


def session_of(socket):
    """The id of the session, from the first message of a page."""
    socket.send(rerun())
    while True:
        message = ForwardMsg.FromString(socket.recv(SOON))
        if message.WhichOneof("type") == "new_session":
            return message.new_session.initialize.session_id


def hear(socket, last):
    """Kinds of the messages that come, up to one of this kind."""
    kinds = [None]
    while kinds[-1] != last:
        kinds.append(ForwardMsg.FromString(socket.recv(SOON)).WhichOneof("type"))
    return {*kinds}


def rerun(query="", **fields):
    message = BackMsg()
    message.rerun_script.query_string = query
    for name, value in fields.items():
        setattr(message.rerun_script, name, value)
    return message.SerializeToString()


def play(address, strengths=(3.0, 5.5), link=LINK):
    """What a person sees who types these strengths, and what their page says in red."""

    async def visit():
        async with join(address, link) as person:
            await person.until(lambda seen: shown_strength(seen.board) is not None, SOON)
            seen = []
            for strength in strengths:
                await person.choose("typed.epsilon", strength)
                if 0 <= strength <= 16:
                    await person.until(lambda at: shown_strength(at.board) == strength, SOON)  # noqa: B023
                    seen.append(strength)
            return seen, person.errors

    return asyncio.run(visit())


def test_a_session_speaks_streamlits_protocol_and_gets_the_answers_it_asked_for(address):
    assert play(address) == ([3.0, 5.5], [])


def test_a_server_says_how_it_is_and_what_its_pages_may_do(address):
    for path, words in (("/healthz", b"alive"), ("/readyz", b'"ready"'), ("/", b"<html")):
        status, sent, content = ask(address, path)
        assert status == 200
        assert words in content
        assert {name.lower() for name in guards.HEADERS} <= {name.lower() for name in sent}
    for path in ("/healthz", "/readyz"):  # whoever watches it does not know its name
        assert ask(address, path, Host="probe.example")[0] == 200
    status, sent, _ = ask(address, "/playground?model=tiny-advprop")  # the first page has no name
    assert (status, sent["location"]) == (307, "./?model=tiny-advprop")
    _, _, numbers = ask(address, "/_stcore/metrics")
    assert b'advprop_jobs_total{ended="done"}' in numbers
    assert b'advprop_jobs_now{state="waiting"} 0' in numbers


def test_no_path_leads_to_a_file_of_the_server(address):
    roots = ("/", "/lab/", "/media/", "/static/", "/component/", "/app/static/", "/_stcore/")
    ups = (
        "../" * 8,
        "..%2f" * 8,
        "%2e%2e/" * 8,
        "..\\" * 8,
        "....//" * 8,
        "%252e%252e%252f" * 8,
        "/",
    )
    for root, up in itertools.product(roots, ups):
        status, _, content = ask(address, f"{root}{up}etc/passwd")
        assert b"root:" not in content, (root, up)
        assert status in (200, 307, 400, 404, 503), (root, up)  # 200 is Streamlit's own page


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8501", ""]
)
def test_a_name_that_is_not_the_servers_gets_no_answer(address, host):
    assert ask(address, "/", Host=host)[0] in (400, 421)
    with (
        pytest.raises(InvalidStatus),
        open_socket(address, additional_headers={"Host": host or "x"}),
    ):
        pass


def test_a_page_of_another_site_opens_no_session(address):
    with pytest.raises(InvalidStatus), open_socket(address, origin="http://evil.example"):
        pass


def test_garbage_ends_its_own_session_alone(address):
    garbage = ["text", b"\xff" * 1000, b"\x00", rerun(query="x" * 3_000_000)]
    with open_socket(address) as other:
        session_of(other)
        for message in garbage:
            with open_socket(address) as socket:
                socket.send(message)
                with pytest.raises(ConnectionClosed):
                    hear(socket, "nothing that is ever sent")
        other.send(rerun())
        assert other.recv(SOON)


def test_what_a_browser_may_not_ask_of_the_server_changes_nothing(address):
    frames = [
        BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), BackMsg(load_git_info=True),
        BackMsg(debug_shutdown_runtime=True), BackMsg(debug_disconnect_websocket=True), BackMsg(),
    ]  # fmt: skip
    install = BackMsg()
    install.backend_operation_request.install_skills.SetInParent()
    _, _, before = ask(address, "/_stcore/metrics")
    with open_socket(address) as socket:
        session_of(socket)
        for frame in [*frames, install]:
            socket.send(frame.SerializeToString())
        socket.send(BackMsg(app_heartbeat=True).SerializeToString())
        kinds = hear(socket, "heartbeat_ack")
        assert kinds.isdisjoint({"git_info_changed", "backend_operation_response"})
    pools = b'app.shell.cache.pool",cache_type="st_cache_resource",result="miss"} '
    made = [
        next(line for line in text.splitlines() if pools in line)
        for text in (before, ask(address, "/_stcore/metrics")[2])
    ]
    assert made[0] == made[1], "there is still one pool of workers"


def test_hostile_links_and_values_give_a_page_and_no_defect(address):
    odd = ["../../../../etc/passwd", "x" * 100_000, "nan", "inf", "-1e999", "\0", "<img src=//e>"]
    for value in odd:
        seen, errors = play(address, (), {**LINK, "image": "photo:coffee", "epsilon": value})
        assert (seen, errors) == ([], [])
    seen, errors = play(address, (math.nan, math.inf, -5.0, 1e308, 2.0))
    assert (seen, errors) == ([2.0], [])


def test_files_are_few_small_and_the_sessions_own(address):
    body, kind = multipart("a.png", png((64, 64)))
    with open_socket(address) as socket:
        session = session_of(socket)
        token = ask(address, "/_stcore/health")[1]["set-cookie"].split(";")[0]
        xsrf = {"Cookie": token, "X_Xsrftoken": token.partition("=")[2], "Content_Type": kind}

        def put(session, name, body=body):
            return ask(address, f"/_stcore/upload_file/{session}/{name}", "PUT", body, **xsrf)[0]

        assert ask(address, f"/_stcore/upload_file/{session}/0", "PUT", body)[0] == 403
        assert put("of-nobody", "0") == 400
        assert [put(session, name) for name in ("..%2fetc", "a%00b")] == [400, 204]
        assert [put(session, name) for name in range(1, 20)] == [204] * 19
        assert put(session, 20) == 429
        assert ask(address, f"/_stcore/upload_file/{session}/1", "DELETE", **xsrf)[0] == 204
        assert put(session, 20) == 204
    with open_socket(address) as socket:
        large, _ = multipart("large.png", bytes(25_000_000))
        assert put(session_of(socket), "0", large) == 413


def multipart(name, data):
    boundary = "b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return (
        head.encode() + data + f"\r\n--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
    )
