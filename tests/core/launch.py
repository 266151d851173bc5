"""The command on two processes, as torchrun starts them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from advprop_core.processes import joined


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tell_shares(rank: int, port: int, folder: Path) -> None:
    """As one of two: join the other, and write who one is, what one does and what all did."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    os.environ.pop("ACCELERATE_USE_CPU", None)
    with joined() as processes:
        own = processes.share(["a", "b", "c"])
        done = [f"{part} by {processes.rank}" for part in own]
        told = [processes.rank, processes.count, processes.gather(done)]
        told += [processes.from_first(f"said by {processes.rank}"), processes.device.type]
    (folder / f"{rank}.json").write_text(json.dumps(told))


def on_two_processes(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``advprop WORDS`` on two, and check that it went well.

    They are told nothing of the device: what works without a GPU must do so by itself.
    """
    start = ["--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    start += ["--master-port", str(free_port()), "-m", "advprop_core.cli", *map(str, words)]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *start],
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "ACCELERATE_USE_CPU"}
        | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    return done
