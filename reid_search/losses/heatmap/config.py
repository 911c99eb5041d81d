"""Settings of the heat map loss; no torch."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from reid_search.losses.checks import check_shape
from reid_search.study import LossConfig, TapSpec
from reid_search.study.trial.side_cars import KEYPOINTS, SideCar
from reid_search.study.trial.taps import Scope


class HeatmapConfig(LossConfig):
    """Mean squared error between a map of each keypoint and a Gaussian around it (Wei et al. 2016, section 3.2).

    The tap holds heights, without a sigmoid or softmax. The map of an absent keypoint does not count.

    Attributes:
        sigma: Standard deviation of the Gaussians, whose peak is 1, in cells of the map.
    """

    kind: Literal["heatmap"]
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.MAP})
    of_identities: ClassVar[bool] = False
    sigma: float = Field(default=1.0, ge=0.05, le=100.0)

    @property
    def needs(self) -> frozenset[SideCar]:
        """Keypoints."""
        return frozenset({"keypoints"})

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Raise a StudyError if a tap is not a map of 17 channels."""
        for tap in taps:
            check_shape(self.kind, tap, len(KEYPOINTS), 3, "channels, one for each keypoint")


CONFIG = HeatmapConfig
