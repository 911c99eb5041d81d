"""Circle loss on the pairs of a batch."""

from collections.abc import Sequence

from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import CircleLoss as CircleOfPairs
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from reid_search.losses.circle.config import CircleConfig
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec


class _MeanOverAnchors(MeanReducer):  # type: ignore[misc]
    """The mean over the anchors that have a positive and a negative.

    The library's own reducer keeps only values above 0, which would hide NaN.
    """

    def element_reduction(self, losses: Tensor, _indices: object, _embeddings: Tensor, labels: Tensor) -> Tensor:
        same = labels[:, None] == labels
        has_both = (same.sum(1) > 1) & ~same.all(1)
        return losses.sum() / has_both.sum().clamp(min=1)


class CircleLoss(TapLoss):
    """Circle loss over each image's positives and negatives, averaged over images and taps.

    An image without a positive or a negative does not count; a batch of such images has the value 0, and a gradient
    of 0.
    """

    def __init__(self, config: CircleConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        self._loss = CircleOfPairs(
            m=config.margin, gamma=config.gamma, distance=CosineSimilarity(), reducer=_MeanOverAnchors()
        )

    def value(self, _index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the mean over images."""
        value: Tensor = self._loss(features.flatten(1), targets.identities)
        return value


build = CircleLoss
