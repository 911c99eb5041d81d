"""What the first two stages of OpenPose are made of; no torch."""

from typing import ClassVar, Literal

from reid_search.backbones.config import BackboneConfig, Block

FEATURES, LIMBS, JOINTS = 128, 38, 19


class OpenPoseConfig(BackboneConfig):
    """OpenPose's network for COCO up to its second stage (Cao et al. 2017), as Suh et al. 2018 use it.

    Its map has 38 channels of limbs, 19 of joints and the 128 features from which both are found. Its last stride is 1:
    maps are 8 times smaller than images.

    Attributes:
        name: `openpose`.
    """

    weights_form: ClassVar[str] = "tensors by the names of OpenPose's layers"
    body: ClassVar[tuple[str, ...]] = ("conv", "Mconv")
    last_strides: ClassVar[tuple[int, ...]] = (1,)
    name: Literal["openpose"]

    def blocks(self, last_stride: int) -> tuple[Block, ...]:
        """Return `features` and both stages, the first of which passes its features on."""
        channels = LIMBS + JOINTS + FEATURES
        return (
            Block("features", FEATURES, 8 * last_stride),
            Block("stage1", channels),
            Block("stage2", channels),
        )


CONFIG = OpenPoseConfig
