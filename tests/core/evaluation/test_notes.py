"""What is said of the images that models were asked about."""

from __future__ import annotations

import pytest
import torch

from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.notes import of_unlike_images

IDS, NAMES = ("n1", "n2"), ("parking meter", "tench")


@pytest.mark.parametrize(
    ("ids", "names", "labels", "alike"),
    [
        (NAMES, NAMES, (0, 1), True),
        (NAMES[::-1], ("Tench", "Parking_Meter"), (1, 0), True),
        (IDS, NAMES, (0, 0), False),
        (("n1", "n3"), ("parking meter", "pike"), (0, 1), False),
    ],
)
def test_classes_are_one_by_id_or_by_name(
    model, images, make_info, ids, names, labels, alike
) -> None:
    shown = images[0][:2]
    first, second = (
        make_info(class_ids=IDS, class_names=NAMES),
        make_info(class_ids=ids, class_names=names),
    )
    notes = of_unlike_images(
        [
            TestedModel("one", model, shown, torch.tensor((0, 1)), info=first),
            TestedModel("two", model, shown, torch.tensor(labels), info=second),
        ]
    )
    assert len(notes) == (0 if alike else 1)
