"""Resizing maps by two constant matrices, one for the rows and one for the columns.

The gradient is then two matrix products, which have a deterministic CUDA form; that of `interpolate` has none.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from reid_search.models.layers.precision import at_least_float32, full_precision

Size = tuple[int, int]


def resize(maps: Tensor, size: Size) -> Tensor:
    """Return maps `(B, C, *size)`: averaged along a side that shrinks, interpolated along one that grows."""
    return _by_matrices(maps, size, _fitting)


def resize_bilinear(maps: Tensor, size: Size) -> Tensor:
    """Return maps `(B, C, *size)` as torch's `interpolate(mode="bilinear", align_corners=False)` does."""
    return _by_matrices(maps, size, _bilinear)


def resize_area(maps: Tensor, size: Size) -> Tensor:
    """Return maps `(B, C, *size)`; each cell is the average of the area that it covers, parts of cells included."""
    return _by_matrices(maps, size, _area)


def spread_bilinear(weights: Tensor, size: Size, *, align_corners: bool = False) -> Tensor:
    """Return weights `(B, C, *size)` of cells such that `Σ weights · resize_bilinear(maps)` = `Σ spread · maps`.

    This is the transpose of bilinear resizing from `size` to the size of the weights; with it, a weighted sum over an
    enlarged map costs no more than one over the map itself. With `align_corners` the resizing is that of
    torch's `interpolate(mode="bilinear", align_corners=True)`.
    """
    height, width = weights.shape[2:]
    matrix = _aligned if align_corners else _bilinear
    with full_precision(weights):
        values = at_least_float32(weights)
        return matrix(size[0], height, values).T @ values @ matrix(size[1], width, values)


def _by_matrices(maps: Tensor, size: Size, matrix: Callable[[int, int, Tensor], Tensor]) -> Tensor:
    height, width = maps.shape[2:]
    if (height, width) == size:
        return maps
    with full_precision(maps):
        values = at_least_float32(maps)
        return matrix(height, size[0], values) @ values @ matrix(width, size[1], values).T


def _fitting(source: int, target: int, like: Tensor) -> Tensor:
    return _area(source, target, like) if target < source else _bilinear(source, target, like)


def _bilinear(source: int, target: int, like: Tensor) -> Tensor:
    """Return the matrix `(target, source)`; positions are integers in units of 1 / (2 · target), so none is rounded."""
    unit = 2 * target
    cells = torch.arange(source, device=like.device) * unit
    positions = (2 * torch.arange(target, device=like.device) + 1) * source - target
    distances = (positions.clamp(0, unit * (source - 1))[:, None] - cells).abs()
    return (unit - distances).clamp(min=0).to(like.dtype) / unit


def _aligned(source: int, target: int, like: Tensor) -> Tensor:
    """Return the matrix `(target, source)` under which the first cells coincide, and the last cells do."""
    unit = max(target - 1, 1)
    cells = torch.arange(source, device=like.device) * unit
    positions = torch.arange(target, device=like.device) * (source - 1)
    return (unit - (positions[:, None] - cells).abs()).clamp(min=0).to(like.dtype) / unit


def _area(source: int, target: int, like: Tensor) -> Tensor:
    """Return the matrix `(target, source)`: the share that each old cell has in a new one."""
    new = torch.arange(target + 1, device=like.device) * source
    old = torch.arange(source + 1, device=like.device) * target
    ends = torch.minimum(new[1:, None], old[1:])
    starts = torch.maximum(new[:-1, None], old[:-1])
    return (ends - starts).clamp(min=0).to(like.dtype) / source
