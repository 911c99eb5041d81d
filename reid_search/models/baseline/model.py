"""The baseline: one global branch."""

from torch import nn

from reid_search.backbones import build_backbone
from reid_search.models.baseline.config import BaselineConfig
from reid_search.models.layers.branch import Branch, HeadSettings
from reid_search.models.layers.branched import BranchedModel
from reid_search.models.layers.shapes import Region
from reid_search.models.model import ReidModel


def build(config: BaselineConfig, image_size: tuple[int, int]) -> ReidModel:
    """Build the network."""
    settings = HeadSettings.of(config)
    blocks = build_backbone(config.backbone, config.weights, config.last_stride)
    branch = Branch("p1", blocks, 1, settings, region=Region.of(config.backbone, image_size, config.last_stride))
    return BranchedModel(
        config.taps(image_size),
        config.default_readout,
        nn.Sequential(),
        nn.ModuleList([branch]),
    )
