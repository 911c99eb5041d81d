"""What Inception-V3 is made of; no torch."""

from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block
from reid_search.study.trial.normalization import HALVES
from reid_search.study.trial.weights import DefaultWeights


class InceptionConfig(BackboneConfig):
    """Inception-V3 as timm builds it, without its auxiliary classifier, for images of at least 75×75 pixels.

    Its stem is everything before `Mixed_5b`; it may be cut after every block. With last stride 1 the kernels of
    `Mixed_7a`, which have no padding, slide by one cell, so that the map loses its border instead of half its sides.

    Attributes:
        name: Its name in timm; with `_ceil` the poolings of the stem round up, as Chainer's do (SPReID's code).
    """

    weights_form: ClassVar[str] = "tensors by timm's and torchvision's names"
    body: ClassVar[tuple[str, ...]] = ("Conv2d_", "Mixed_")
    name: Literal["inception_v3", "inception_v3_ceil"]

    @property
    def default_weights(self) -> DefaultWeights:
        """Torchvision's, as timm keeps them, trained on other means than ImageNet's."""
        return DefaultWeights("timm/inception_v3.tv_in1k", HALVES)

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `Mixed_5b`, …, `Mixed_7c`; `Mixed_7a` has the last stride."""
        return (
            Block("stem", 192, 8, window=21 if self.rounds_up else 27),
            Block.at("Mixed_5b", 256),
            Block.at("Mixed_5c", 288),
            Block.at("Mixed_5d", 288),
            Block.at("Mixed_6a", 768, 2, window=3),
            *(Block.at(f"Mixed_6{letter}", 768) for letter in "bcde"),
            Block.at("Mixed_7a", 1280, last_stride, window=3),
            Block.at("Mixed_7b", 2048),
            Block.at("Mixed_7c", 2048),
        )


CONFIG = InceptionConfig
