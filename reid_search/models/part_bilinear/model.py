"""The part-aligned bilinear model: an appearance stream, a part stream, and their product."""

import torch
from torch import Tensor, nn

from reid_search.backbones import backbone_config, build_backbone
from reid_search.models.layers.bilinear import Stream, build_product, build_projection, finished
from reid_search.models.layers.branch import build_vector_head, named
from reid_search.models.layers.heads import Pooling
from reid_search.models.layers.resize import Size, resize
from reid_search.models.model import Batch, ReidModel, Taps
from reid_search.models.part_bilinear.config import PartBilinearConfig
from reid_search.study.trial.side_cars import KEYPOINTS


class PartBilinear(ReidModel):
    """Two streams on one grid, fused to one vector with a head."""

    def __init__(self, config: PartBilinearConfig, image_size: tuple[int, int]) -> None:
        super().__init__(config.taps(image_size), config.default_readout)
        self.config = config
        blocks = build_backbone(config.backbone, config.weights, config.last_stride)
        self.appearance = Stream(blocks, config.channels, config.appearance_dim)
        self.parts = None if config.fusion == "appearance" else PartStream(config)
        if config.fusion in ("bilinear", "compact"):
            sizes = (config.appearance_dim, config.part_dim)
            self.fusion: nn.Module = build_product(sizes, config.fusion == "compact", config)
        else:
            self.fusion = Averages(config)
        self.head = build_vector_head(config.vector_size, config)

    def taps_of(self, batch: Batch) -> Taps:
        """Return the taps of the fused vector and of the keypoints' heat maps."""
        maps = [self.appearance(batch.images)]
        pose: Taps = {}
        if self.parts is not None:
            parts, heat = self.parts(batch.images, (maps[0].shape[2], maps[0].shape[3]))
            maps.append(parts)
            pose = {} if heat is None else {"pose@coarse": heat}
        taps = named("bilinear.global", self.head.stages(finished(self.fusion(*maps), self.config)))
        return taps | pose


class PartStream(nn.Module):
    """A backbone, heat maps of keypoints where it has none itself, and a projection of what there is."""

    def __init__(self, config: PartBilinearConfig) -> None:
        super().__init__()
        channels = backbone_config(config.part_backbone).channels
        self.blocks = build_backbone(
            config.part_backbone, config.part_weights, config.part_stride, entry="part_weights"
        )
        self.pose = nn.Conv2d(channels, len(KEYPOINTS), 1) if config.keypoints else None
        self.projection = build_projection(channels + len(KEYPOINTS) * config.keypoints, config.part_dim, 3)

    def forward(self, images: Tensor, grid: Size) -> tuple[Tensor, Tensor | None]:
        """Return the projected parts `(B, part_dim, *grid)` and the heat maps `(B, 17, *grid)`, if it gives any."""
        features = resize(self.blocks(images), grid)
        if self.pose is None:
            return self.projection(features), None
        heat = self.pose(features)
        return self.projection(torch.cat([features, heat], dim=1)), heat


class Averages(nn.Module):
    """The controls: every map is pooled on its own, and the vectors are concatenated."""

    def __init__(self, config: PartBilinearConfig) -> None:
        super().__init__()
        self.pooling = Pooling(config.pooling)

    def forward(self, *maps: Tensor) -> Tensor:
        """Return `(B, ΣC)` of maps `(B, C, h, w)`."""
        return torch.cat([self.pooling(values) for values in maps], dim=1)


build = PartBilinear
