"""Arithmetic of the backbones, without torch: channels, map sizes, where they may be split."""

from dataclasses import dataclass, replace
from typing import Literal

from reid_search.errors import StudyError

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


@dataclass(frozen=True)
class Region:
    """The last map of a backbone, or a stripe of it, and the images that it comes from.

    Attributes:
        rows: Its height.
        columns: Its width.
        backbone: Name of the backbone.
        image_size: Height and width of the images.
    """

    rows: int
    columns: int
    backbone: str
    image_size: tuple[int, int]

    @classmethod
    def of(cls, backbone: str, image_size: tuple[int, int], last_stride: int) -> "Region":
        """Return the whole last map of a backbone."""
        return cls(*map_size(backbone, image_size, last_stride), backbone, image_size)

    def stripes(self, parts: int) -> "list[Region]":
        """Return its stripes, from the top down.

        Raises:
            StudyError: There are more stripes than rows.
        """
        if parts > self.rows:
            raise StudyError(
                f"parts: {parts} stripes do not fit a map of {self} ({self.backbone} on images of "
                f"{_by(*self.image_size)}); at most {self.rows}, or larger images"
            )
        return [replace(self, rows=high - low) for low, high in stripe_bounds(self.rows, parts)]

    def refuse(self, rows: int, columns: int) -> None:
        """Refuse a map of another size.

        Raises:
            StudyError: It has not the rows and columns of this region.
        """
        if (rows, columns) != (self.rows, self.columns):
            raise StudyError(
                f"pooling 'fc': this head was built for images of {_by(*self.image_size)}, on which its part of the "
                f"map is {self}, and got {_by(rows, columns)}; give images of {_by(*self.image_size)}, or choose a "
                "pooled head (avg, avg_max, gem, max), which takes any size"
            )

    def __str__(self) -> str:
        return _by(self.rows, self.columns)


def _by(height: int, width: int) -> str:
    return f"{height}×{width}"
