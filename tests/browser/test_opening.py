"""A network of one's own, from the file to the Playground and back by its link."""

import argparse
from pathlib import Path

import pytest
import timm
import torch
from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST, wait_until_calm


@pytest.fixture
def network_file(tmp_path: Path) -> Path:
    """As timm's training script writes it."""
    torch.manual_seed(0)
    state = timm.create_model("test_resnet", num_classes=10).state_dict()
    path = tmp_path / "model_best.pth.tar"
    options = argparse.Namespace(model="test_resnet", img_size=64)
    torch.save({"state_dict": state, "args": options, "epoch": 3}, path)
    return path


def test_a_file_is_opened_from_the_models_page(
    app_url: str, page: Page, network_file: Path, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/models", timeout=FIRST)
    page.get_by_role("button", name="Open a network").click(timeout=FIRST)
    dialogue = page.get_by_role("dialog")
    wrong = tmp_path / "notes.pth"
    wrong.write_text("no network")
    dialogue.locator("input[type=file]").set_input_files(wrong)
    expect(dialogue.get_by_text("The app stays as it was.")).to_be_visible(timeout=FIRST)
    dialogue.locator("input[type=file]").set_input_files(network_file)
    expect(dialogue.get_by_role("row", name="architecture test_resnet")).to_be_visible(
        timeout=FIRST
    )
    dialogue.get_by_role("combobox", name="Class names").click()
    page.get_by_role("option", name="Those of Imagenette").click()
    expect(dialogue.get_by_role("row", name="classes tench, English springer")).to_be_visible(
        timeout=FIRST
    )
    dialogue.get_by_role("button", name="Use this network").click()
    expect(dialogue).to_be_hidden(timeout=FIRST)
    wait_until_calm(page)
    network = page.get_by_role("combobox", name="Network")
    expect(network).to_have_value("model_best (opened here)")
    page.wait_for_url(lambda url: "model=model_best~" in url, timeout=FIRST)
    page.reload()
    wait_until_calm(page)
    expect(network).to_have_value("model_best (opened here)")
