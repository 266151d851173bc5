"""The figures of a report that are read like a table; each takes rows of ``results.json``."""

from advprop_core.language import _
from advprop_core.report.style import Spec, branch_title, frame, plain
from advprop_core.report.words import Row, Rows, columns, corruption, describe_attack
from advprop_core.text import percent_in_tenths

_CELL = 24  # pixels
_LEAST = 72  # pixels: in less, plotly takes room from the title


def heat_map(rows: Rows) -> Spec:
    """Errors of one branch by corruption and severity."""
    errors = {
        (row["condition"]["corruption"], row["condition"]["severity"]): 1 - row["top1"]
        for row in rows
    }
    kinds = list(dict.fromkeys(kind for kind, _level in errors))
    severities = sorted({severity for _kind, severity in errors})
    shared = ("network", "branch", "n")
    cells = {
        "meta": {name: value for name, value in columns(*rows).items() if name in shared},
        "z": [[errors.get((kind, severity)) for severity in severities] for kind in kinds],
        "x": [str(severity) for severity in severities],
        "y": [corruption(kind) for kind in kinds],
        "texttemplate": "%{z:$.0%}",
        "hovertemplate": _(
            "{corruption}, severity {severity}<br>{share} wrong",
            corruption="%{y}",
            severity="%{x}",
            share="%{z:$.1%}",
        )
        + "<extra></extra>",
    }
    height = max(_CELL * len(kinds), _LEAST) + 90
    return _grid(cells, branch_title(rows[0]), height, 40, _("severity"))


def matrix(rows: Rows) -> Spec:
    """Accuracy of each branch of one network under one attack through each of its branches."""
    judges = list(dict.fromkeys(row["branch"] for row in rows))
    sources = list(dict.fromkeys(row["condition"]["attack_branch"] for row in rows))
    row_of = {(row["condition"]["attack_branch"], row["branch"]): row for row in rows}
    lines = [[row_of.get((source, judge)) for judge in judges] for source in sources]
    cells = {
        "meta": columns(rows[0]) | {"branch": "", "condition": describe_attack(rows[0])},
        "z": [[row and row["top1"] for row in line] for line in lines],
        "x": [_("{branch} predicts", branch=judge) for judge in judges],
        "y": [_("through {branch}", branch=source) for source in sources],
        "text": [[_with_interval(row) for row in line] for line in lines],
        "texttemplate": "%{text}",
        "hovertemplate": _(
            "attacked {through}, {predicts}<br>{share} right",
            through="%{y}",
            predicts="%{x}",
            share="%{text}",
        )
        + "<extra></extra>",
    }
    title = f"{plain(rows[0]['model'])}<br>{plain(describe_attack(rows[0]))}"
    return _grid(cells, title, 3 * _CELL * len(sources) + 110, 60, "")


def _grid(cells: Spec, title: str, height: int, top: int, x_title: str) -> Spec:
    """Shares in the colours of one scale, the first line on top."""
    shared = {
        "type": "heatmap",
        "zmin": 0,
        "zmax": 1,
        "colorscale": "Cividis",
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "textfont": {"size": 12},
    }
    fixed = {"fixedrange": True, "showgrid": False}
    return frame(
        [shared | cells],
        title=title,
        height=height,
        top=top,
        xaxis={"title": x_title, "type": "category", **fixed},
        yaxis={"autorange": "reversed", "automargin": True, **fixed},
    )


def _with_interval(row: Row | None) -> str:
    if row is None:
        return ""
    low, high = (f"{100 * end:.1f}" for end in row["interval"])
    interval = _("{low} to {high} %", low=low, high=high)
    return f"{percent_in_tenths(row['top1'])}<br>{interval}"
