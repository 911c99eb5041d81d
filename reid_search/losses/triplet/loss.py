"""Batch-hard triplet loss on taps."""

from collections.abc import Mapping, Sequence

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn

from reid_search.losses.triplet.config import TripletConfig
from reid_search.study import TapSpec


class BatchHardTripletLoss(nn.Module):
    """For each anchor the farthest positive and the nearest negative of the batch; the mean over anchors and taps.

    An anchor without a positive, or a batch of one identity, has no triplet and adds nothing.
    """

    def __init__(self, config: TripletConfig, taps: Sequence[TapSpec]) -> None:
        super().__init__()
        self._keys = [tap.key for tap in taps]
        distance = LpDistance(normalize_embeddings=False, p=2)
        soft = config.margin == "soft"
        self._miner = BatchHardMiner(distance=distance)
        self._loss = TripletMarginLoss(
            margin=0.0 if config.margin == "soft" else config.margin,
            smooth_loss=soft,
            distance=distance,
            reducer=MeanReducer(),
        )

    def forward(self, taps: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Return the mean over taps."""
        with torch.autocast(labels.device.type, enabled=False):
            return torch.stack([self._one(taps[key].flatten(1).float(), labels) for key in self._keys]).mean()

    def _one(self, features: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = self._loss(features, labels, self._miner(features, labels))
        return value


def build(config: TripletConfig, taps: Sequence[TapSpec], classes: int) -> nn.Module:
    """Build the loss on its taps."""
    del classes
    return BatchHardTripletLoss(config, taps)
