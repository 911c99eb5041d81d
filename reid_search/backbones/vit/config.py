"""What vision transformers are made of; no torch."""

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.study.trial.normalization import CLIP, HALVES
from reid_search.study.trial.weights import DefaultWeights

_DEPTH = 12
_WIDTHS = {"tiny": 192, "small": 384, "base": 768}

_TAGS = {
    "vit_tiny_patch16_224": "augreg_in21k_ft_in1k",
    "vit_small_patch16_224": "augreg_in21k_ft_in1k",
    "vit_base_patch16_224": "augreg2_in21k_ft_in1k",
}


class ViTConfig(BackboneConfig):
    """A vision transformer as timm builds it, its final norm included, for images of any size in multiples of 16.

    The tokens of the patches are the map. The class token (and the distillation token of a DeiT that has one) goes
    through all blocks, where the others attend to it, and is left out of the map. The table of positions has the grid
    with which its weights came, 14×14 patches where they are drawn, and is interpolated to the patches of the images.
    That of CLIP has a norm before its blocks. Nothing is strided after the patches, so the last stride is 1.

    Attributes:
        name: Its name in timm.
    """

    weights_form: ClassVar[str] = "tensors by timm's names"
    body: ClassVar[tuple[str, ...]] = ("patch_embed.", "norm_pre.", "blocks.", "norm.")
    last_strides: ClassVar[tuple[int, ...]] = (1,)
    patch: ClassVar[int] = 16
    keeps_grid: ClassVar[bool] = True
    name: Literal[
        "vit_tiny_patch16_224",
        "vit_small_patch16_224",
        "vit_base_patch16_224",
        "vit_base_patch16_clip_quickgelu_224",
        "deit_tiny_patch16_224",
        "deit_small_patch16_224",
        "deit_base_patch16_224",
        "deit_tiny_distilled_patch16_224",
        "deit_small_distilled_patch16_224",
        "deit_base_distilled_patch16_224",
    ]

    @property
    def default_weights(self) -> DefaultWeights:
        """Those that timm means by this name, of CLIP OpenAI's; only DeiT's were trained on ImageNet's means."""
        if self.name == "vit_base_patch16_clip_quickgelu_224":
            return DefaultWeights("timm/vit_base_patch16_clip_224.openai", CLIP)
        tag = _TAGS.get(self.name)
        if tag is None:
            return DefaultWeights(f"timm/{self.name}.fb_in1k")
        return DefaultWeights(f"timm/{self.name}.{tag}", HALVES)

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `embed`, `blocks_0`, …, `blocks_11`, `norm`."""
        return _blocks(_WIDTHS[self.name.split("_")[1]], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before or after the patches are embedded, or after a block."""
        return cuts_after(self.blocks(1), ("embed", *(f"blocks.{index}" for index in range(_DEPTH))))


@cache
def _blocks(width: int, last_stride: int) -> tuple[Block, ...]:
    embed = Block("embed", width, 16 * last_stride, window=16)
    return (embed, *(Block.at(f"blocks.{index}", width) for index in range(_DEPTH)), Block.at("norm", width))


CONFIG = ViTConfig
