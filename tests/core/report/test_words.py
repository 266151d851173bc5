from advprop_core.report.words import points


def test_points():
    assert [points(share) for share in (0.1, 0.004, -0.001, -0.055)] == [
        "+10",
        "0",
        "0",
        "−6",
    ]
