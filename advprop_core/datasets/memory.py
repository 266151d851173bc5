"""Whether images fit into the memory of this machine."""

import os
from pathlib import Path

from advprop_core.errors import InputError

_SHARE = 0.8  # of the free memory: networks and what they compute need some too
_MEMINFO = Path("/proc/meminfo")
# Where Linux says what a container may have, has, and could give up of that: the second version of
# its control groups, and the first.
_GROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file"),
)  # fmt: skip


def require_memory(count: int, size: int, *, alone: bool = False) -> None:
    """Refuse images of this side, 3 · size² bytes each, beyond :func:`room_for_images`.

    The InputError says how many would fit. Where nothing is known, nothing is refused.
    """
    room, each = room_for_images(alone=alone), 3 * size * size
    if room is None or count * each <= room:
        return
    raise InputError(
        f"{count} images of {size}x{size} pixels take {count * each / 1e9:.1f} GB, and "
        f"{room / 1e9:.1f} GB of the memory can be used for them: at most {int(room / each)} fit"
    )


def room_for_images(*, alone: bool = False) -> float | None:
    """Bytes that this process may fill with images: its share of four fifths of what is free.

    Processes of this machine that were started together share it, unless one reads ``alone``.
    """
    free = free_memory()
    return None if free is None else _SHARE * free / (1 if alone else local_count())


def free_memory() -> int | None:
    """Bytes that programs can still have; all there are where only that is known, or None.

    In a container, what is left of its own share where that is less.
    """
    limits = [free for free in (_free_of_machine(), _free_of_container()) if free is not None]
    return min(limits, default=None)


def _free_of_container() -> int | None:
    for group, limit, used, cached in _GROUPS:
        files = [group / name for name in (limit, used, "memory.stat")]
        if not all(file.is_file() for file in files):
            continue
        most, has, stat = (file.read_text() for file in files)
        if most.strip() == "max":
            continue
        of = dict(line.split(maxsplit=1) for line in stat.splitlines())
        return max(int(most) - int(has) + int(of.get(cached, 0)), 0)
    return None


def _free_of_machine() -> int | None:
    if _MEMINFO.is_file():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def local_count() -> int:
    """How many processes torchrun or Accelerate started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
