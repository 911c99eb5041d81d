"""SGGNN as a loss on taps, and its scores in testing."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reid_search.errors import StudyError
from reid_search.losses.graph.config import EdgeKind, GraphConfig
from reid_search.losses.graph.edges import same_identity
from reid_search.losses.graph.network import PairGraph
from reid_search.losses.graph.pairs import assign_roles
from reid_search.losses.tap_loss import TapLoss
from reid_search.losses.targets import Targets
from reid_search.study import TapSpec

_NEEDS_SCORES = ("supervised", "shuffled")


class GraphLoss(TapLoss):
    """Cross-entropy of probe-gallery pairs before and after the messages, and of gallery-gallery pairs.

    Each tap has its own graph; in testing, the features of the taps are concatenated and the log-odds are averaged over
    taps. A batch without two images of an identity has the value 0 and a gradient of 0. Which image of an identity is
    its probe depends on the order of the batch; the order of identities and of the gallery does not matter.
    """

    def __init__(self, config: GraphConfig, taps: Sequence[TapSpec], _classes: int) -> None:
        super().__init__(taps)
        self._config = config
        self._dims = [tap.dim for tap in taps]
        self.graphs = nn.ModuleList(PairGraph(config, dim) for dim in self._dims)
        self._messages = True

    def enter(self, stage: str) -> None:
        """Begin a stage of training; those of the base model send no messages."""
        self._messages = stage not in self._config.base_stages

    def value(self, index: int, features: Tensor, targets: Targets) -> Tensor:
        """Return the sum of the cross-entropies of one tap."""
        graph, identities = self._graphs()[index], targets.identities
        vectors = features.detach() if self._config.features == "frozen" else features
        probe, gallery = assign_roles(identities)
        if not probe.any():
            return (vectors.sum() + graph.scorer.weight.sum()) * 0
        return self._cross_entropies(
            graph, vectors.flatten(1)[probe], vectors.flatten(1)[gallery], identities[probe], identities[gallery]
        )

    def pair_scores(self, query: Tensor, gallery: Tensor) -> Tensor:
        """Return the base model's log-odds `(Q, K)` for queries `(Q, D)` and gallery `(K, D)`; in evaluation mode."""
        scores = [
            graph.score(graph.nodes(one, other))
            for graph, one, other in zip(self._graphs(), self._split(query), self._split(gallery), strict=True)
        ]
        return torch.stack(scores).mean(dim=0)

    def graph_scores(
        self,
        query: Tensor,
        gallery: Tensor,
        gallery_ids: Tensor | None = None,
        *,
        alpha: float | None = None,
        edges: EdgeKind | None = None,
    ) -> Tensor:
        """Return log-odds after the messages, `(K,)`; in evaluation mode.

        Args:
            query: `(D,)`.
            gallery: `(K, D)`, one graph.
            gallery_ids: `(K,)` identities, -1 for junk and 0 for distractors; only `oracle` reads them.
            alpha: Share of the messages; as in training if omitted.
            edges: Kind of edges; as in training if omitted.

        Raises:
            StudyError: The edges are `learnt` and the training had others, or `oracle` without identities.
        """
        kind = edges or self._config.edges
        share = self._config.alpha if alpha is None else alpha
        self.check_edges(kind)
        if kind == "oracle" and gallery_ids is None:
            raise StudyError("edges: oracle needs the identities of the gallery; allowed without: supervised, uniform")
        nobody = torch.zeros(len(gallery), len(gallery), dtype=torch.bool, device=gallery.device)
        same = nobody if gallery_ids is None else same_identity(gallery_ids)
        scores = []
        for graph, one, other in zip(self._graphs(), self._split(query[None]), self._split(gallery), strict=True):
            nodes = graph.nodes(one, other)
            if share > 0:
                pairs = graph.gallery_scores(other) if kind in _NEEDS_SCORES else other.new_zeros(0)
                nodes = graph.after_messages(nodes, graph.edges(kind, nodes, pairs, same), share)
            scores.append(graph.score(nodes)[0])
        return torch.stack(scores).mean(dim=0)

    def check_edges(self, edges: EdgeKind | None) -> None:
        """Raise a StudyError if the edges are `learnt` and the training had others."""
        if edges == "learnt" and self._config.edges != "learnt":
            raise StudyError(
                f"edges: learnt: this loss was trained with edges: {self._config.edges} and has not learnt any; "
                "allowed: supervised, uniform, oracle, shuffled"
            )

    def _cross_entropies(
        self, graph: PairGraph, probes: Tensor, gallery: Tensor, wanted: Tensor, owners: Tensor
    ) -> Tensor:
        """Return the sum over pairs before the messages, pairs after them, and gallery-gallery pairs.

        Probes are `(P, D)` with the identities `wanted` `(P,)`, the gallery is `(G, D)` with `owners` `(G,)`.
        """
        kind, alpha, weight = self._config.edges, self._config.alpha, self._config.edge_weight
        targets = wanted[:, None] == owners[None]
        same = owners[:, None] == owners[None]
        nodes = graph.nodes(probes, gallery)
        pairs = graph.gallery_scores(gallery) if kind in _NEEDS_SCORES else gallery.new_zeros(0)
        value = self._cross_entropy(graph.score(nodes), targets)
        if self._messages:
            updated = graph.after_messages(nodes, graph.edges(kind, nodes, pairs, same), alpha)
            value = value + self._cross_entropy(graph.score(updated), targets)
        if not len(pairs) or weight == 0:
            return value
        rows, columns = torch.triu_indices(len(owners), len(owners), offset=1, device=owners.device)
        return value + weight * self._cross_entropy(pairs, same[rows, columns])

    def _cross_entropy(self, scores: Tensor, targets: Tensor) -> Tensor:
        weight = self._config.positive_weight
        balance = (~targets).sum().clamp(min=1) / targets.sum().clamp(min=1)
        factor = balance if weight == "balanced" else scores.new_tensor(weight)
        return functional.binary_cross_entropy_with_logits(scores, targets.to(scores.dtype), pos_weight=factor)

    def _graphs(self) -> list[PairGraph]:
        return [cast("PairGraph", graph) for graph in self.graphs]

    def _split(self, features: Tensor) -> tuple[Tensor, ...]:
        if features.shape[1] != sum(self._dims):
            raise StudyError(
                f"features of {features.shape[1]} values, but this loss sits on {', '.join(self._keys)} with "
                f"{sum(self._dims)}; read out the same taps"
            )
        return torch.split(features, self._dims, dim=1)


build = GraphLoss
