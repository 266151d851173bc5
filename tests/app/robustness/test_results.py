"""Results that come with the app."""

import pytest

from advprop_core.evaluation.results_file import parse
from advprop_core.models import bundle
from advprop_core.models.digest import model_digest
from app.robustness import bundled


def test_bundled_results_go_by_their_names(monkeypatch, tmp_path):
    assert all(path.is_file() for path in bundled.bundled().values())
    (tmp_path / "assets" / "results").mkdir(parents=True)
    (tmp_path / "assets" / "results" / "zoo.json").write_text("{}")
    monkeypatch.setattr(bundle, "bundle_dir", lambda: tmp_path)
    assert bundled.bundled() == {"zoo": tmp_path / "assets" / "results" / "zoo.json"}


@pytest.mark.parametrize("path", bundled.bundled().values(), ids=lambda path: path.stem)
def test_results_that_come_with_the_app_are_of_the_models_that_do(path):
    content = parse(path.name, path.read_bytes())
    for name, digest in content.get("models", {}).items():
        checkpoint = bundle.open_model(name)
        assert model_digest(checkpoint.model, checkpoint.info) == digest, (
            f"{path.name}: measure {name} again"
        )


def test_there_are_results_that_come_with_the_app():
    assert "imagenette" in bundled.bundled()
