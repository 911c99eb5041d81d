"""The network on the pairs of one tap: pair features, siamese scorer, messages, edges."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from reid_search.losses.comparison import compare
from reid_search.losses.graph.config import EdgeKind, GraphConfig
from reid_search.losses.graph.edges import all_others, shuffled, weights_of
from reid_search.losses.graph.pairs import PairNorm, symmetric


class PairGraph(nn.Module):
    """SGGNN on feature vectors of `dim` values.

    The same scorer scores nodes before any message (the base model), gallery-gallery pairs, and nodes after the
    messages; so with α = 0 the graph is its base model.
    """

    def __init__(self, config: GraphConfig, dim: int) -> None:
        super().__init__()
        self._config = config
        self.norm = PairNorm(dim)
        self.scorer = nn.Linear(dim, 1)
        self.message = _messages(dim, config.width or dim, config.message_layers)
        if config.edges == "learnt":
            self.receiver = nn.Linear(dim, config.width or dim, bias=False)
            self.sender = nn.Linear(dim, config.width or dim, bias=False)

    def nodes(self, probes: Tensor, gallery: Tensor) -> Tensor:
        """Return d of each pair, `(P, G, D)`, for probes `(P, D)` and gallery `(G, D)`."""
        pairs = compare(probes[:, None], gallery[None], self._config.pair)
        normed: Tensor = self.norm(pairs.flatten(0, 1))
        return normed.view_as(pairs)

    def score(self, nodes: Tensor) -> Tensor:
        """Return the log-odds `(…)` that the two images of each pair `(…, D)` are the same person."""
        scores: Tensor = self.scorer(nodes.flatten(0, -2)).view(nodes.shape[:-1])
        return scores

    def gallery_scores(self, gallery: Tensor) -> Tensor:
        """Return the log-odds of the gallery-gallery pairs (i, j) with i < j, `(G (G - 1) / 2,)`."""
        count = len(gallery)
        if count < 2:
            return gallery.new_zeros(0)
        rows, columns = torch.triu_indices(count, count, offset=1, device=gallery.device)
        return self.score(self.norm(compare(gallery[rows], gallery[columns], self._config.pair)))

    def edges(self, kind: EdgeKind, nodes: Tensor, gallery_scores: Tensor, same: Tensor) -> Tensor:
        """Return W, `(G, G)`, or `(P, G, G)` where each probe has its own.

        Args:
            kind: Kind of edges.
            nodes: `(P, G, D)`; only `learnt` reads the values.
            gallery_scores: Scores of the pairs i < j, for `supervised` and `shuffled`.
            same: `(G, G)`: whether two images show the same identity, for `oracle`.
        """
        count = nodes.shape[1]
        others = all_others(count, nodes.device)
        if kind == "learnt":
            scores = self.receiver(nodes) @ self.sender(nodes).transpose(1, 2) / self.sender.out_features**0.5
        elif kind in ("supervised", "shuffled"):
            scores = symmetric(gallery_scores, count)
            scores = shuffled(scores) if kind == "shuffled" else scores
        else:
            scores = nodes.new_zeros(count, count)
        return weights_of(scores / self._config.temperature, others & same if kind == "oracle" else others)

    def after_messages(self, nodes: Tensor, weights: Tensor, alpha: float) -> Tensor:
        """Return d after all iterations: d(t) = (1 - α) d(0) + α W F(d(t - 1)) (Shen et al. 2018, equation 4)."""
        current = nodes
        for _ in range(self._config.iterations):
            messages = self.message(current.flatten(0, 1)).view_as(nodes)
            current = (1 - alpha) * nodes + alpha * (weights @ messages)
        return current


def _messages(dim: int, width: int, layers: int) -> nn.Sequential:
    """Return F; its output has the size of a node."""
    network = nn.Sequential()
    sizes = [dim, *([width] * (layers - 1)), dim][: layers + 1]
    for number, (before, after) in enumerate(pairwise(sizes), start=1):
        network.add_module(f"linear{number}", nn.Linear(before, after, bias=False))
        network.add_module(f"norm{number}", PairNorm(after))
        network.add_module(f"relu{number}", nn.ReLU())
    return network
