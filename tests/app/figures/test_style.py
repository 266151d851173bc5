"""What all figures have in common."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WITHOUT_SPACE = re.compile(r"%\{[^{}]*:\.\d%|tickformat[^\w$]+\.\d%")
"""Formats that plotly writes as ``93%``; ``$.0%`` gives ``93 %``, see ``report.style.LOCALES``."""


def test_every_figure_writes_shares_as_pages_do():
    files = [*ROOT.glob("app/figures/*.py"), *ROOT.glob("advprop_core/report/*.py")]
    assert WITHOUT_SPACE.search('tickformat=".0%"')
    assert WITHOUT_SPACE.search('share="%{y:.1%}"')
    assert files
    assert [file.name for file in files if WITHOUT_SPACE.search(file.read_text("utf-8"))] == []
