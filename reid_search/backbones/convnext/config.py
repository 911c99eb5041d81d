"""What ConvNeXts are made of; no torch."""

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.backbones.stages import Depths, stage_cuts, staged_blocks

_STAGES: dict[str, tuple[int, Depths]] = {
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
    tags: ClassVar[Mapping[str, str]] = _TAGS
    name: Literal[
        "convnext_atto",
        "convnext_femto",
        "convnext_pico",
        "convnext_nano",
        "convnext_tiny",
        "convnext_small",
        "convnext_base",
    ]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `stages_0_blocks_0`, …; `stages_3_downsample` has the last stride."""
        return _blocks(*_STAGES[self.name], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before or after the stem, after a stage, or after the first block of the last two."""
        return cuts_after(self._blocks, stage_cuts("stem", "stages"))


@cache
def _blocks(width: int, depths: Depths, last_stride: int) -> tuple[Block, ...]:
    return tuple(staged_blocks("stem", "stages", width, depths, last_stride, windowed=True))


CONFIG = ConvNeXtConfig
