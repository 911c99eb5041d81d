"""Verification loss on taps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.errors import StudyError
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.losses.verification.config import VerificationConfig
from reid_search.losses.verification.head import PairHead
from reid_search.study import TapSpec


class VerificationLoss(TapLoss):
    """A pair head on each tap, and two-way cross-entropy on every pair of images in the batch, or every drawn one.

    A batch of one image has no pair, the value 0 and a gradient of 0. Batch norm needs at least two pairs.
    """

    def __init__(self, config: VerificationConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        self._negatives_per_positive, self._drawn = config.negatives_per_positive, config.pairs == "drawn"
        self._dims = [tap.dim for tap in taps]
        self.heads = nn.ModuleList(PairHead(config, dim) for dim in self._dims)

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the weighted mean over pairs."""
        count = len(features)
        if count < 2:
            return features.sum() * 0
        head = cast("PairHead", self.heads[index])
        vectors = head.prepared(features.flatten(1))
        first, second = _pairs(count, self._drawn, features.device)
        same = targets.identities[first] == targets.identities[second]
        losses = functional.cross_entropy(head(vectors[first], vectors[second]), same.long(), reduction="none")
        return (_pair_weights(same, self._negatives_per_positive) * losses).sum()

    @torch.no_grad()
    def pair_scores(self, query: Tensor, gallery: Tensor) -> Tensor:
        """Return log-odds `(Q, K)` of showing the same person, averaged over the heads, in evaluation mode.

        Args:
            query: `(Q, D)` features in the precision of the parameters: the loss's taps concatenated, as the model
                returns them. Normalised blocks suit only a head with `normalize`.
            gallery: `(K, D)` features.

        Raises:
            StudyError: The features are not those of the loss's taps.
        """
        width = sum(self._dims)
        if not query.shape[1] == gallery.shape[1] == width:
            raise StudyError(
                f"the pair head compares {width} values ({', '.join(self._keys)}), but a readout gives it "
                f"{query.shape[1]}; read out the taps on which the loss sits"
            )
        pairs = zip(torch.split(query, self._dims, 1), torch.split(gallery, self._dims, 1), strict=True)
        with _as_tested(self):
            scores = [cast("PairHead", head).log_odds(*pair) for head, pair in zip(self.heads, pairs, strict=True)]
        return torch.stack(scores).mean(0)


def _pairs(count: int, drawn: bool, device: torch.device) -> Tensor:
    """Return the first and second places of pairs, `(2, N)`: all, or those that stand one after another."""
    if drawn:
        return torch.arange(count - count % 2, device=device).view(-1, 2).T
    return torch.triu_indices(count, count, offset=1, device=device)


def _pair_weights(same: Tensor, negatives_per_positive: float | None) -> Tensor:
    """Return the weight of each pair, summing to 1; equal if all pairs are positive or all are negative."""
    weights = torch.ones(same.shape, device=same.device)
    if negatives_per_positive is not None:
        of_negative = negatives_per_positive / (~same).sum().clamp(min=1)
        weights = torch.where(same, 1 / same.sum().clamp(min=1), of_negative)
    return weights / weights.sum()


@contextmanager
def _as_tested(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode while the block runs."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)


build = VerificationLoss
