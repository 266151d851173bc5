"""The files of ``explain``: a picture per map and per difference, and the raw values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from advprop_core.attribution.rows import MapRow, differences
from advprop_core.cli.output import Report, save_arrays
from advprop_core.cli.trust_tables import Figures, curve_array, trust_json
from advprop_core.faithfulness.maps import Undefined, flaw
from advprop_core.report import drawing
from advprop_core.report.colours import Array, Sign, Span, colour_span, colourise
from advprop_core.report.map_sheet import row_span

_SIDE = 384  # smaller maps are enlarged to this for their PNG


def save_maps(
    folder: Path, rows: Sequence[MapRow], figures: Figures, arrays: Mapping[str, Array]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write every map and every difference, and ``arrays.npz``.

    Args:
        folder: Where to.
        rows: The maps.
        figures: What was measured of them; may be empty.
        arrays: What else goes into ``arrays.npz``.

    Returns:
        Facts on each map, and on each difference, as plain values. A map that puts no pixel before
        another has no picture, and ``flaw`` says so.
    """
    saved = dict(arrays)
    maps: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for row in rows:
        about: dict[str, Any] = {"method": row.method.name, "layer": row.layer}
        for (kind, branch), attribution in row.maps.items():
            name, values = row.stem(kind, branch), attribution.values
            saved[name] = values.numpy()
            facts = about | {"branch": branch, "input": kind}
            facts |= _save(folder, name, values, row.method.sign, row_span(row))
            if trust := figures.get((row.name, kind, branch)):
                facts["trust"] = trust_json(trust)
                if not isinstance(trust.curves, Undefined):
                    saved[f"{name}_curves"] = curve_array(trust.curves)
            maps.append(facts)
        apart = {change.name: change for change in differences(row)}
        saved |= {name: change.values.numpy() for name, change in apart.items()}
        for name, change in apart.items():
            span = colour_span([saved[other] for other in apart], "signed")
            drawn = _save(folder, name, change.values, "signed", span)
            changes.append(about | {"of": change.words} | drawn)
    save_arrays(folder / "arrays.npz", saved)
    return maps, changes


def tell_maps(report: Report, rows: Sequence[MapRow]) -> None:
    """A line per row: the range of each map, and which maps or differences say nothing."""
    for row in rows:
        attacked = any(kind == "adversarial" for kind, _ in row.maps)
        parts = []
        for (kind, branch), attribution in row.maps.items():
            label = f"{branch} {kind}" if attacked else branch
            if undefined := flaw(attribution.values):
                parts.append(f"{label} is not drawn: {undefined.reason}")
            else:
                low, high = float(attribution.values.min()), float(attribution.values.max())
                parts.append(f"{label} {low:.3g} to {high:.3g}")
        if alike := [f"({change.words})" for change in differences(row) if flaw(change.values)]:
            parts.append(f"no difference to draw: {' '.join(alike)}")
        report.say(f"{row.title}: {'; '.join(parts)}")


def _save(folder: Path, name: str, values: Tensor, sign: Sign, span: Span) -> dict[str, Any]:
    """Draw one map, unless there is nothing to see in it."""
    undefined, file = flaw(values), f"{name}.png"
    (folder / file).unlink(missing_ok=True)  # of another run
    if undefined is None:
        picture = drawing.to_image(colourise(values.numpy(), sign, span))
        picture = drawing.enlarge(picture, max(_SIDE, picture.width), smooth=False)
        picture.save(folder / file)
    return {
        "file": None if undefined else file,
        "array": name,
        "sign": sign,
        "colour_scale_start": span[0],
        "colour_scale_end": span[1],
        "low": float(values.min()),
        "high": float(values.max()),
        "flaw": undefined.reason if undefined else None,
    }
