"""What Swin transformers are made of; no torch."""

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block, cuts_after
from reid_search.backbones.stages import Depths, stage_cuts, staged_blocks

_STAGES: dict[str, tuple[int, Depths]] = {
    "swin_tiny_patch4_window7_224": (96, (2, 2, 6, 2)),
    "swin_small_patch4_window7_224": (96, (2, 2, 18, 2)),
    "swin_base_patch4_window7_224": (128, (2, 2, 18, 2)),
}

_TAGS = {
    "swin_tiny_patch4_window7_224": "ms_in1k",
    "swin_small_patch4_window7_224": "ms_in22k_ft_in1k",
    "swin_base_patch4_window7_224": "ms_in22k_ft_in1k",
}


class SwinConfig(BackboneConfig):
    """A Swin transformer as timm builds it, its final norm included, for images of any size in multiples of 4.

    Windows stay 7×7, with which its weights came; a map that they do not divide is padded with zeros. Patches are
    merged two by two before the last stage, so the last stride is 2.

    Attributes:
        name: Its name in timm.
    """

    weights_form: ClassVar[str] = "tensors by timm's names"
    body: ClassVar[tuple[str, ...]] = ("patch_embed.", "layers.", "norm.")
    tags: ClassVar[Mapping[str, str]] = _TAGS
    last_strides: ClassVar[tuple[int, ...]] = (2,)
    patch: ClassVar[int] = 4
    name: Literal["swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swin_base_patch4_window7_224"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `patch_embed`, `layers_0_blocks_0`, …, `layers_1_downsample`, …, `norm`."""
        return _blocks(*_STAGES[self.name], last_stride)

    @property
    def cuts(self) -> Mapping[str, int]:
        """Before or after the patches are embedded, after a stage, or after the first block of the last two."""
        return cuts_after(self._blocks, (*stage_cuts("patch_embed", "layers"), "layers.3"))


@cache
def _blocks(width: int, depths: Depths, last_stride: int) -> tuple[Block, ...]:
    blocks = tuple(staged_blocks("patch_embed", "layers", width, depths, last_stride, windowed=False))
    return (*blocks, Block.at("norm", blocks[-1].channels))


CONFIG = SwinConfig
