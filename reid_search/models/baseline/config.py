"""Settings of the baseline; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from reid_search.models.layers.settings import HeadName, RegionSettings
from reid_search.models.layers.taps import branch_taps, head_stages
from reid_search.study import TapSpec


class BaselineConfig(RegionSettings):
    """One global branch on a backbone, named `p1` so that loss placements also work with MGN and vice versa.

    The defaults are those of the strong baseline of Luo et al. 2019: last stride 1, average pooling, BNNeck, triplet
    loss before the neck and identity loss after it.

    Attributes:
        last_stride: Last stride of the backbone (of `layer4` in a ResNet).
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@neck"]},
        "triplet": {"kind": "triplet", "on": ["global@coarse"], "margin": 0.3},
    }
    architecture: Literal["baseline"]
    pooling: HeadName = "avg"
    neck: Literal["none", "bnneck"] = "bnneck"
    last_stride: Literal[1, 2] = 1

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The last stage."""
        return (self.last_stage,)

    def taps(self, _image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the one branch."""
        return tuple(branch_taps(0, "p1", {}, head_stages(self)))


CONFIG = BaselineConfig
