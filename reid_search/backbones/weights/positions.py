"""Tables of positions of another grid, interpolated as timm does."""

from math import isqrt
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from reid_search.errors import StudyError

_ABSOLUTE = ("pos_embed", "positional_embedding", "absolute_pos_embed")
_RELATIVE = "relative_position_bias_table"
INTERPOLATION = "bicubic"
GRID = "position_grid"
"""Rows and columns of a table, kept by the module that takes one of any grid, and saved where they are no square."""

Grid = tuple[int, int]


class Fitted(NamedTuple):
    """A table as the network takes it, and the grids from and to which it was interpolated; None to none yet."""

    table: Tensor
    source: Grid
    target: Grid | None


def is_table(name: str) -> bool:
    """Say whether a tensor is a table of positions."""
    return name.rpartition(".")[2] in (*_ABSOLUTE, _RELATIVE)


def fitted(
    name: str, table: Tensor, like: Tensor, *, leading: tuple[int, int], grid: Grid | None, kept: bool = False
) -> Fitted | None:
    """Interpolate a table of positions to the grid of the network's; None where it is no matter of the grid.

    Args:
        name: Its name.
        table: The file's, `(1, P + h·w, C)` or `(P + h·w, C)`; of relative positions `((2h - 1)·(2w - 1), heads)`.
        like: The network's, of the same form.
        leading: P in the file and in the network: the class token, and that of a distilled DeiT, which is left out
            where the network has none.
        grid: Rows and columns of the file's table; a square if None.
        kept: Whether the network takes a table of any grid as it is, and interpolates it to the patches of the images
            itself; a second interpolation before that would blur it.

    Raises:
        StudyError: The file's table is no square, and no grid is given; or the grid has another number of cells.
    """
    if table.ndim == 2 and like.ndim == 3:
        table = table[None]
    if table.ndim != like.ndim or table.shape[-1] != like.shape[-1]:
        return None
    if name.endswith(_RELATIVE):
        return _relative(table, like)
    source_leading, target_leading = leading
    if source_leading < target_leading:
        return None
    source = _grid(name, table.shape[1] - source_leading, grid)
    tokens, cells = table[:, :target_leading], table[:, source_leading:]
    if kept:
        return Fitted(torch.cat([tokens, cells], dim=1), source, None)
    target = _grid(name, like.shape[1] - target_leading, None)
    maps = _interpolated(cells.reshape(1, *source, -1).permute(0, 3, 1, 2), target)
    resized = maps.flatten(2).transpose(1, 2)
    return Fitted(torch.cat([tokens.to(resized.dtype), resized], dim=1), source, target)


def _relative(table: Tensor, like: Tensor) -> Fitted | None:
    source, target = isqrt(table.shape[0]), isqrt(like.shape[0])
    if source**2 != table.shape[0] or target**2 != like.shape[0]:
        return None
    heads = table.T.reshape(1, -1, source, source)
    resized = _interpolated(heads, (target, target))[0].flatten(1).T.contiguous()
    return Fitted(resized, (source, source), (target, target))


def _grid(name: str, cells: int, grid: Grid | None) -> Grid:
    if grid is None:
        side = isqrt(max(cells, 0))
        if side**2 == cells:
            return side, side
        raise StudyError(f"{name} has {cells} positions, which are no square; give its rows and columns as `grid`")
    if grid[0] * grid[1] != cells:
        raise StudyError(f"grid: {list(grid)}: {name} has {cells} positions, not {grid[0]} × {grid[1]}")
    return grid


def _interpolated(maps: Tensor, grid: Grid) -> Tensor:
    if tuple(maps.shape[2:]) == grid:
        return maps
    return functional.interpolate(maps.float(), size=grid, mode=INTERPOLATION, antialias=True, align_corners=False)
