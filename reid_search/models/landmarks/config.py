"""Settings of the landmark network; no torch."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from reid_search.models.landmarks.skeleton import Kind, regions_of
from reid_search.models.layers.settings import BranchSettings
from reid_search.models.layers.taps import head_stages, pooling_parameters, vector_taps
from reid_search.study import Scope, SideCar, TapSpec


class LandmarksConfig(BranchSettings):
    """A global vector and one for each region of the body, located by keypoints.

    `body.global` is the pooled map; `body.head`, `body.upper`, `body.lower` (or the 14 joints, or seven with the limbs)
    are averages of the map under the regions' weights; `body.concat` concatenates the regions. Where its keypoints are
    missing, a region is a fixed stripe: the top sixth of the image for the head, the rest of the upper half for the
    upper body and arms, the lower half for the lower body and legs.

    Attributes:
        regions: `boxes` around the keypoints of head, upper and lower body; `heatmaps`: the sum of a Gaussian around
            each of these keypoints; `joints`: a Gaussian around each of 14 joints; `limbs`: boxes around head with
            shoulders, upper and lower body, each arm and each leg.
        margin: How far a box reaches beyond its keypoints, as a share of the image's height.
        sigma: Standard deviation of the Gaussians, as a share of the image's height; at least half a cell of the map.
    """

    default_losses: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "identity": {"kind": "cross_entropy", "on": ["global@neck", "part@neck"]},
        "triplet": {"kind": "triplet", "on": ["global@coarse"], "margin": 0.3},
    }
    architecture: Literal["landmarks"]
    neck: Literal["none", "bnneck"] = "bnneck"
    regions: Kind = "boxes"
    margin: float = Field(default=0.07, gt=0.0, le=0.5)
    sigma: float = Field(default=0.06, gt=0.0, le=0.5)

    @property
    def needs(self) -> frozenset[SideCar]:
        """Keypoints."""
        return frozenset({"keypoints"})

    @property
    def default_readout(self) -> tuple[str, ...]:
        """The global vector and those of the regions at the last stage."""
        return (self.last_stage,)

    def taps(self, _image_size: tuple[int, int]) -> tuple[TapSpec, ...]:
        """Return the taps of the global vector, of every region, and of their concatenation."""
        stages, below = head_stages(self, self.channels), ["backbone"]
        heads = {region.name: f"regions.{region.name}" for region in regions_of(self.regions)}
        pooled = (*below, *pooling_parameters(self))
        taps = list(vector_taps("body.global", Scope.GLOBAL, stages, pooled, ["whole"]))
        for name, head in heads.items():
            taps += vector_taps(f"body.{name}", Scope.PART, stages, below, [head])
        return (*taps, *vector_taps("body.concat", Scope.CONCAT, stages, below, list(heads.values())))


CONFIG = LandmarksConfig
