"""Vision transformers in blocks."""

import math
from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.backbones.backbone import Backbone, modules_of, timm_network
from reid_search.backbones.vit.config import ViTConfig
from reid_search.backbones.weights import Weights
from reid_search.backbones.weights.positions import GRID


class Tokens(NamedTuple):
    """What passes between the blocks.

    Attributes:
        sequence: `(B, P + h·w, C)`: the class token (and the distillation token), then those of the patches.
        grid: Rows and columns of patches.
    """

    sequence: Tensor
    grid: tuple[int, int]


class ViT(Backbone):
    """A vision transformer without its head."""

    def as_map(self, features: Tensor | Tokens) -> Tensor:
        """Return the tokens of the patches as a map."""
        assert isinstance(features, Tokens)
        rows, columns = features.grid
        patches = features.sequence[:, -rows * columns :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], rows, columns)

    def forward(self, features: Tensor | Tokens) -> Tensor | Tokens:
        """Return a map of images or tokens, or tokens where the last blocks are missing."""
        for block in self:
            if isinstance(features, Tokens):
                features = Tokens(block(features.sequence), features.grid)
            else:
                features = block(features)
        return self.as_map(features) if hasattr(self, "norm") else features


class Embedding(nn.Module):
    """Turns images into tokens with positions: timm's, except that its gradient repeats on a GPU.

    Attributes:
        position_grid: Rows and columns of its table of positions, which is that of its file of weights.

    Args:
        network: The network of timm.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.patch_embed = network.get_submodule("patch_embed")
        self.cls_token = network.get_parameter("cls_token")
        distilled = hasattr(network, "dist_token")
        self.dist_token = network.get_parameter("dist_token") if distilled else None
        self.pos_embed = network.get_parameter("pos_embed")
        self.norm_pre = network.get_submodule("norm_pre")
        self._firsts = 1 + distilled
        self.position_grid: tuple[int, int] = getattr(network, GRID, self._square())

    def forward(self, images: Tensor) -> Tokens:
        """Return the tokens of images `(B, 3, H, W)`."""
        patches = self.patch_embed(images)
        grid = (int(patches.shape[1]), int(patches.shape[2]))
        firsts = [token.expand(len(images), -1, -1) for token in (self.cls_token, self.dist_token) if token is not None]
        tokens = torch.cat([*firsts, patches.flatten(1, 2)], dim=1) + self.positions(grid)
        return Tokens(self.norm_pre(tokens), grid)

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Return the table of positions for these rows and columns of patches, `(1, P + h·w, C)`."""
        if grid == self.position_grid:
            return self.pos_embed
        table = self.pos_embed[0, self._firsts :].reshape(*self.position_grid, -1)
        rows, columns = (_interpolation(own, side, table) for own, side in zip(self.position_grid, grid, strict=True))
        resized = torch.einsum("hi,iwc->hwc", rows, columns @ table).flatten(0, 1)
        return torch.cat([self.pos_embed[:, : self._firsts], resized[None]], dim=1)

    def _square(self) -> tuple[int, int]:
        side = math.isqrt(self.pos_embed.shape[1] - self._firsts)
        return side, side

    def _save_to_state_dict(self, destination: dict[str, Tensor], prefix: str, keep_vars: bool) -> None:
        """Save the grid as well where the table does not tell it."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.position_grid != self._square():
            destination[prefix + GRID] = torch.tensor(self.position_grid)

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *others: object) -> None:
        """Take a table of another grid as it is: it came with the weights that the saved network started from."""
        grid, table = state.pop(prefix + GRID, None), state.get(f"{prefix}pos_embed")
        if table is not None and table.shape[::2] == self.pos_embed.shape[::2]:
            if table.shape != self.pos_embed.shape:
                self.pos_embed.data = self.pos_embed.new_empty(table.shape)
            self.position_grid = self._square() if grid is None else (int(grid[0]), int(grid[1]))
        super()._load_from_state_dict(state, prefix, *others)


def _interpolation(source: int, target: int, like: Tensor) -> Tensor:
    """Return the matrix `(target, source)` of a bicubic interpolation with anti-aliasing.

    The gradient of `interpolate` has no deterministic form on a GPU; that of a matrix product has.
    """
    cells = torch.eye(source, dtype=like.dtype, device=like.device)[None, None]
    return functional.interpolate(cells, size=(target, source), mode="bicubic", antialias=True)[0, 0]


def build(config: ViTConfig, weights: Weights | None) -> ViT:
    """Build a vision transformer with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network = timm_network(config, weights, head=("head.", "head_dist."), dynamic_img_size=True)
    blocks: OrderedDict[str, nn.Module] = OrderedDict(embed=Embedding(network))
    return ViT(blocks | modules_of(network, config.blocks(1)[1:]))
