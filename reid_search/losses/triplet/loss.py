"""Batch-hard triplet loss on taps."""

from collections.abc import Mapping, Sequence

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn

from reid_search.losses.targets import Targets
from reid_search.losses.triplet.config import TripletConfig
from reid_search.study import TapSpec


class _EuclideanDistance(LpDistance):  # type: ignore[misc]
    """Euclidean distance from differences; by matrix products, small distances between large features are noise."""

    def __init__(self) -> None:
        super().__init__(normalize_embeddings=False, p=2)

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor | None) -> Tensor:
        return torch.cdist(
            query_emb, query_emb if ref_emb is None else ref_emb, compute_mode="donot_use_mm_for_euclid_dist"
        )


class BatchHardTripletLoss(nn.Module):
    """For each anchor the farthest positive and the nearest negative of the batch; the mean over anchors and taps.

    The mean is over all anchors that have a triplet, those within the margin too. An anchor without a positive has
    none; a batch without any, such as one of a single identity, has the value 0 and a gradient of 0.
    """

    def __init__(self, config: TripletConfig, taps: Sequence[TapSpec]) -> None:
        super().__init__()
        self._keys = [tap.key for tap in taps]
        distance = _EuclideanDistance()
        soft = config.margin == "soft"
        self._miner = BatchHardMiner(distance=distance)
        self._loss = TripletMarginLoss(
            margin=0.0 if config.margin == "soft" else config.margin,
            smooth_loss=soft,
            distance=distance,
            reducer=MeanReducer(),
        )

    def forward(self, taps: Mapping[str, Tensor], targets: Targets) -> Tensor:
        """Return the mean over taps."""
        return torch.stack([self._one(taps[key].flatten(1).float(), targets.identities) for key in self._keys]).mean()

    def _one(self, features: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = self._loss(features, labels, self._miner(features, labels))
        return value


def build(config: TripletConfig, taps: Sequence[TapSpec], classes: int) -> nn.Module:
    """Build the loss on its taps."""
    del classes
    return BatchHardTripletLoss(config, taps)
