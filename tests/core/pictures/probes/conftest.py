"""A photo, and parts of it."""

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor


@pytest.fixture(scope="session")
def photo() -> Tensor:
    """(1,3,128,128): a person's face before a flag, in whole 255ths."""
    picture = data.astronaut()[:256:2, 100:356:2]
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def parts(photo: Tensor) -> Tensor:
    """(3,3,40,48): parts of the photo, small and not square."""
    corners = ((10, 40), (70, 0), (50, 60))
    return torch.cat([photo[..., top : top + 40, left : left + 48] for top, left in corners])
