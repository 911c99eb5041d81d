"""A backbone as a list of named blocks, so that it can be cut between any two."""

from abc import abstractmethod
from pathlib import Path
from typing import Self, cast

from torch import nn

from reid_search.backbones.config import backbone_config
from reid_search.backbones.weights import Pretrained, Weights
from reid_search.study import BACKBONES
from reid_search.study.trial.weights import WeightsConfig, naming


class Backbone(nn.Sequential):
    """Blocks from images `(B, 3, H, W)` to a map `(B, C, h, w)`, or a run of such blocks.

    Attributes:
        pretrained: What it took from a file of weights; None where all were drawn.
    """

    pretrained: Pretrained | None = None

    @abstractmethod
    def set_last_stride(self, stride: int) -> None:
        """Change the stride of the last block that has one; weights stay, and so does a run without this block."""

    def cut(self, count: int) -> tuple[Self, Self]:
        """Return the first `count` blocks, and the others."""
        parts = cast("Self", self[:count]), cast("Self", self[count:])
        for part in parts:
            part.pretrained = self.pretrained
        return parts


def build_backbone(
    name: str, weights: WeightsConfig | Path | None, last_stride: int, *, entry: str = "weights"
) -> Backbone:
    """Build a backbone with freshly drawn weights, or with those of a file.

    Args:
        name: The backbone.
        weights: The file, or what a study says of it.
        last_stride: Stride of the last block that has one.
        entry: The entry of the model's config that names the file, for messages.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    config = backbone_config(name)
    with naming(entry):
        source = None if weights is None else Weights(config, WeightsConfig.model_validate(weights))
        backbone = cast("Backbone", BACKBONES.work_module(config).build(config, source))
        if source is not None:
            backbone.pretrained = source.finish(backbone)
    backbone.set_last_stride(last_stride)
    return backbone
