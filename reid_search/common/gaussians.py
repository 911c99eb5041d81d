"""Gaussians on a grid over an image.

Places are in pixels, and the centre of the first pixel is at 0, so an image of width W reaches from -0.5 to W - 0.5.
"""

import torch
from torch import Tensor


def bells(places: Tensor, cells: Tensor, sigma: float) -> Tensor:
    """Return Gaussians of height 1 along one side of a grid, `(…, N, cells)`, sampled at the centres of its cells.

    Their centres `(…, N)`, those of the cells `(cells,)` and the standard deviation are in one unit.
    """
    return torch.exp(-((cells - places[..., None]) / sigma).square() / 2)
