"""What OSNets are made of; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after

CHANNELS = {
    "osnet_x1_0": (64, 256, 384, 512),
    "osnet_x0_75": (48, 192, 288, 384),
    "osnet_x0_5": (32, 128, 192, 256),
    "osnet_x0_25": (16, 64, 96, 128),
    "osnet_ibn_x1_0": (64, 256, 384, 512),
}


class OSNetConfig(BackboneConfig):
    """An omni-scale network without its fully connected layer (Zhou et al. 2019).

    `osnet_ibn_x1_0` has instance norm in its first convolution and in the blocks of `conv2`. Its last stage is not
    strided, as that of a ResNet with last stride 1: maps are 16 times smaller than images, and the last stride is 1.

    Attributes:
        name: Its name in the authors' code (torchreid).
    """

    weights_form: ClassVar[str] = "tensors by torchreid's names"
    body: ClassVar[tuple[str, ...]] = ("conv",)
    last_strides: ClassVar[tuple[int, ...]] = (1,)
    name: Literal["osnet_x1_0", "osnet_x0_75", "osnet_x0_5", "osnet_x0_25", "osnet_ibn_x1_0"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `conv2_0`, …, `conv4_1`, `conv5`; `conv2_2` and `conv3_2` halve the map."""
        stem, second, third, fourth = CHANNELS[self.name]
        return (
            Block("stem", stem, 4),
            *(Block.at(f"conv2.{index}", second) for index in range(2)),
            Block.at("conv2.2", second, 2, window=2),
            *(Block.at(f"conv3.{index}", third) for index in range(2)),
            Block.at("conv3.2", third, 2, window=2),
            Block.at("conv4.0", fourth, last_stride),
            Block.at("conv4.1", fourth),
            Block.at("conv5", fourth),
        )

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before or after the stem, after a stage, or after the first block of the last two."""
        return cuts_after(self.blocks(1), ("stem", "conv2", "conv3.0", "conv3", "conv4.0", "conv4"))


CONFIG = OSNetConfig
