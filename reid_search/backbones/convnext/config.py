"""What ConvNeXts are made of; no torch."""

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.study.trial.weights import DefaultWeights

_Depths = tuple[int, int, int, int]
_STAGES: dict[str, tuple[int, _Depths]] = {
    "convnext_atto": (40, (2, 2, 6, 2)),
    "convnext_femto": (48, (2, 2, 6, 2)),
    "convnext_pico": (64, (2, 2, 6, 2)),
    "convnext_nano": (80, (2, 2, 8, 2)),
    "convnext_tiny": (96, (3, 3, 9, 3)),
    "convnext_small": (96, (3, 3, 27, 3)),
    "convnext_base": (128, (3, 3, 27, 3)),
}

_TAGS = {
    "convnext_atto": "d2_in1k",
    "convnext_femto": "d1_in1k",
    "convnext_pico": "d1_in1k",
    "convnext_nano": "in12k_ft_in1k",
    "convnext_tiny": "in12k_ft_in1k",
    "convnext_small": "in12k_ft_in1k",
    "convnext_base": "fb_in22k_ft_in1k",
}


class ConvNeXtConfig(BackboneConfig):
    """A ConvNeXt as timm builds it, without the norm that timm applies after pooling.

    With last stride 1 the 2×2 convolution before the last stage slides by one cell, over a map with a further row and
    column of zeros, so that the map keeps its size; nothing is dilated.

    Attributes:
        name: Its name in timm.
    """

    weights_form: ClassVar[str] = "tensors by timm's names"
    body: ClassVar[tuple[str, ...]] = ("stem.", "stages.")
    name: Literal[
        "convnext_atto",
        "convnext_femto",
        "convnext_pico",
        "convnext_nano",
        "convnext_tiny",
        "convnext_small",
        "convnext_base",
    ]

    @property
    def default_weights(self) -> DefaultWeights:
        """Those that timm means by this name."""
        return DefaultWeights(f"timm/{self.name}.{_TAGS[self.name]}")

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `stages_0_blocks_0`, …; `stages_3_downsample` has the last stride."""
        return _blocks(*_STAGES[self.name], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before or after the stem, after a stage, or after the first block of the last two."""
        places = ("stem", "stages.0", "stages.1", "stages.2.blocks.0", "stages.2", "stages.3.blocks.0")
        return cuts_after(self.blocks(1), places)


@cache
def _blocks(width: int, depths: _Depths, last_stride: int) -> tuple[Block, ...]:
    blocks = [Block.at("stem", width, 4, window=4)]
    for stage, (depth, stride) in enumerate(zip(depths, (1, 2, 2, last_stride), strict=True)):
        channels = width * 2**stage
        if stage:
            blocks.append(Block.at(f"stages.{stage}.downsample", channels, stride, window=stride))
        blocks += [Block.at(f"stages.{stage}.blocks.{index}", channels) for index in range(depth)]
    return tuple(blocks)


CONFIG = ConvNeXtConfig
