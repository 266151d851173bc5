"""How long a run will take here: one batch of each network is timed, by a worker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from advprop_core.models import bundle
from app.language.text import _, paragraph
from app.robustness.measurement import RunRequest
from app.shell import cache, defects, tasks
from app.shell.jobs import Report
from app.shell.tasks import Task

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint

_SLOT = "robustness.speed"
_IMAGES = 16
_POLL = 1.0  # s


def seconds_per_pass(request: RunRequest) -> Mapping[str, float] | None:
    """Network to the seconds that one image takes forwards or backwards.

    None until they are known; empty where a network cannot be timed, which a run then says.
    """
    jobs = {name: tasks.submit(f"{_SLOT}.{name}", _task(name)) for name in request.models}
    if not all(job.done for job in jobs.values()):
        return None
    if any(job.cancelled or job.future.exception() for job in jobs.values()):
        return {}
    return {name: job.future.result() for name, job in jobs.items()}


def wait(request: RunRequest, sentence: str) -> None:
    """Say what is known, and draw the page again when the networks were timed."""

    def poll() -> None:
        st.caption(paragraph([sentence, _("How long that takes is being measured …")]))
        jobs = [cache.pool().find(_task(name).key) for name in request.models]
        if all(job is None or job.done for job in jobs):
            st.rerun()

    defects.fragment(poll, run_every=_POLL)()


def _task(name: str) -> Task:
    network, file, settings = cache.network_of(name), cache.file_of(name), cache.model_settings()

    def time_a_batch(*, progress: Report) -> float:
        progress(0.0)
        return _time(bundle.open_file(file, settings), progress)

    return Task.of((network,), time_a_batch, about="speed")


def _time(checkpoint: Checkpoint, progress: Report) -> float:
    """Of main: half of what one image takes forwards and backwards together, as in an attack."""
    import torch

    from advprop_core.models.dual_bn import MAIN, attack_view

    view, side = attack_view(checkpoint.model.branch(MAIN)), checkpoint.info.input_size
    drawn = torch.rand((_IMAGES, 3, side, side), generator=torch.Generator().manual_seed(0))
    pixels = drawn.requires_grad_()

    def there_and_back() -> float:
        begin = time.perf_counter()
        torch.autograd.grad(view(pixels).sum(), pixels)
        return time.perf_counter() - begin

    there_and_back()  # the first time, memory is asked for
    progress(0.5)
    return there_and_back() / (2 * _IMAGES)
