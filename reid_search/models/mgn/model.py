"""The multiple granularity network."""

import copy

from torch import nn

from reid_search.backbones import build_backbone
from reid_search.models.layers.branch import Branch, HeadSettings
from reid_search.models.layers.branched import BranchedModel
from reid_search.models.layers.heads import build_reduction
from reid_search.models.mgn.config import MGNConfig
from reid_search.models.model import ReidModel


def build(config: MGNConfig, image_size: tuple[int, int]) -> ReidModel:
    """Build the network; all branches start from the same weights, pretrained or not."""
    settings = HeadSettings.of(config)
    blocks = build_backbone(config.backbone, config.weights, config.plans[0].stride)
    shared, rest = blocks.cut(config.shared_blocks)
    reduction = None
    if config.reduction_shared:
        reduction = build_reduction(settings.channels, config.embedding_dim, config.reduction)
    branches = nn.ModuleList()
    for plan in config.plans:
        own = copy.deepcopy(rest)
        own.set_last_stride(plan.stride)
        region = config.region(plan, image_size)
        branches.append(Branch(plan.name, own, plan.cuts, settings, reduction, region))
    return BranchedModel(config.taps(image_size), config.default_readout, shared, branches, reduction=reduction)
