"""A photo, and how to read it as the reference libraries do."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """(1,3,224,224): a person, a flag, dark and bright areas, in whole 255ths."""
    picture = Image.fromarray(data.astronaut()).resize((224, 224), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def patches(photo: Tensor) -> Tensor:
    """(3,3,40,48): parts of the photo, small and not square."""
    return torch.stack(
        [
            photo[0, :, top : top + 40, left : left + 48]
            for top, left in ((20, 60), (90, 0), (9, 130))
        ]
    )


@pytest.fixture(scope="session")
def rows_last() -> Callable[[Tensor], np.ndarray]:
    """(N,3,H,W) to float64 arrays (N,H,W,3), which scikit-image reads."""
    return lambda pixels: pixels.permute(0, 2, 3, 1).double().numpy()
