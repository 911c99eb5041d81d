"""The landmark network: a global vector and one for each region of the body."""

from typing import cast

from torch import nn

from reid_search.backbones import build_backbone
from reid_search.models.landmarks.config import LandmarksConfig
from reid_search.models.landmarks.localise import region_weights
from reid_search.models.landmarks.skeleton import regions_of
from reid_search.models.layers.branch import Head, build_vector_head, named, part_taps
from reid_search.models.layers.heads import Pooling
from reid_search.models.layers.weighted import weighted_pooling
from reid_search.models.model import Batch, ReidModel, Taps


class Landmarks(ReidModel):
    """A backbone, a head on the pooled map, and one on the average under each region's weights."""

    def __init__(self, config: LandmarksConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self.config = config
        self.backbone = build_backbone(config.backbone, config.weights, config.last_stride)
        self.pooling = Pooling(config.pooling)
        self.whole = build_vector_head(config.channels, config)
        self.regions = nn.ModuleDict(
            {region.name: build_vector_head(config.channels, config) for region in regions_of(config.regions)}
        )

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the global vector, of every region, and of their concatenation."""
        keypoints = batch.need("keypoints", "landmarks")
        features = self.backbone(batch.images)
        grid = (features.shape[2], features.shape[3])
        weights = region_weights(keypoints, self.config, batch.image_size, grid)
        vectors = weighted_pooling(features, weights).unbind(dim=1)
        taps = named("body.global", self.whole.stages(self.pooling(features)))
        heads = cast("list[Head]", list(self.regions.values()))
        parts = [head.stages(vector) for head, vector in zip(heads, vectors, strict=True)]
        return taps | part_taps([f"body.{name}" for name in self.regions], parts, "body")


build = Landmarks
