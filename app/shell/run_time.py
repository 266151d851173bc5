"""What a run takes, said before it: one batch of each network is timed here, by a worker."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import streamlit as st

from advprop_core.models import bundle
from advprop_core.models.settings import ModelSettings
from app.language.text import _, paragraph
from app.shell import cache, defects, tasks
from app.shell.jobs import Report
from app.shell.tasks import Task

_SLOT = "run_time"
_IMAGES = 16
_POLL = 1.0  # s


@dataclass(frozen=True)
class Run:
    """A run that the controls ask for.

    Attributes:
        task: Its work.
        plan: What it does, a sentence.
        passes: Network to how many passes of an image through it that takes, at most about.
        besides: A phrase around what passes cost, ``{sentence}``, for what they do not tell.
    """

    task: Task
    plan: str
    passes: Mapping[str, int]
    besides: str


def say(run: Run, *, is_timed: bool) -> None:
    """What a run does and takes, and how long that is where networks are timed.

    They are not while a run has the machine. The page is drawn again once they were.
    """
    names = run.passes if is_timed else ()
    jobs = {name: tasks.submit(f"{_SLOT}.{name}", _task(name)) for name in names}
    if all(job.done for job in jobs.values()):
        # A network that cannot be timed cannot be run either, which a run then says.
        is_known = not any(job.cancelled or job.future.exception() for job in jobs.values())
        speeds = {name: job.future.result() for name, job in jobs.items()} if is_known else {}
        st.caption(paragraph([run.plan, in_words(run.passes, run.besides, speeds)]))
        return

    def poll() -> None:
        cost, more = in_words(run.passes, run.besides), _("How long that takes is being measured …")
        st.caption(paragraph([run.plan, cost, more]))
        if all(job.done for job in jobs.values()):
            st.rerun()

    defects.fragment(poll, run_every=_POLL)()


def in_words(
    passes: Mapping[str, int],
    besides: str,
    speeds: Mapping[str, float] = MappingProxyType({}),
) -> str:
    """What a run costs, as far as that can be told before it.

    ``speeds`` is network to the seconds of a pass, or empty where it is not known.
    """
    total = sum(passes.values())
    rounded = int(round(total, 2 - len(str(total))))  # more than two digits would be untrue
    cost = _("At most about {count} passes of an image through a network")
    if speeds:
        cost = _(
            "At most about {count} passes of an image through a network, {time} on this machine"
        )
    seconds = sum(count * speeds[name] for name, count in passes.items()) if speeds else 0
    count = f"{rounded:,}".replace(",", "\u202f")
    return besides.format(sentence=cost.format(count=count, time=_duration(seconds)))


def _duration(seconds: float) -> str:
    """``about 3 minutes``; what is short is said to be so."""
    if seconds < 10:
        return _("a few seconds")
    if seconds < 90:
        return _("about {count} seconds").format(count=10 * round(seconds / 10))
    if seconds < 90 * 60:
        return _("about {count} minutes").format(count=round(seconds / 60))
    return _("about {count} hours").format(count=round(seconds / 3600))


def _task(name: str) -> Task:
    file, settings = cache.file_of(name), cache.model_settings()
    return Task.of((cache.network_of(name),), time_a_batch, file, settings, about="speed")


def time_a_batch(file: Path, settings: ModelSettings, *, progress: Report) -> float:
    """Of main: half of what one image takes forwards and backwards together, as in an attack."""
    import torch

    from advprop_core.models.dual_bn import MAIN, attack_view

    checkpoint = bundle.open_file(file, settings)
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
