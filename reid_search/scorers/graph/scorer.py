"""Re-scoring of each query's nearest images by a trained graph."""

from collections.abc import Callable
from typing import cast

import torch
from scipy.special import expit
from torch import Tensor, nn

from reid_search.common.arrays import Floats
from reid_search.scorers.graph.config import GraphScorerConfig
from reid_search.scorers.heads import testing_copy, to_array, to_device
from reid_search.scorers.top_k import Candidates, TopKRescorer


class GraphScorer(TopKRescorer):
    """Scores the nearest images of a query together.

    The head is a loss with `graph_scores(query (D,), gallery (K, D), gallery_ids (K,), *, alpha, edges) -> (K,)`.

    Raises:
        ScorerError: The loss has no graph.
        StudyError: The edges are `learnt`, and the loss was trained with others.
    """

    def __init__(self, config: GraphScorerConfig, head: nn.Module | None) -> None:
        super().__init__(config.top)
        self._mix = config.mix
        self._overrides = {"alpha": config.alpha, "edges": config.edges}
        self._head = testing_copy(head, "graph", "graph_scores")
        self._graph_scores = cast("Callable[..., Tensor]", self._head.graph_scores)
        cast("Callable[..., None]", self._head.check_edges)(config.edges)

    @torch.no_grad()
    def rescore(self, query: Floats, candidates: Candidates) -> Floats:
        """Return logits, or the mixture of probability and nearness (1 at distance 0, 0 for the farthest image)."""
        features = to_device(candidates.features, self._head)
        identities = torch.from_numpy(candidates.identities).to(features.device)
        scores = self._graph_scores(to_device(query, self._head), features, identities, **self._overrides)
        logits = to_array(scores)
        if self._mix == 0:
            return logits
        farthest = candidates.distances.max() or 1.0
        probability: Floats = expit(logits)
        return (1 - self._mix) * probability + self._mix * (1 - candidates.distances / farthest)


build = GraphScorer
