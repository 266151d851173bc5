"""The Playground beside checkpoint files that cannot be used, and on them alone."""

import hashlib
import json

from advprop_core.models import bundle


def test_the_playground_works_beside_damaged_files(visit_with, damaged, tiny_models):
    person = visit_with(*damaged.values(), tiny_models["tiny-advprop"], model="tiny-advprop")
    person.assert_whole()
    assert not person.errors
    # Only its header was read until now: the damage shows when it is loaded.
    assert person.widget("model").options == ["truncated", "tiny-advprop"]
    before = person.result
    person.choose(model="truncated")
    assert not person.at.exception
    assert "truncated" in person.errors[0]
    person.assert_whole()
    assert person.result is before
    person.choose(model="tiny-advprop").assert_whole()
    assert not person.errors


def test_a_damaged_file_as_the_only_network(visit_with, damaged):
    person = visit_with(damaged["truncated"])
    assert not person.at.exception
    assert "Choose another" in person.errors[0]
    assert "being loaded" not in person.text
    person = visit_with(damaged["empty"])
    assert not person.at.exception
    assert "No network is here" in person.errors[0]


def test_a_bundled_network_whose_bytes_changed_is_refused_by_its_digest(
    clear_caches, visit_other, tiny_models, monkeypatch, tmp_path
):
    """One bit of one weight, which no other check of the file would find."""
    manifest = {}
    for name, file in tiny_models.items():
        data = bytearray(file.read_bytes())
        manifest[name] = {"file": file.name, "sha256": hashlib.sha256(data).hexdigest()}
        if name == "tiny-advprop":
            data[-1] ^= 1
        (tmp_path / file.name).write_bytes(data)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(bundle, "_models_dir", lambda: tmp_path)
    monkeypatch.delenv("ADVPROP_MODELS", raising=False)

    person = visit_other(v="3", model="tiny-advprop", image="scene:2", steps="1")
    assert not person.at.exception
    assert "tiny-advprop is damaged: its bytes are not those of the manifest" in person.errors[0]
    assert "choose another network: tiny-vanilla" in person.errors[0]
    person.choose(model="tiny-vanilla").assert_whole()
    assert not person.errors
