"""The five maps of SPReID, `(B, 5, h, w)`: foreground, then head, upper, lower, shoes."""

import torch
from torch import Tensor, nn

from reid_search.models.layers.resize import Size, resize_area, resize_bilinear
from reid_search.models.layers.shapes import stripe_bounds
from reid_search.study.trial.side_cars import PARTS

_PARSER_WIDTH = 64


def with_foreground(parts: Tensor) -> Tensor:
    """Return the sum of part maps `(B, 4, h, w)`, the probability of not being background, followed by the maps."""
    return torch.cat([parts.sum(dim=1, keepdim=True), parts], dim=1)


def side_car_maps(maps: Tensor, grid: Size) -> Tensor:
    """Return the five maps of part maps `(B, 4, H, W)` at the size of the images, averaged over cells."""
    return with_foreground(resize_area(maps, grid))


def parsed_maps(logits: Tensor) -> Tensor:
    """Return the five maps of a parser's logits `(B, 5, h, w)`: background, head, upper, lower, shoes."""
    return with_foreground(logits.float().softmax(dim=1)[:, 1:])


def stripe_maps(images: Tensor, grid: Size) -> Tensor:
    """Return four stripes of equal height, top to bottom, and a foreground that is everything."""
    rows = torch.zeros(1 + len(PARTS), grid[0], device=images.device)
    rows[0] = 1
    for part, (low, high) in enumerate(stripe_bounds(grid[0], len(PARTS)), start=1):
        rows[part, low:high] = 1
    return rows[None, :, :, None].expand(len(images), -1, -1, grid[1])


def uniform_maps(images: Tensor, grid: Size) -> Tensor:
    """Return maps that are 1 everywhere."""
    return torch.ones(len(images), 1 + len(PARTS), *grid, device=images.device)


class Parser(nn.Module):
    """Gives every cell logits of background, head, upper, lower and shoes.

    It reads a map of `channels`, made by its own backbone `blocks`; None where the map is given.
    """

    def __init__(self, channels: int, blocks: nn.Sequential | None) -> None:
        super().__init__()
        self.blocks = blocks
        self.head = nn.Sequential(
            nn.Conv2d(channels, _PARSER_WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(_PARSER_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(_PARSER_WIDTH, 1 + len(PARTS), 1),
        )

    def forward(self, images: Tensor, features: Tensor, grid: Size) -> Tensor:
        """Return logits `(B, 5, *grid)` of images, or of the features that another backbone found in them."""
        return resize_bilinear(self.head(features if self.blocks is None else self.blocks(images)), grid)
