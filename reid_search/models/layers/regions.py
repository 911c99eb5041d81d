"""Weights of a map's cells, computed from places on the image: boxes and Gaussians.

Places are in pixels with pixel centres at whole numbers, so an image of width W reaches from -0.5 to W - 0.5, and
mirroring moves x to W - 1 - x.
"""

import torch
from torch import Tensor

from reid_search.common.gaussians import bells
from reid_search.models.layers.resize import Size


def found(keypoints: Tensor, image_size: Size) -> Tensor:
    """Return `(B, J)`: whether a keypoint `(B, J, 3)` is marked (occluded or visible) and lies on the image."""
    x, y, visibility = keypoints.unbind(dim=2)
    height, width = image_size
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return (visibility > 0) & inside


def bounding_box(points: Tensor, present: Tensor, margin: float) -> Tensor:
    """Return left, top, right and bottom, `(B, 4)`, of the smallest box around the present points, `(B, J, 2)`.

    It is widened by `margin` pixels on every side; without points its left is inf and its right -inf.
    """
    absent = ~present[:, :, None]
    low = points.masked_fill(absent, torch.inf).amin(dim=1)
    high = points.masked_fill(absent, -torch.inf).amax(dim=1)
    return torch.cat([low - margin, high + margin], dim=1)


def box_weights(boxes: Tensor, image_size: Size, grid: Size) -> Tensor:
    """Return `(B, *grid)`: the share of each cell that a box `(B, 4)` covers, 0 to 1."""
    left, top, right, bottom = boxes.unbind(dim=1)
    rows = _covered(top, bottom, grid[0], image_size[0])
    columns = _covered(left, right, grid[1], image_size[1])
    return rows[:, :, None] * columns[:, None, :]


def stripe_weights(low: float, high: float, grid: Size, like: Tensor) -> Tensor:
    """Return `(1, *grid)`: the share of each cell that a stripe across the whole width covers.

    `low` and `high` are its top and bottom as shares of the height; `like` gives the device and the type.
    """
    edges = torch.tensor([[0.0, low, 1.0, high]], device=like.device, dtype=like.dtype) - 0.5
    return box_weights(edges, (1, 1), grid)


def gaussian_weights(points: Tensor, present: Tensor, sigma: float, image_size: Size, grid: Size) -> Tensor:
    """Return `(B, *grid)`: the sum of Gaussians of height 1 around the points that are present, `(B, J, 2)`.

    They are sampled at the middles of the cells; `sigma` is their standard deviation in pixels.
    """
    columns = _bell(points[:, :, 0], sigma, grid[1], image_size[1])
    rows = _bell(points[:, :, 1], sigma, grid[0], image_size[0]) * present[:, :, None]
    return rows.transpose(1, 2) @ columns


def _bell(places: Tensor, sigma: float, cells: int, length: int) -> Tensor:
    """Return `(B, J, cells)`, the Gaussian along one side; NaN must not spread from an absent place."""
    middles = (torch.arange(cells, device=places.device, dtype=places.dtype) + 0.5) * (length / cells) - 0.5
    return bells(places.nan_to_num(), middles, sigma)


def _covered(low: Tensor, high: Tensor, cells: int, length: int) -> Tensor:
    """Return `(B, cells)`: the share of each cell between two places along one side."""
    cell = length / cells
    starts = torch.arange(cells, device=low.device, dtype=low.dtype) * cell - 0.5
    ends = torch.minimum(high[:, None], starts + cell)
    return ((ends - torch.maximum(low[:, None], starts)) / cell).clamp(min=0)
