"""What ResNets are made of, those with instance norm included; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.errors import StudyError
from reid_search.study.trial.weights import DefaultWeights


@dataclass(frozen=True)
class Stages:
    """The stages of a ResNet.

    Attributes:
        depths: Blocks of `layer1` to `layer4`.
        channels: Channels of their maps.
        stem: Channels of the stem.
        stem_stride: Stride of the stem.
    """

    depths: tuple[int, int, int, int]
    channels: tuple[int, int, int, int]
    stem: int = 64
    stem_stride: int = 4


_BASIC, _BOTTLENECK = (64, 128, 256, 512), (256, 512, 1024, 2048)
STAGES = {
    "resnet10_thin": Stages((1, 1, 1, 1), (16, 32, 64, 128), stem=16, stem_stride=2),
    "resnet18": Stages((2, 2, 2, 2), _BASIC),
    "resnet34": Stages((3, 4, 6, 3), _BASIC),
    "resnet50": Stages((3, 4, 6, 3), _BOTTLENECK),
    "resnet101": Stages((3, 4, 23, 3), _BOTTLENECK),
    "resnet152": Stages((3, 8, 36, 3), _BOTTLENECK),
}
STAGES |= dict.fromkeys(("resnext50_32x4d", "wide_resnet50_2"), STAGES["resnet50"])
LAYER_CUTS = ("layer1", "layer2", "layer3.0", "layer3", "layer4.0")


_PUBLISHED = {
    "resnet18": "f37072fd",
    "resnet34": "b627a593",
    "resnet50": "0676ba61",
    "resnet101": "63fe2227",
    "resnet152": "394f9c45",
    "resnext50_32x4d": "7cdf4587",
    "wide_resnet50_2": "95faca4d",
    "resnet18_ibn_a": "2f571257",
    "resnet34_ibn_a": "94bc1577",
    "resnet50_ibn_a": "d9d0bb7b",
    "resnet101_ibn_a": "59ea0ac6",
    "resnet18_ibn_b": "bc2f3c11",
    "resnet34_ibn_b": "04134c37",
    "resnet50_ibn_b": "9ca61e85",
    "resnet101_ibn_b": "c55f6dba",
}


_IBN_NET = "https://github.com/XingangPan/IBN-Net/releases/download/v1.0"


class ResNetConfig(BackboneConfig):
    """A ResNet as torchvision builds it, one with instance norm, or `resnet10_thin`, which trains on a CPU.

    In an IBN-Net of kind `a` half of the channels of the first norm of every block of `layer1` to `layer3` are
    normalised by instance; in one of kind `b` those of the stem are, and the sum in the last block of `layer1` and of
    `layer2` (Pan et al. 2018).

    Attributes:
        name: `resnet` and its number of layers, with `_ibn_a` or `_ibn_b` where it has instance norm, and with `_ceil`
            where the stem pools without padding and rounds up (fast-reid's, Caffe's).
    """

    weights_form: ClassVar[str] = "tensors by torchvision's names"
    body: ClassVar[tuple[str, ...]] = ("layer",)
    name: Literal[
        "resnet10_thin",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnext50_32x4d",
        "wide_resnet50_2",
        "resnet18_ibn_a",
        "resnet34_ibn_a",
        "resnet50_ibn_a",
        "resnet101_ibn_a",
        "resnet152_ibn_a",
        "resnet18_ibn_b",
        "resnet34_ibn_b",
        "resnet50_ibn_b",
        "resnet101_ibn_b",
        "resnet152_ibn_b",
        "resnet50_ceil",
        "resnet50_ibn_a_ceil",
    ]

    @property
    def plain(self) -> str:
        """Name of the network without instance norm."""
        return self.source_name.partition("_ibn")[0]

    @property
    def ibn(self) -> str:
        """Kind of its instance norm, `a` or `b`; empty where it has none."""
        return self.source_name.partition("_ibn_")[2]

    def check_image_size(self, image_size: tuple[int, int], last_stride: int) -> None:
        """Refuse images of which an instance norm would see a single cell.

        Raises:
            StudyError: They are that small.
        """
        super().check_image_size(image_size, last_stride)
        cell = {"": 0, "a": 16, "b": 8}[self.ibn]  # pixels of a cell of the last map that is normalised by instance
        if max(image_size) <= cell:
            one = f"an instance norm of {self.name} would see a single cell"
            raise StudyError(f"{list(image_size)}: {one}; allowed: more than {cell} on one side")

    @property
    def default_weights(self) -> DefaultWeights | None:
        """Torchvision's first weights (`IMAGENET1K_V1`), from which the published systems started, or the authors'."""
        name = self.source_name
        if name not in _PUBLISHED:
            return None
        place = _IBN_NET if self.ibn else "https://download.pytorch.org/models"
        return DefaultWeights(f"{place}/{name}-{_PUBLISHED[name]}.pth")

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `layer1_0`, `layer1_1`, …, `layer4_2`; `layer4_0` has the last stride."""
        return layer_blocks(STAGES[self.plain], last_stride, window=3 if self.rounds_up else 1)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before the stem, after a layer, or after the first block of the last two."""
        return cuts_after(self.blocks(1), LAYER_CUTS)


@cache
def layer_blocks(stages: Stages, last_stride: int, window: int = 1) -> tuple[Block, ...]:
    """Return the blocks of a network with a stem of this window and `layer1` to `layer4`."""
    blocks = [Block("stem", stages.stem, stages.stem_stride, window)]
    layers = zip(stages.depths, stages.channels, (1, 2, 2, last_stride), strict=True)
    for number, (depth, channels, stride) in enumerate(layers, start=1):
        blocks += [Block.at(f"layer{number}.{index}", channels, 1 if index else stride) for index in range(depth)]
    return tuple(blocks)


CONFIG = ResNetConfig
