"""Settings of the verification loss; no torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from reid_search.study import EntryError, LossConfig
from reid_search.study.component import Factor
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.study.trial.training import TrainingConfig


class VerificationConfig(LossConfig):
    """Two-way softmax cross-entropy on pairs of the batch, with a pair head on each tap.

    A pair's feature is an element-wise comparison of its two vectors; batch norm, dropout and a linear layer follow
    (Zheng et al. 2017, section 3.3, without batch norm; Shen et al. 2018, section 3.1, with it). `scores_pairs` says
    that it has a head that scores pairs.

    Attributes:
        comparison: `squared` difference, `absolute` difference or `product`.
        normalize: Whether vectors are scaled to unit length first.
        batch_norm: Whether the pair's feature is normalised over the pairs of the batch.
        dropout: Share of the pair's feature dropped (Zheng et al.: .9).
        negatives_per_positive: Total weight of negative pairs divided by that of positive pairs; null weights all pairs
            equally. A batch of P × K images has (P - 1) K / (K - 1) negative pairs per positive pair.
        pairs: `all` pairs of the batch, or those that `training.batch.order: pairs` has `drawn`.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("pairs",)
    kind: Literal["verification"]
    compares_images: ClassVar[bool] = True
    scores_pairs: ClassVar[bool] = True
    comparison: Literal["squared", "absolute", "product"] = "squared"
    normalize: bool = False
    batch_norm: bool = False
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    negatives_per_positive: Factor | None = 1.0
    pairs: Literal["all", "drawn"] = "all"

    def check_training(self, training: "TrainingConfig", _stages: Sequence[str]) -> None:
        """Raise an EntryError if it looks at drawn pairs, and batches have none or only one kind of them."""
        batch = training.batch
        if self.pairs == "drawn" and batch.order != "pairs":
            found = f"drawn, but training.batch.order is {batch.order}"
            raise EntryError(f"{found}; allowed: all, or batches of pairs", "pairs")
        if self.pairs == "drawn":
            count = batch.size // 2
            most, fewest = batch.pairs.counts(count)
            if most == 0 or fewest == count:
                found = f"drawn, but {'none' if most == 0 else 'each'} of the {several(count, 'pair')} of a batch"
                share = f"training.batch.pairs.same is {batch.pairs.same:g}"
                raise EntryError(f"{found} shows one person ({share}); allowed: all, or pairs of both kinds", "pairs")


CONFIG = VerificationConfig
