"""A person with a browser, without the browser: one websocket session in Streamlit's protocol.

Like the browser it keeps large messages and names their hashes, asks again for what polls, and
answers nothing that was not on the page. Like a person it changes one widget and looks at the page.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

_PATH = "/_stcore/stream"
_LARGEST = 200_000_000  # bytes of a message, as Streamlit's own limit
_KEPT_RUNS = 2  # runs of the script after which the browser drops a message that is not drawn
_FINISHED = "script_finished", ForwardMsg.FINISHED_SUCCESSFULLY


class Visitor:
    """One session.

    Attributes:
        board: What stands at a glance on the Playground, as its element was told last.
        errors: Every sentence that the page showed in red, and every exception.
        received: Bytes so far.
        runs: How often the page was drawn to its end.
    """

    def __init__(self, socket: ClientConnection, parameters: dict[str, str]) -> None:
        self._socket = socket
        self._query = urlencode(parameters)
        self._page = ""
        self._kept: dict[str, tuple[ForwardMsg, int]] = {}  # hash to message and when it was used
        self.runs = 0
        self._widgets: dict[str, str] = {}  # key to id
        self._chosen: dict[str, float] = {}  # id to what this person set
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self.board: dict[str, Any] | None = None
        self.errors: list[str] = []
        self.received = 0
        self._listening = asyncio.create_task(self._listen())

    async def begin(self) -> None:
        """Open the page."""
        await self._rerun()

    async def choose(self, widget: str, value: float) -> None:
        """Set a widget that holds one number, by its key, and have the page drawn anew."""
        self._chosen[self._widgets[widget]] = value
        await self._rerun()

    async def until(self, seen: Callable[[Visitor], bool], patience: float) -> float:
        """Seconds until this is seen on the page.

        Raises:
            TimeoutError: Where patience ends before.
            ConnectionClosed: Where the session does.
        """
        start = time.perf_counter()
        async with asyncio.timeout(patience):
            while not seen(self):
                if self._listening.done():
                    self._listening.result()
                self._news.clear()
                await self._news.wait()
        return time.perf_counter() - start

    def leave(self) -> None:
        """Look at nothing any more."""
        self._listening.cancel()
        self._stop_polling()

    async def _listen(self) -> None:
        try:
            while True:
                self._hear(await self._socket.recv())
        finally:
            self._news.set()

    def _hear(self, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        self.received += len(data)
        message = ForwardMsg.FromString(data)
        if message.WhichOneof("type") == "ref_hash":
            message, _ = self._kept[message.ref_hash]
            self._kept[message.hash] = message, self.runs
        elif message.metadata.cacheable:
            self._kept[message.hash] = message, self.runs
        self._take_in(message)
        self._news.set()

    def _take_in(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._stop_polling()
        elif (kind, message.script_finished) == _FINISHED:
            self.runs += 1
        elif kind == "page_info_changed":  # the app writes its view into the address
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            name = message.auto_rerun.fragment_id
            task = asyncio.create_task(self._poll(name, message.auto_rerun.interval))
            self._polls[name] = task
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._look_at(message.delta.new_element)

    def _look_at(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(element.exception.message)
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(element.alert.body)
        elif kind == "number_input":
            # `$$ID-<hash>-<key>`: the part that Streamlit calls the user key.
            self._widgets[element.number_input.id.split("-", 2)[2]] = element.number_input.id
        elif kind == "bidi_component" and element.bidi_component.component_name == "advprop_board":
            self.board = json.loads(element.bidi_component.json)

    async def _poll(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._rerun(fragment)

    def _stop_polling(self) -> None:
        for task in self._polls.values():
            task.cancel()
        self._polls.clear()

    async def _rerun(self, fragment: str = "") -> None:
        self._kept = {  # here alone: what the server was told is kept must be there
            name: (kept, used)
            for name, (kept, used) in self._kept.items()
            if self.runs - used <= _KEPT_RUNS
        }
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_script_hash = self._page
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        state.cached_message_hashes.extend(self._kept)
        for name, value in self._chosen.items():
            widget = state.widget_states.widgets.add(id=name)
            widget.double_value = value
        await self._socket.send(message.SerializeToString())


@asynccontextmanager
async def visit(address: str, parameters: dict[str, str]) -> AsyncIterator[Visitor]:
    """Open the app at ``host:port`` with these parameters; the visit ends with the block."""
    subprotocols = ["streamlit"]
    url = f"ws://{address}{_PATH}"
    async with connect(
        url, subprotocols=subprotocols, max_size=_LARGEST, origin=f"http://{address}"
    ) as socket:
        person = Visitor(socket, parameters)
        try:
            await person.begin()
            yield person
        finally:
            person.leave()
