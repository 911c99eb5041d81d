"""What GoogLeNet is made of; no torch."""

from typing import ClassVar, Literal, NamedTuple

from reid_search.backbones.config import BackboneConfig, Block


class Widths(NamedTuple):
    """Channels of the convolutions of an inception module, by kernel; those before 3×3 and 5×5 reduce."""

    ones: int
    before_threes: int
    threes: int
    before_fives: int
    fives: int
    pooled: int

    @property
    def total(self) -> int:
        """Channels of the module's map."""
        return self.ones + self.threes + self.fives + self.pooled


MODULES = {
    "inception_3a": Widths(64, 96, 128, 16, 32, 32),
    "inception_3b": Widths(128, 128, 192, 32, 96, 64),
    "inception_4a": Widths(192, 96, 208, 16, 48, 64),
    "inception_4b": Widths(160, 112, 224, 24, 64, 64),
    "inception_4c": Widths(128, 128, 256, 24, 64, 64),
    "inception_4d": Widths(112, 144, 288, 32, 64, 64),
    "inception_4e": Widths(256, 160, 320, 32, 128, 128),
}
"""The modules of Szegedy et al. 2015, table 1, up to the last that Suh et al. 2018 use."""
STRIDED = "inception_4a"


class GoogLeNetConfig(BackboneConfig):
    """GoogLeNet up to `inception_4e`, with local response norms, no batch norm, and poolings that round up.

    With last stride 1 there is no pooling after `inception_3b`, and what follows is dilated by two (Suh et al. 2018).

    Attributes:
        name: `googlenet_caffe`; torchvision's and timm's have batch norms.
    """

    weights_form: ClassVar[str] = "tensors by the names of Suh et al.'s code"
    body: ClassVar[tuple[str, ...]] = ("conv", "inception_")
    name: Literal["googlenet_caffe"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `stem`, `inception_3a`, …, `inception_4e`; `inception_4a` has the last stride."""
        modules = (
            Block(name, widths.total, last_stride, window=last_stride)
            if name == STRIDED
            else Block.at(name, widths.total)
            for name, widths in MODULES.items()
        )
        return (Block("stem", 192, 8, window=7), *modules)


CONFIG = GoogLeNetConfig
