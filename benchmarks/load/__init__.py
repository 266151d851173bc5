"""How long people wait when many use the app at once: real websocket sessions, a real server.

Everybody types another strength of the attack every four seconds. It is answered when its picture,
every branch's answers and the maps are on the page; what is replaced before that is no longer
looked at. Strengths are new to the server, or drawn from a few that all share. Patient people wait
for an answer before they type again.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.exceptions import WebSocketException

from benchmarks.load.answers import is_right, shown_strength
from benchmarks.load.visitor import Visitor, visit
from benchmarks.serving import Server, app_server

PAUSE = 4.0  # seconds from one change to the next
PATIENCE = 120.0  # seconds without an answer that count as an error
_WIDGET = "typed.epsilon"
_CHECKED = 40  # strengths whose answers are computed again
_WATCHED = 2.0  # seconds from one look at the server's memory to the next


@dataclass(frozen=True)
class Load:
    """What is asked of the server.

    Attributes:
        sessions: People at once.
        seconds: How long they go on, from when each of them sees a first answer.
        shared: How many strengths all of them choose from; 0 where each one is new.
        patient: Whether they wait for an answer, however long it takes.
    """

    sessions: int = 30
    seconds: float = 60.0
    shared: int = 0
    patient: bool = False


@dataclass
class Record:
    """What happened to everybody.

    Attributes:
        first_waits: Seconds until the first page.
        waits: Seconds from a change to its answer, of those that were answered.
        outdated: Seconds from when a page was no longer what its person asked until it was again.
        replaced: Changes that were replaced before they were answered.
        processor: Seconds of the cores that the server took, first pages left out.
        memory: Of the server, in MB, every two seconds.
        errors: What pages said in red, and how often.
        lost: Why a session ended.
        boards: Strength to what was shown for it.
        received: Bytes.
    """

    first_waits: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    outdated: list[float] = field(default_factory=list)
    replaced: int = 0
    processor: float = 0.0
    memory: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    boards: dict[float, dict[str, Any]] = field(default_factory=dict)
    received: int = 0


def run(data: Path | None) -> dict[str, Any]:
    """What `make bench ARGS=load` measures: 30 people with shared strengths, then with new ones."""
    return {"shared": measure(Load(shared=10)), "fresh": measure(Load())}


def measure(load: Load) -> dict[str, Any]:
    """Start a server, load it, and say what people saw."""
    with tempfile.TemporaryFile("w+") as log, app_server(log) as server:
        record = asyncio.run(_everybody(server, load))
        log.seek(0)
        record.errors.update(line for line in log if line.startswith("Traceback"))
    checked = random.Random(0).sample(sorted(record.boards), min(_CHECKED, len(record.boards)))
    wrong = [strength for strength in checked if not is_right(record.boards[strength], strength)]
    result = asdict(load) | {
        "first_wait": _quantiles(record.first_waits),
        "wait": _quantiles(record.waits),
        "outdated": _quantiles(record.outdated),
        "answers": len(record.waits),
        "replaced": record.replaced,
        "processor_seconds": record.processor,
        "answers_checked": len(checked),
        "wrong": wrong,
        "errors": dict(record.errors),
        "lost": record.lost,
        "memory_mb": record.memory,
        "received_mb": record.received / 1e6,
    }
    _tell(result)
    return result


async def _everybody(server: Server, load: Load) -> Record:
    record = Record()
    watching = asyncio.create_task(_watch_memory(server.process.pid, record))
    async with AsyncExitStack() as visits:
        numbers = range(load.sessions)
        people = await asyncio.gather(
            *(_enter(visits, server.address, load, number, record) for number in numbers)
        )
        before = _processor_seconds(server.process.pid)
        await asyncio.gather(
            *(
                _stay(person, strengths, PAUSE * number / load.sessions, load, record)
                for number, (person, strengths) in enumerate(filter(None, people))
            )
        )
        record.processor = _processor_seconds(server.process.pid) - before
    watching.cancel()
    return record


async def _enter(
    visits: AsyncExitStack, address: str, load: Load, number: int, record: Record
) -> tuple[Visitor, Iterator[float]] | None:
    """Open a link, and wait for its answer."""
    strengths = _strengths(load, number)
    first = next(strengths)
    try:
        link = {"v": "3", "epsilon": f"{first:g}"}
        person = await visits.enter_async_context(visit(address, link))
        record.first_waits.append(await _answer(person, first, record))
    except (TimeoutError, WebSocketException, OSError) as error:
        record.lost.append(f"session {number}, at first: {error!r}")
        return None
    return person, strengths


async def _stay(
    person: Visitor, strengths: Iterator[float], delay: float, load: Load, record: Record
) -> None:
    """Change the strength again and again; nobody is in step with others."""
    await asyncio.sleep(delay)
    end = time.monotonic() + load.seconds
    outdated_since: float | None = None
    try:
        while (started := time.monotonic()) < end:
            strength = next(strengths)
            await person.choose(_WIDGET, strength)
            outdated_since = outdated_since or started
            try:
                patience = PATIENCE if load.patient else PAUSE
                record.waits.append(await _answer(person, strength, record, patience))
                record.outdated.append(time.monotonic() - outdated_since)
                outdated_since = None
            except TimeoutError:
                record.replaced += 1
                if time.monotonic() - outdated_since > PATIENCE:
                    record.errors[f"no answer within {PATIENCE:g} s"] += 1
                    break
            await asyncio.sleep(max(0.0, started + PAUSE - time.monotonic()))
    except (WebSocketException, OSError) as error:
        record.lost.append(repr(error))
    record.errors.update(person.errors)
    record.received += person.received


async def _answer(
    person: Visitor, strength: float, record: Record, patience: float = PATIENCE
) -> float:
    """Wait for the whole answer to this strength, and keep it."""
    seconds = await person.until(lambda seen: shown_strength(seen.board) == strength, patience)
    assert person.board is not None
    record.boards[strength] = person.board
    return seconds


def _strengths(load: Load, number: int) -> Iterator[float]:
    """Strengths in 1/255, with the two decimals that the page says; none is repeated at once."""
    chance = random.Random(number)
    if not load.shared:
        # Every person's own: between 1 and 15, each but once.
        strengths = [hundredths / 100 for hundredths in range(100 + number, 1500, load.sessions)]
        while True:
            chance.shuffle(strengths)
            yield from strengths
    last, offered = 0.0, [1 + step / 2 for step in range(load.shared)]
    while True:
        last = chance.choice([strength for strength in offered if strength != last])
        yield last


def _processor_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def _watch_memory(pid: int, record: Record) -> None:
    server = psutil.Process(pid)
    while True:
        processes = [server, *server.children(recursive=True)]
        record.memory.append(sum(process.memory_info().rss for process in processes) / 1e6)
        await asyncio.sleep(_WATCHED)


def _quantiles(seconds: list[float]) -> dict[str, float]:
    waits = seconds or [np.nan]
    return {f"p{share}": float(np.percentile(waits, share)) for share in (50, 95, 100)}


def _tell(result: dict[str, Any]) -> None:
    kind = f"{result['shared']} shared strengths" if result["shared"] else "fresh strengths"
    memory, people = result["memory_mb"], "patient" if result["patient"] else "impatient"
    print(f"{result['sessions']} {people} sessions, {result['seconds']:g} s, {kind}")
    counts = f"{result['answers']}; {result['replaced']} replaced"
    for what, title in (
        ("wait", f"from a change to its answer ({counts})"),
        ("outdated", "from the first change to a page that is up to date"),
        ("first_wait", "to the first page"),
    ):
        p50, p95, most = result[what].values()
        print(f"  {title}: p50 {p50:.2f} s, p95 {p95:.2f} s, most {most:.2f} s")
    print(f"  wrong: {len(result['wrong'])} of {result['answers_checked']} computed again; "
          f"errors: {result['errors'] or 'none'}; lost: {result['lost'] or 'none'}")  # fmt: skip
    print(f"  processor of the server: {result['processor_seconds']:.1f} s, "
          f"{result['processor_seconds'] / max(1, result['answers']):.2f} s an answer")  # fmt: skip
    print(f"  memory of the server: {memory[len(memory) // 4]:.0f} MB after a quarter, "
          f"{memory[-1]:.0f} MB at the end, most {max(memory):.0f} MB")  # fmt: skip
