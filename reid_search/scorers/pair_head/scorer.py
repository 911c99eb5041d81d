"""The trained head of a pair loss, query by query, in blocks of the gallery."""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from reid_search.common.arrays import Floats, chunks
from reid_search.scorers.heads import testing_copy, to_array, to_device
from reid_search.scorers.pair_head.config import PairHeadConfig
from reid_search.scorers.top_k import Candidates, TopKRescorer

_BLOCK_VALUES = 2_000_000


class PairHeadScorer(TopKRescorer):
    """Scores by a pair head.

    The head is a loss with `pair_scores(query (Q, D), gallery (K, D)) -> (Q, K)`, larger meaning more similar, which
    takes features in the precision of its parameters.
    """

    def __init__(self, config: PairHeadConfig, head: nn.Module | None) -> None:
        super().__init__(config.top)
        self._head = testing_copy(head, "pair_head", "pair_scores")
        self._pair_scores = cast("Callable[[Tensor, Tensor], Tensor]", self._head.pair_scores)

    @torch.no_grad()
    def rescore(self, query: Floats, candidates: Candidates) -> Floats:
        """Return the head's scores, `(K,)`."""
        one = to_device(query[None], self._head)
        size = max(1, _BLOCK_VALUES // candidates.features.shape[1])
        blocks = [candidates.features[rows] for rows in chunks(len(candidates.features), size)]
        return np.concatenate([to_array(self._pair_scores(one, to_device(block, self._head))[0]) for block in blocks])


build = PairHeadScorer
