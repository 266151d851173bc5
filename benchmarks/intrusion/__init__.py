"""Attacks on a public server that runs: what was tried, what came back, what others noticed.

The server, or the proxy before it, must be there already: the same attacks are then tried on what
visitors reach. Each attack says whether it was held off. After each of them a person who was there
from the start asks for something new, and must get the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load.answers import shown_strength
from benchmarks.load.visitor import Visitor, visit

PATIENCE = 180.0  # seconds that the person waits for an answer
LINK = {"v": "3", "model": "shapes-advprop", "image": "scene:2", "steps": "1"}
"""A small network that answers at once, and a picture that it knows."""


@dataclass(frozen=True)
class Target:
    """What is attacked.

    Attributes:
        address: Host and port that visitors reach.
        processes: Host and port of each process behind it, where numbers are asked.
    """

    address: str
    processes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of an attack.

    Attributes:
        tries: How many requests, frames or files were sent.
        answers: What came back, as a status or a sentence, and how often.
        held: Whether nothing of it succeeded.
        note: What else was measured, as a sentence.
    """

    tries: int
    answers: dict[str, int]
    held: bool
    note: str = ""


Attack = Callable[[Target], Outcome]


async def attack_all(
    target: Target, attacks: dict[str, Attack], write: Callable[[str, dict[str, Any]], None]
) -> None:
    """Try each attack by its name, ask a bystander what they see, and hand on what came of it."""
    async with visit(target.address, LINK) as bystander:
        await bystander.until(lambda seen: shown_strength(seen.board) is not None, PATIENCE)
        for number, (name, attack) in enumerate(attacks.items(), 1):
            outcome = await asyncio.to_thread(attack, target)
            waited = await _ask(bystander, number / 10)
            write(name, asdict(outcome) | {"bystander_waited": waited})
            print(f"{'held' if outcome.held else 'NOT HELD'}: {name}: {outcome.answers} "
                  f"{outcome.note} (bystander: {waited:.1f} s)", flush=True)  # fmt: skip
        if bystander.errors:
            raise SystemExit(f"the bystander's page says: {bystander.errors}")


async def _ask(bystander: Visitor, strength: float) -> float:
    """Seconds until a new strength is answered; raises where the session or the answer is lost."""
    await bystander.choose("typed.epsilon", strength)
    seconds = await bystander.until(lambda at: shown_strength(at.board) == strength, PATIENCE)
    return round(seconds, 2)
