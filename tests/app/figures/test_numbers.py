"""The numbers of a figure, whatever is drawn of them."""

import csv
import io
import json

import plotly.graph_objects as go
import pytest

from app.figures.numbers import has_numbers, to_csv


def spec(figure):
    return json.loads(figure.to_json())


def table(figure):
    return list(csv.DictReader(io.StringIO(to_csv(spec(figure)))))


def test_lines_with_intervals():
    bars = {"array": [0.1, 0.2], "arrayminus": [0.3, 0.4]}
    line = go.Scatter(x=[0, 1], y=[0.5, 0.25], error_y=bars, name="<b>main</b> &amp; co")
    figure = go.Figure(line, {"xaxis": {"title": "ε"}, "yaxis": {"title": {"text": "right"}}})
    rows = table(figure)
    assert [*rows[0]] == ["series", "ε", "right", "low", "high"]
    assert rows[0]["series"] == "main & co"
    assert [float(row["right"]) for row in rows] == [0.5, 0.25]
    assert [float(row["low"]) for row in rows] == pytest.approx([0.2, -0.15])
    assert [float(row["high"]) for row in rows] == pytest.approx([0.6, 0.45])


def test_rows_that_have_names_are_called_by_them():
    names = {"tickvals": [0, 1], "ticktext": ["church", "<i>tench</i>"]}
    figure = go.Figure(go.Bar(x=[0.7, 0.3], y=[0, 1.2], orientation="h"), {"yaxis": names})
    assert [row["y"] for row in table(figure)] == ["church", "tench"]
    shares = {"tickvals": [0, 0.5, 1], "ticktext": ["0 %", "50 %", "100 %"]}
    figure = go.Figure(go.Scatter(x=[1, 2], y=[0, 1]), {"yaxis": shares})
    assert [row["y"] for row in table(figure)] == ["0", "1"], "these are marks of a scale"


def test_heat_maps_in_panels():
    left = go.Heatmap(z=[[1.0, 2.0]], x=["a", "b"], y=["c"], meta={"panel": "left"})
    figure = go.Figure([left, go.Heatmap(z=[[3, None]])], {"title": "right"})
    rows = table(figure)
    assert [(row["panel"], row["x"], row["y"], float(row["value"])) for row in rows] == [
        ("left", "a", "c", 1.0), ("left", "b", "c", 2.0), ("right", "0", "0", 3.0)
    ]  # fmt: skip


def test_a_table_whose_cells_say_their_numbers_has_them_too():
    cells = go.Heatmap(z=[[0.5]], x=["main"], y=["aux"], hoverinfo="skip")
    assert table(go.Figure(cells)) == [{"x": "main", "y": "aux", "value": "0.5"}]


def test_pictures_bands_and_gaps_are_no_numbers():
    picture = go.Figure(go.Image(source="data:image/png;base64,AA=="))
    assert not has_numbers(spec(picture))
    band = go.Scatter(x=[0, 1], y=[1, 1], hoverinfo="skip", name="band")
    figure = go.Figure([band, go.Bar(x=[0, 1], y=[None, 2], customdata=["s1", "s2"])])
    figure.update_layout(title="A title")
    assert has_numbers(spec(figure))
    assert table(figure) == [{"panel": "A title", "name": "s2", "x": "1", "y": "2"}]


def test_a_name_that_a_spreadsheet_would_run_is_text():
    figure = go.Figure(go.Scatter(x=[1], y=[-2], name="=cmd|' /C calc'!A0"))
    assert table(figure) == [{"series": "'=cmd|' /C calc'!A0", "x": "1", "y": "-2"}]


def test_what_numbers_are_about_has_columns_of_its_own():
    meta = {"branch": "aux", "n": 20, "epsilon": [0.0, 0.5]}
    figure = go.Figure([go.Scatter(x=[1, 2], y=[3, 4], meta=meta), go.Bar(x=[5], y=[6])])
    rows = list(
        csv.DictReader(io.StringIO(to_csv(spec(figure), {"network": "net", "branch": "main"})))
    )
    assert [*rows[0]] == ["network", "branch", "epsilon", "n", "x", "y"]
    assert [[*row.values()] for row in rows] == [
        ["net", "aux", "0.0", "20", "1", "3"],
        ["net", "aux", "0.5", "20", "2", "4"],
        ["net", "main", "", "", "5", "6"],
    ]


def test_labels_that_are_short_on_the_page_are_whole_in_the_table():
    labels = {"tickvals": [0], "ticktext": ["a class wi…"]}
    figure = go.Figure(go.Bar(x=[0.7], y=[0], orientation="h"), {"yaxis": labels})
    figure.layout.meta = {"labels": {"a class wi…": "a class with a long name"}}
    assert [row["y"] for row in table(figure)] == ["a class with a long name"]
