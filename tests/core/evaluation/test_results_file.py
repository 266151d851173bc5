import json

import pytest

from advprop_core.evaluation.results_file import read_content


def test_results_are_read_again(tmp_path):
    content = {"format": 1, "results": []}
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    assert read_content(path) == content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 0, "results": []}', "format 0, this version reads format 1"),
        ('{"results": []}', "no results of advprop evaluate"),
        ("[]", "no results of advprop evaluate"),
        ("{", "no results of advprop evaluate"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_content(path)
