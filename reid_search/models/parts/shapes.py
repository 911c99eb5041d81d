"""Arithmetic of the backbones, without torch: channels, map sizes, where they may be split."""

from dataclasses import dataclass
from typing import Literal

BackboneName = Literal["resnet10_thin", "resnet18", "resnet34", "resnet50", "resnet101"]
SplitName = Literal["input", "layer1", "layer2", "layer3.0", "layer3", "layer4.0"]


@dataclass(frozen=True)
class BackboneShape:
    """What a backbone's maps look like.

    Attributes:
        channels: Channels of the last map.
        stem_stride: Stride before `layer1`.
    """

    channels: int
    stem_stride: int


BACKBONES: dict[str, BackboneShape] = {
    "resnet10_thin": BackboneShape(channels=128, stem_stride=2),
    "resnet18": BackboneShape(channels=512, stem_stride=4),
    "resnet34": BackboneShape(channels=512, stem_stride=4),
    "resnet50": BackboneShape(channels=2048, stem_stride=4),
    "resnet101": BackboneShape(channels=2048, stem_stride=4),
}


def map_size(backbone: str, image_size: tuple[int, int], last_stride: int) -> tuple[int, int]:
    """Return height and width of the last map.

    Args:
        backbone: Name of the backbone.
        image_size: Height and width of the image.
        last_stride: Stride of `layer4`, 1 or 2.
    """
    strides = [2] * (BACKBONES[backbone].stem_stride.bit_length() - 1) + [2, 2, last_stride]
    height, width = image_size
    for stride in strides:
        height, width = -(-height // stride), -(-width // stride)
    return height, width


def stripe_bounds(rows: int, parts: int) -> list[tuple[int, int]]:
    """Return first and last-plus-one row of each stripe, as adaptive pooling cuts them."""
    return [(part * rows // parts, -(-(part + 1) * rows // parts)) for part in range(parts)]
