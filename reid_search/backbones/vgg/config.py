"""What VGG-16 is made of; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block

STAGES = ("conv1", "conv2", "conv3", "conv4", "conv5")
WIDTHS, CONVOLUTIONS = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)


class VGGConfig(BackboneConfig):
    """VGG-16 up to the ReLU of its last convolution, as bilinear CNNs use it (Lin et al. 2015, section 4.1).

    It has no batch norm. Each stage but the first begins with the pooling before it; with last stride 1, `conv5` does
    not pool.

    Attributes:
        name: Its name in timm.
    """

    weights_form: ClassVar[str] = "tensors by timm's and torchvision's names"
    body: ClassVar[tuple[str, ...]] = ("features.",)
    tags: ClassVar[Mapping[str, str]] = {"vgg16": "tv_in1k"}
    name: Literal["vgg16"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `conv1` to `conv5`; all but the first halve the map, and `conv5` has the last stride."""
        strides = (1, 2, 2, 2, last_stride)
        return tuple(
            Block(name, width, stride, window=stride)
            for name, width, stride in zip(STAGES, WIDTHS, strides, strict=True)
        )


CONFIG = VGGConfig
