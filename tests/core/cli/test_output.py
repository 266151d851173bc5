"""What commands leave behind."""

import json

import pytest
from rich.table import Table

from advprop_core.cli.output import Report, write_json


def test_numbers_stand_on_one_line_and_mean_the_same(tmp_path):
    content = {
        "curve": [0.0, -1.5e-07, 1, 0.25],
        "text": "a list: [\\n 1 \\n]",
        "rows": [{"size": [96, 96]}, []],
        "mixed": [1, None],
    }
    write_json(tmp_path / "x.json", content)
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == content
    assert '"curve": [0.0, -1.5e-07, 1, 0.25]' in text
    assert '"size": [96, 96]' in text


@pytest.mark.parametrize(("columns", "widest"), [(None, 145), ("40", 40)])
def test_a_file_is_as_wide_as_a_table_unless_told_otherwise(monkeypatch, capsys, columns, widest):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    table = Table("a heading", box=None, pad_edge=False)
    table.add_row("word " * 29)
    Report(None).show(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) == widest
