"""`python -m benchmarks.intrusion --process HOST:PORT…`: what a public server holds off."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from benchmarks.intrusion import Attack, Target, attack_all, files, protocol
from benchmarks.timing import machine

ATTACKS: dict[str, Attack] = {
    "paths that lead out of every route": protocol.climb,
    "numbers for the operator": protocol.ask_for_numbers,
    "another name for the server, another site's websocket": protocol.name_otherwise,
    "garbage in a websocket": protocol.talk_garbage,
    "frames that pages do not need": protocol.send_odd_frames,
    "hostile values in every parameter of a link": protocol.link_oddly,
    "NaN, infinity and numbers out of range as a widget's value": protocol.choose_oddly,
    "uploads without rights, with odd names, too large": files.upload_oddly,
    "10,000 uploads": files.upload_often,
    "more bytes than the server keeps": files.upload_much,
    "hostile files and names of files": files.give_hostile_files,
    "four of the largest pictures at once": files.give_large_pictures,
    "pictures, scripts and connections of another site": files.fetch_elsewhere,
    "work of people who leave at once": protocol.leave_work_behind,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.intrusion",
        description="Attack an `advprop app --public` that runs, as strangers would.",
    )
    parser.add_argument("--process", action="append", required=True, metavar="HOST:PORT")
    parser.add_argument("--proxy", metavar="HOST:PORT", help="attack this one before the processes")
    parser.add_argument("--only", action="append", choices=ATTACKS, metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what happened here too")
    options = parser.parse_args()
    target = Target(options.proxy or options.process[0], tuple(options.process))
    attacks = {name: ATTACKS[name] for name in options.only or ATTACKS}
    report: dict[str, Any] = {"machine": machine(), "through_proxy": bool(options.proxy),
                              "processes": len(options.process), "attacks": {}}  # fmt: skip
    if options.json is not None and options.only and options.json.is_file():
        report["attacks"] = json.loads(options.json.read_text())["attacks"]  # the others stay

    def write(name: str, outcome: dict[str, Any]) -> None:
        report["attacks"][name] = outcome
        if options.json is not None:
            options.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")

    asyncio.run(attack_all(target, attacks, write))
    if not all(outcome["held"] for outcome in report["attacks"].values()):
        raise SystemExit("not everything was held off")


if __name__ == "__main__":
    main()
