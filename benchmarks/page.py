"""The page without a server: how large it is, and what a step costs in each runtime.

A step is one forward and one backward pass of one picture, all that PGD does ten times.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import onnxruntime
import torch

from advprop_core.attacks.gradient import loss_gradient
from advprop_core.browser.graph import INPUTS, example_inputs
from advprop_core.browser.network import PageNetwork, page_network
from advprop_core.browser.page import Page, read_built
from advprop_core.models.bundle import open_model
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.folding import fold
from benchmarks.timing import cores, interleave, ratio, summary, verdict

ROUNDS = 30
NETWORKS = {"shapes-advprop": 96, "imagenet-lite0": 128}
LARGEST_FILE = 20e6  # bytes
# Seconds to the first picture, to the network, and of PGD-10 with every branch's answers.
TARGETS = {"first": 1.0, "ready": 5.0, "pgd": 1.0}


def run(data: Path | None) -> dict[str, Any]:
    """Both bundled kinds of network, each as a page of its own."""
    built, result = read_built(), {}
    runtime = built["ort-wasm-simd-threaded.wasm"]
    packed = len(gzip.compress(runtime, 9)) / 1e6
    print(f"  runtime {len(runtime) / 1e6:.1f} MB, {packed:.1f} MB packed")
    for name, size in NETWORKS.items():
        checkpoint = open_model(name)
        network = page_network(checkpoint, name, size)
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "lab.html"
            Page([network], built).write_one_file(page)
            large = page.stat().st_size
            graph = len(network.assets[f"graph:{name}"])
            met = verdict(large < LARGEST_FILE)
            print(
                f"  {name} at {size} px: graph {graph / 1e6:.2f} MB, file {large / 1e6:.1f} MB", met
            )
            steps = _steps(checkpoint, network, size)
            result[name] = {"file": large, "graph": graph, "steps": steps, "page": _opened(page)}
    return result


def _steps(checkpoint: Checkpoint, network: PageNetwork, size: int) -> dict[str, Any]:
    """One step in PyTorch, folded and not, and of the graph in onnxruntime; a thread each."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    example = example_inputs(checkpoint.model, size, checkpoint.info.num_classes)
    branch, labels = checkpoint.model.branch("main"), torch.tensor([0])
    folded = fold(branch, example.pixels)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        network.assets[network.entry["graph"]], options, providers=["CPUExecutionProvider"]
    )
    feed = {name: value.numpy() for name, value in zip(INPUTS, example, strict=True)}
    seconds = interleave(
        {
            "PyTorch": lambda: loss_gradient(branch, example.pixels, labels),
            "PyTorch, folded": lambda: loss_gradient(folded, example.pixels, labels),
            "onnxruntime": lambda: session.run(None, feed),
        },
        [()],
        ROUNDS,
    )
    torch.set_num_threads(threads)
    for contender, values in seconds.items():
        print(f"    {contender:16} a step {1e3 * summary(values)['median']:.1f} ms")
    gained = ratio(seconds["PyTorch, folded"], seconds["onnxruntime"])
    print(f"    onnxruntime is {gained['median']:.2f} times as fast as folded PyTorch")
    return {name: summary(values) for name, values in seconds.items()} | {"gained": gained}


def _opened(page: Path) -> dict[str, float] | None:
    """In Chromium, offline from the disk: the first picture, the network, PGD with ten steps."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("    no Chromium: the page itself is not measured")
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        tab = browser.new_context(offline=True).new_page()
        start = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_selector(".verdict")
        first = time.perf_counter() - start
        _until(tab, "!document.querySelector('progress, .verdict.pending')")
        ready = time.perf_counter() - start
        pgd = []
        for level in (3, 4, 5, 6, 7):
            start = time.perf_counter()
            tab.fill(".number input[type=number]", str(level))
            tab.keyboard.press("Enter")
            _until(tab, f"document.querySelector('.verdict').textContent.includes('{level}/255')")
            pgd.append(time.perf_counter() - start)
        browser.close()
    times = {"first": first, "ready": ready, "pgd": summary(pgd)["median"]}
    print(f"    in Chromium, {cores()} cores:")
    for what, target in TARGETS.items():
        met = verdict(times[what] < target)
        print(f"      {what:5} {times[what]:.2f} s; target {target} s: {met}")
    return times


def _until(tab: Any, condition: str) -> None:
    """The page's policy forbids what Playwright would wait with."""
    while not tab.evaluate(f"() => Boolean({condition})"):
        time.sleep(0.01)
