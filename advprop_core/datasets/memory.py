"""Whether images fit into the memory of this machine."""

import os
from pathlib import Path

_SHARE = 0.8  # of the free memory: networks and what they compute need some too
_MEMINFO = Path("/proc/meminfo")


def require_memory(count: int, size: int) -> None:
    """Refuse images that this machine cannot hold, before they are read.

    Args:
        count: Number of images.
        size: Their side in pixels; each takes 3 · size² bytes.

    Raises:
        ValueError: If they take more than four fifths of the free memory; the message says how
            many would fit. Where the system does not tell what is free, nothing is refused.
    """
    room, each = free_memory(), 3 * size * size
    if room is None or count * each <= _SHARE * room:
        return
    raise ValueError(
        f"{count} images of {size}x{size} pixels take {count * each / 1e9:.1f} GB, and of the "
        f"memory {room / 1e9:.1f} GB are free: give --limit {int(_SHARE * room / each)} or less"
    )


def free_memory() -> int | None:
    """Bytes that programs can still have; all there are where only that is known, or None."""
    if _MEMINFO.is_file():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
