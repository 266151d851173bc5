"""The files of ``explain``: a picture per map, the raw values, and what is told of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from advprop_core.cli.explain_maps import Row, differences
from advprop_core.cli.output import Report, save_arrays
from advprop_core.cli.trust_tables import Figures, curve_array, trust_json
from advprop_core.faithfulness.maps import Undefined, flaw
from advprop_core.report import drawing
from advprop_core.report.colours import Array, Sign, Span, colour_span, colourise

_SIDE = 384  # smaller maps are enlarged to this for their PNG


def save_maps(
    folder: Path, rows: Sequence[Row], figures: Figures, arrays: Mapping[str, Array]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write every map and every difference, and ``arrays.npz``.

    Args:
        folder: Where to.
        rows: The maps.
        figures: What was measured of them; may be empty.
        arrays: What else goes into ``arrays.npz``.

    Returns:
        What is told of each map, and of each difference, as plain values. Where a map puts no
        pixel before another there is no picture of it, and ``flaw`` says so.
    """
    kept = dict(arrays)
    maps: list[dict[str, Any]] = []
    apart: list[dict[str, Any]] = []
    for row in rows:
        for (kind, branch), one in row.maps.items():
            name = row.stem(kind, branch)
            about = {"method": row.method.name, "branch": branch, "input": kind, "layer": row.layer}
            drawn = _save(folder, name, one.values, row.method.sign, row.span)
            trust = figures.get((row.name, kind, branch))
            maps.append(about | drawn | ({"trust": trust_json(trust)} if trust else {}))
            kept[name] = one.values.numpy()
            if trust and not isinstance(trust.curves, Undefined):
                kept[f"{name}_curves"] = curve_array(trust.curves)
        found = differences(row)
        span = colour_span([one.values.numpy() for one in found], "signed") if found else (0.0, 0.0)
        for difference in found:
            about = {"method": row.method.name, "layer": row.layer, "of": difference.words}
            apart.append(about | _save(folder, difference.name, difference.values, "signed", span))
            kept[difference.name] = difference.values.numpy()
    save_arrays(folder / "arrays.npz", kept)
    return maps, apart


def tell_maps(report: Report, rows: Sequence[Row]) -> None:
    """A line per row: the range of each map, and which maps or differences say nothing."""
    for row in rows:
        attacked = any(kind == "adversarial" for kind, _ in row.maps)
        told = []
        for (kind, branch), one in row.maps.items():
            label = f"{branch} {kind}" if attacked else branch
            if found := flaw(one.values):
                told.append(f"{label} is not drawn, for {found.reason}")
            else:
                low, high = float(one.values.min()), float(one.values.max())
                told.append(f"{label} {low:.3g} to {high:.3g}")
        if alike := [f"({one.words})" for one in differences(row) if flaw(one.values)]:
            told.append(f"no difference, and none drawn, in {' '.join(alike)}")
        report.say(f"{row.title}: {'; '.join(told)}")


def _save(folder: Path, name: str, values: Tensor, sign: Sign, span: Span) -> dict[str, Any]:
    """Draw one map, unless there is nothing to see in it."""
    found, file = flaw(values), f"{name}.png"
    (folder / file).unlink(missing_ok=True)  # of another run
    if found is None:
        picture = drawing.to_image(colourise(values.numpy(), sign, span))
        picture = drawing.enlarge(picture, max(_SIDE, picture.width), smooth=False)
        picture.save(folder / file)
    return {
        "file": None if found else file,
        "array": name,
        "sign": sign,
        "colour_scale_start": span[0],
        "colour_scale_end": span[1],
        "low": float(values.min()),
        "high": float(values.max()),
        "flaw": found.reason if found else None,
    }
