"""The command on two processes, as torchrun starts them."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

from advprop_core.cli.main import main
from advprop_core.evaluation.processes import joined


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Two are told nothing of the device: what works without a GPU must do so by itself.
UNTOLD = "ACCELERATE_USE_CPU"
QUIET = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}


def become_one_of_two(rank: int, port: int) -> None:
    """Set in this process what torchrun sets."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= QUIET
    os.environ.pop(UNTOLD, None)


def tell_shares(rank: int, port: int, folder: Path) -> None:
    """As one of two: join the other, and write who one is, what one does and what all did."""
    become_one_of_two(rank, port)
    with joined() as processes:
        own = processes.share(["a", "b", "c"])
        done = [f"{part} by {processes.rank}" for part in own]
        told = [processes.rank, processes.count, processes.gather(done)]
        told += [processes.from_first(f"said by {processes.rank}"), processes.device.type]
    (folder / f"{rank}.json").write_text(json.dumps(told))


def call_command(rank: int | None, port: int, words: list[str], printed: Path) -> None:
    """Run ``advprop WORDS`` as one of two, or alone without a rank, and keep what it prints."""
    torch.set_num_threads(1)
    if rank is not None:
        become_one_of_two(rank, port)
    with printed.open("w") as file, contextlib.redirect_stdout(file):
        main(words)


def on_two_processes(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``advprop WORDS`` on two as a person starts them, and check that it went well."""
    start = ["--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    start += ["--master-port", str(free_port()), "-m", "advprop_core.cli", *map(str, words)]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *start],
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key != UNTOLD} | QUIET,
    )
    assert done.returncode == 0, done.stderr
    return done
