"""How the text of options becomes values."""

from advprop_core.cli.options import AttackOptions
from advprop_core.cli.values import read_class, split_list


def test_lists_are_commas_or_repeats(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b").touch()
    assert split_list(["x, y", "x", "a,b"]) == ["x", "y", "a,b"]
    assert split_list(None) == []
    assert len(split_list([",".join(f"resnet50.a{index}_in1k" for index in range(40))])) == 40


def test_a_class_is_an_id_a_name_or_an_index(make_info) -> None:
    info = make_info(class_ids=("2", "b", "c"), class_names=("two", "Gas pump", "2"))
    found = [read_class(info, text, "--x") for text in ("2", "gas_PUMP", "c", "1")]
    assert found == [0, 1, 2, 1]  # an id goes before a name, and both before an index


def test_default_radius_follows_the_norm() -> None:
    def radius(norm: str) -> float:
        return AttackOptions(norm=norm).read_attack().epsilon

    assert (radius("linf"), radius("l2")) == (4 / 255, 1.0)
