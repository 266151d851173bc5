import pytest

from advprop_core.errors import InputError
from advprop_core.pictures.regions import (
    MOST_REGIONS,
    EraseConfig,
    Region,
    format_regions,
    parse_regions,
)


def test_a_text_and_back():
    regions = (Region(100, 200, 300, 50), Region(0, 0, 1000, 1))
    text = format_regions(regions)
    assert text == "100.200.300.50_0.0.1000.1"
    assert parse_regions(text) == regions
    assert parse_regions("") == ()
    assert format_regions(()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3",
        "1.2.3.4.5",
        "a.b.c.d",
        "-1.0.10.10",
        "0.0.0.10",
        "0.0.10.0",
        "900.0.101.10",
        "0.900.10.101",
        "1001.0.1.1",
        "1.5e3.2.2",
        "٣.٣.٣.٣",
        "1" * 5000 + ".0.1.1",
        "_",
        "1.1.1.1_",
        " 1.1.1.1",
        "_".join(["1.1.1.1"] * (MOST_REGIONS + 1)),
    ],
)
def test_what_is_no_region_is_refused(text):
    with pytest.raises(ValueError, match=r"region|left|top|width|height"):
        parse_regions(text)


def test_regions_validate_themselves():
    with pytest.raises(InputError, match="left must be an integer, got 1.5"):
        Region(1.5, 0, 1, 1)
    with pytest.raises(InputError, match="height must be an integer, got True"):
        Region(1, 0, 1, True)
    with pytest.raises(InputError, match=r"left and width must end within 1000 .* got 1001"):
        Region(500, 0, 501, 1)


def test_an_erasure_validates_itself():
    corner = Region(0, 0, 1, 1)
    with pytest.raises(InputError, match="fill must be 'grey', 'black' or 'blur', got 'pink'"):
        EraseConfig((corner,), "pink")
    with pytest.raises(InputError, match="regions must have at most 24 items"):
        EraseConfig((corner,) * 25)
    with pytest.raises(InputError, match=r"regions\[0\] must be an instance of Region"):
        EraseConfig(((0, 0, 1, 1),))
    assert hash(EraseConfig((corner,))) == hash(EraseConfig((Region(0, 0, 1, 1),)))
