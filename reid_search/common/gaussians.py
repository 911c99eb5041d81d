"""Gaussians on a grid over an image.

Places are in pixels, and the centre of the first pixel is at 0, so an image of width W reaches from -0.5 to W - 0.5.
"""

import torch
from torch import Tensor


def bells(places: Tensor, cells: Tensor, sigma: float) -> Tensor:
    """Return `(…, N, cells)`: Gaussians of height 1 along one side of a grid, taken at the centres of its cells.

    Args:
        places: `(…, N)` centres of the Gaussians.
        cells: `(cells,)` centres of the cells, in the unit of the places.
        sigma: Standard deviation, in the unit of the places.
    """
    return torch.exp(-((cells - places[..., None]) / sigma).square() / 2)
