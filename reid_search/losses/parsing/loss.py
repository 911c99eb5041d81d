"""Parsing loss on maps."""

from collections.abc import Sequence

import torch
from torch import Tensor

from reid_search.losses.parsing.config import ParsingConfig
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec


class ParsingLoss(TapLoss):
    """Cross-entropy between logits and part maps averaged down to their grid; the mean over places, images and taps."""

    def __init__(self, _config: ParsingConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)

    def value(self, _index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over places and images."""
        parts = area_average(targets.need("maps").float(), features.shape[2:])
        background = (1 - parts.sum(1, keepdim=True)).clamp(min=0)
        wanted = torch.cat([background, parts], dim=1)
        return -(wanted * features.log_softmax(1)).sum(1).mean()


def area_average(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Average maps `(B, C, H, W)` over the cells of a coarser grid, `size` rows and columns: `(B, C, h, w)`.

    A pixel that overlaps several cells counts in each with its overlap.
    """
    rows = _shares(maps.shape[2], size[0], maps.device)
    columns = _shares(maps.shape[3], size[1], maps.device)
    return rows @ maps @ columns.T


def _shares(pixels: int, cells: int, device: torch.device) -> Tensor:
    """Return the share of each pixel in each cell's average along one axis, `(cells, pixels)`; rows sum to 1."""
    width = pixels / cells
    start = torch.arange(cells, device=device)[:, None] * width
    pixel = torch.arange(pixels, device=device)
    overlap = torch.minimum(start + width, pixel + 1) - torch.maximum(start, pixel)
    return overlap.clamp(min=0) / width


build = ParsingLoss
