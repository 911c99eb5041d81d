"""What ResNets are made of; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block
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
}


_PUBLISHED = {
    "resnet18": "f37072fd",
    "resnet34": "b627a593",
    "resnet50": "0676ba61",
    "resnet101": "63fe2227",
    "resnet152": "394f9c45",
    "resnext50_32x4d": "7cdf4587",
    "wide_resnet50_2": "95faca4d",
}


class ResNetConfig(BackboneConfig):
    """A ResNet as torchvision builds it, or `resnet10_thin`, which trains on a CPU.

    Attributes:
        name: `resnet` and its number of layers.
    """

    weights_form: ClassVar[str] = "tensors by torchvision's names"
    body: ClassVar[tuple[str, ...]] = ("layer",)
    name: Literal["resnet10_thin", "resnet18", "resnet34", "resnet50", "resnet101"]

    @property
    def default_weights(self) -> DefaultWeights | None:
        """Torchvision's first weights (`IMAGENET1K_V1`), from which the published systems started."""
        if self.name not in _PUBLISHED:
            return None
        return DefaultWeights(f"https://download.pytorch.org/models/{self.name}-{_PUBLISHED[self.name]}.pth")

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `layer1_0`, `layer1_1`, …, `layer4_2`; `layer4_0` has the last stride."""
        return _blocks(STAGES[self.name], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before the stem, after a layer, or after the first block of the last two."""
        _, first, second, third, _ = accumulate(STAGES[self.name].depths, initial=1)
        return {
            "input": 0,
            "layer1": first,
            "layer2": second,
            "layer3.0": second + 1,
            "layer3": third,
            "layer4.0": third + 1,
        }


@cache
def _blocks(stages: Stages, last_stride: int) -> tuple[Block, ...]:
    blocks = [Block("stem", stages.stem, stages.stem_stride)]
    layers = zip(stages.depths, stages.channels, (1, 2, 2, last_stride), strict=True)
    for number, (depth, channels, stride) in enumerate(layers, start=1):
        blocks += [Block(f"layer{number}_{index}", channels, 1 if index else stride) for index in range(depth)]
    return tuple(blocks)


CONFIG = ResNetConfig
