"""What ResNeSts are made of; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.backbones.resnet.config import LAYER_CUTS, Stages, layer_blocks

_CHANNELS = (256, 512, 1024, 2048)
STAGES = {
    "resnest14d": Stages((1, 1, 1, 1), _CHANNELS),
    "resnest26d": Stages((2, 2, 2, 2), _CHANNELS),
    "resnest50d": Stages((3, 4, 6, 3), _CHANNELS),
    "resnest101e": Stages((3, 4, 23, 3), _CHANNELS, stem=128),
}

_TAGS = {"resnest14d": "gluon_in1k", "resnest26d": "gluon_in1k", "resnest50d": "in1k", "resnest101e": "in1k"}


class ResNeStConfig(BackboneConfig):
    """A ResNet with split attention, as timm builds it.

    With last stride 1 the pooling in `layer4.0` slides by one cell and that of its shortcut is left out, as in the
    authors' networks with dilation.

    Attributes:
        name: Its name in timm.
    """

    weights_form: ClassVar[str] = "tensors by timm's names"
    body: ClassVar[tuple[str, ...]] = ("layer",)
    tags: ClassVar[Mapping[str, str]] = _TAGS
    name: Literal["resnest14d", "resnest26d", "resnest50d", "resnest101e"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `layer1_0`, `layer1_1`, …, `layer4_2`; `layer4_0` has the last stride."""
        return layer_blocks(STAGES[self.name], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before the stem, after a layer, or after the first block of the last two."""
        return cuts_after(self.blocks(1), LAYER_CUTS)


CONFIG = ResNeStConfig
