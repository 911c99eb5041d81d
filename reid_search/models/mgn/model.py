"""The multiple granularity network."""

import copy

from torch import nn

from reid_search.models.layers.backbone import build_blocks, set_last_stride, split_blocks
from reid_search.models.layers.branch import Branch, HeadSettings
from reid_search.models.layers.branched import BranchedModel
from reid_search.models.layers.heads import build_reduction
from reid_search.models.mgn.config import MGNConfig
from reid_search.models.model import ReidModel


def build(config: MGNConfig, image_size: tuple[int, int]) -> ReidModel:
    """Build the network; every branch starts from the same weights, pretrained or not."""
    settings = HeadSettings.of(config)
    blocks = build_blocks(config.backbone, config.weights)
    if config.split == "layer4.0":
        set_last_stride(blocks, config.plans[0].stride)
    shared, rest = split_blocks(blocks, config.split)
    reduction = (
        build_reduction(settings.channels, config.embedding_dim, config.reduction) if config.reduction_shared else None
    )
    branches = nn.ModuleList()
    for plan in config.plans:
        own = copy.deepcopy(rest)
        if config.split != "layer4.0":
            set_last_stride(own, plan.stride)
        region = config.region(plan, image_size)
        branches.append(Branch(plan.name, own, plan.cuts, settings, reduction, region))
    return BranchedModel(
        config.taps(image_size),
        config.default_readout,
        shared,
        branches,
        reduction=reduction,
        pretrained=config.weights is not None,
    )
