"""A backbone as a list of named blocks, so that it can be cut between any two."""

from abc import abstractmethod
from pathlib import Path
from typing import Self, cast

from torch import nn

from reid_search.backbones.config import backbone_config
from reid_search.study import BACKBONES


class Backbone(nn.Sequential):
    """Blocks from images `(B, 3, H, W)` to a map `(B, C, h, w)`, or a run of such blocks."""

    @abstractmethod
    def set_last_stride(self, stride: int) -> None:
        """Change the stride of the last block that has one; weights stay, and so does a run without this block."""

    def cut(self, count: int) -> tuple[Self, Self]:
        """Return the first `count` blocks, and the others."""
        return cast("Self", self[:count]), cast("Self", self[count:])


def build_backbone(name: str, weights: Path | None, last_stride: int) -> Backbone:
    """Build a backbone with freshly drawn weights, or with those of a file.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    config = backbone_config(name)
    backbone = cast("Backbone", BACKBONES.work_module(config).build(config, weights))
    backbone.set_last_stride(last_stride)
    return backbone
