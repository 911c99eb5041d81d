"""Triplet loss on taps."""

from collections.abc import Sequence

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.losses.triplet.config import TripletConfig
from reid_search.study import TapSpec


class _EuclideanDistance(LpDistance):  # type: ignore[misc]
    """Euclidean distance by differences; matrix products would lose small distances between large features."""

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor | None) -> Tensor:
        return torch.cdist(
            query_emb, query_emb if ref_emb is None else ref_emb, compute_mode="donot_use_mm_for_euclid_dist"
        )


class _MeanOfActive(MeanReducer):  # type: ignore[misc]
    """The mean over the triplets that violate the margin.

    The library's own reducer keeps only values above 0, which would hide NaN.
    """

    def element_reduction(self, losses: Tensor, *_: object) -> Tensor:
        return losses.sum() / (losses > 0).sum().clamp(min=1)


class TripletLoss(TapLoss):
    """The hardest triplet of each anchor, or all triplets of the batch; the mean over triplets and taps.

    The mean over hardest triplets includes those within the margin. An anchor without a positive has no triplet; a
    batch without triplets, such as one of a single identity, has the value 0 and a gradient of 0.
    """

    def __init__(self, config: TripletConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        power = 2 if config.distance == "squared" else 1
        distance = _EuclideanDistance(normalize_embeddings=config.normalize, p=2, power=power)
        hardest = config.mining == "batch_hard"
        self._miner = BatchHardMiner(distance=distance) if hardest else None
        self._loss = TripletMarginLoss(
            margin=0.0 if config.margin == "soft" else config.margin,
            smooth_loss=config.margin == "soft",
            triplets_per_anchor="all",
            distance=distance,
            reducer=MeanReducer() if hardest else _MeanOfActive(),
        )

    def value(self, _index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over triplets."""
        vectors, labels = features.flatten(1), targets.identities
        triplets = None if self._miner is None else self._miner(vectors, labels)
        value: Tensor = self._loss(vectors, labels, triplets)
        return value


build = TripletLoss
